# SPDX-License-Identifier: MIT
"""The agents that are written in C: built from the suite's sources when they are first needed, and started.

`python -m conformance.agents.native NAME [ARGS...]` becomes the agent of that name. The ones for Windows run under
Wine, in a prefix that is theirs as long as the topology lives.
"""
