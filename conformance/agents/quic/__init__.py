# SPDX-License-Identifier: MIT
"""The agent for aioquic, by its event API or its asyncio stream API. `docs/quic.md` says how ends are mapped."""
