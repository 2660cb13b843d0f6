# SPDX-License-Identifier: MIT
"""The pytest session: where execution, oracle and reporting meet. Nothing else imports them all."""
