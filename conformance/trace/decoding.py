# SPDX-License-Identifier: MIT
"""JSON that others wrote, decoded into values of a type: one kind of error for all that may be wrong with it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decode(octets: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Read one value.

    Raises:
        msgspec.DecodeError: it is no JSON, not UTF-8, or nested too deeply to be read.
        msgspec.ValidationError: a DecodeError too; it is not of the decoder's type, and the message says where.
    """
    try:
        return decoder.decode(octets)
    except UnicodeDecodeError as error:  # msgspec reads strings only as it comes to them
        raise msgspec.DecodeError(f"not UTF-8: {error.reason}") from None
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
