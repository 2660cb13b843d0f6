# SPDX-License-Identifier: MIT
"""The reference provider: Winsock's calls over the suite's own transport on top of TCP, as the specification has them.

`tpdus` is the transport's wire format, `association` one connection's state, `carrier` its TCP connection, `engine` the
thread that serves them all, `notifications` FD_READ, FD_WRITE and FD_CLOSE, `sockets` and `provider` the calls.
docs/reference-transport.md describes the transport, and what this provider chooses where Winsock is silent.
"""
