# SPDX-License-Identifier: MIT
"""A page from its template: style and script inlined, data packed, and a policy that lets it load nothing else.

Whatever a template prints is escaped, and cleaned of what would move a cursor or turn the reading direction; so no page
has to think of it. A page has a template of its own that extends `base.html`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from conformance.reporting.page.looks import LOOKS
from conformance.reporting.page.packing import pack
from conformance.reporting.text import clean, several


def document(
    template: str,
    *,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    **context: Any,
) -> str:
    """The page of that template. `styles` and `scripts` are files of `templates/`, `data` is packed by its names."""
    style = "".join(map(_source, ("base.css", *styles)))
    script = f'(() => {{\n"use strict";\n{"".join(map(_source, scripts))}}})();\n' if scripts else ""
    policy = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
    policy += f"; style-src {_hash(style)}" + (f"; script-src {_hash(script)}" if script else "")
    return _environment().get_template(template).render(
        policy=Markup(policy),
        style=Markup(style),
        script=Markup(script),
        packed={name: Markup(pack(value)) for name, value in (data or {}).items()},
        **context,
    )  # fmt: skip


def cell_link(provider: str, requirement: str) -> str:
    """The fragment of a page at which the evidence of a cell stands. Names are as shown, that is, clean."""
    return f"#cell={quote(clean(provider), safe='')}/{quote(clean(requirement), safe='')}"


def _breakable(text: str) -> Markup:
    """A name that may be broken after its hyphens and underscores."""
    return Markup("<wbr>").join(escape(part) for part in re.split("(?<=[-_])", clean(text)))


def _finalize(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("conformance.reporting.page"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": _breakable, "several": several}
    environment.globals |= {"looks": LOOKS, "cell_link": cell_link}
    return environment


@cache
def _source(name: str) -> str:
    return (files("conformance.reporting.page") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
