# SPDX-License-Identifier: MIT
"""Does a socket implementation tell of the end of a connection: correctly, once, in order, with nothing lost?

Data flows one way: catalogue, plan, execution, trace, oracle, verdicts, reports.
"""

__version__ = "0.1.0"
