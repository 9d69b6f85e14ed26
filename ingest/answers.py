"""Reads the body of an HTTP answer: never more than it may be, never longer than it may take."""

import time
from enum import Enum
from typing import Final

import requests

_CHUNK_BYTES: Final = 64 * 1024


class Overrun(Enum):
    """Why a body was not read to its end."""

    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"


def whole_body(answer: requests.Response, *, until: float, bytes_max: int) -> bytes | Overrun:
    """The body of a streamed answer, decompressed; `until` is a moment of the monotonic clock.

    The answer's own timeout bounds single reads only. Raises urllib3's HTTPError if it breaks off.
    """
    body = bytearray()
    # iter_content would wait until a whole chunk is there, however slowly it comes.
    while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > bytes_max:
            return Overrun.TOO_LARGE
        if time.monotonic() > until:
            return Overrun.TOO_SLOW
    return bytes(body)
