# SPDX-License-Identifier: MIT
"""The agents for WebSocket: `python -m conformance.agents.websocket --library websockets|wsproto`.

`common` has what both share, `library` the calls of `websockets`, `frames` and `link` an endpoint made of `wsproto`
that sends and receives its frames itself. The libraries are the extra `websocket` of this package.
"""
