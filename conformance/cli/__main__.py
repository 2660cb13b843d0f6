# SPDX-License-Identifier: MIT
"""`python -m conformance.cli`, for a checkout that is not installed."""

import sys

from conformance.cli import main

sys.exit(main())
