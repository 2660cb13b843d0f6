# SPDX-License-Identifier: MIT
"""The agent for the kernel's own sockets: `python -m conformance.agents.kernel`.

Standard library only, and few modules of it, because an agent is started often. `calls` makes the socket calls,
`readiness` asks select, poll and epoll; the protocol's side is `conformance.agents.serving`.
"""
