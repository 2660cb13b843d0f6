# SPDX-License-Identifier: MIT
"""How a mutant is written: one wrong sentence, as a function of a few lines under `@mutant`.

The name of its parameter says what it changes: `request` (what the implementation is asked to do), `reply`,
`completion` or `outcome` (both), `event` (an indication), `segment` (what it puts on the link) or `arrival` (what
reaches it there). It returns the message, another one, a list of several, or None for none at all. A class has methods
of these names, and an instance of it lives for a case; its name is told in small letters, as those of functions are.
"""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

from conformance.agents.mutating.messages import Completion, Event, Message, Reply, Request

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Filter = Callable[[Any], Any]

SEES: dict[str, tuple[type[Message], ...]] = {
    "request": (Request,),
    "reply": (Reply,),
    "completion": (Completion,),
    "outcome": (Reply, Completion),
    "event": (Event,),
    "segment": (),
    "arrival": (),
}
"""What a filter is shown, by the name of its parameter."""


class Mutant:
    """An implementation that is broken in one known way.

    `kills`: the requirements that must each be violated; those that do not apply to a provider do not count there.
    `over`: the sound providers that it is made of. `says`: what it does wrong. `claims`: service flags that it claims,
    and does not have. `states`: members of its statement that are others than the sound provider's.
    """

    def __init__(
        self,
        made_of: Any,
        kills: tuple[str, ...],
        over: tuple[str, ...],
        claims: tuple[str, ...] = (),
        states: Mapping[str, Any] | None = None,
    ) -> None:
        self.name: str = _in_small_letters(made_of.__name__)
        self.says = " ".join((made_of.__doc__ or "").split())
        self.kills = kills
        self.over = over
        self.claims = claims
        self.states = dict(states or {})
        self.file: str = sys.modules[made_of.__module__].__file__ or ""
        self._made_of = made_of
        if not self.says:
            raise ValueError(f"mutant {self.name}: expected a docstring that says what it does wrong")
        for kind in self.filters():
            if kind not in SEES:
                raise ValueError(f"mutant {self.name}: {kind!r} is none of {', '.join(SEES)}")

    @property
    def on_the_wire(self) -> bool:
        """Whether it is wrong on the link, and not in what it tells."""
        return not {"segment", "arrival"}.isdisjoint(self.filters())

    def filters(self) -> dict[str, Filter]:
        """Its filters, fresh for one case, by what they are shown."""
        if isinstance(self._made_of, type):
            made = self._made_of()
            return {name: getattr(made, name) for name in vars(self._made_of) if not name.startswith("_")}
        return {self._made_of.__code__.co_varnames[0]: self._made_of}


def _in_small_letters(name: str) -> str:
    """The name of a class as that of a function would be written."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def mutant(
    *,
    kills: str | tuple[str, ...],
    over: str | tuple[str, ...],
    claims: tuple[str, ...] = (),
    states: Mapping[str, Any] | None = None,
) -> Callable[[Any], Mutant]:
    """Make a mutant of the function or class below."""
    killing = (kills,) if isinstance(kills, str) else tuple(kills)
    providers = (over,) if isinstance(over, str) else tuple(over)
    return lambda made_of: Mutant(made_of, killing, providers, claims, states)


def load(file: str) -> dict[str, Mutant]:
    """The mutants of one file, by name, in order. Raises whatever the file raises, and OSError."""
    name = f"mutants_in_{abs(hash(file))}"
    loader = SourceFileLoader(name, file)
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return {found.name: found for found in vars(module).values() if isinstance(found, Mutant) and found.file == file}
