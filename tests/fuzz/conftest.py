# SPDX-License-Identifier: MIT
"""The profile for a night: registered here, chosen with `--hypothesis-profile=long`."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("long", max_examples=200 * settings.get_profile("default").max_examples)
