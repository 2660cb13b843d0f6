# SPDX-License-Identifier: MIT
"""What the suite's own agents share: the protocol's side of an agent. Standard library only, and few modules of it.

`conversation` takes requests and says what came of them, `implementation` is what an agent brings, `outcomes` is how
one call ended, `workers` has the threads for calls that block, `program` is the command line.
"""
