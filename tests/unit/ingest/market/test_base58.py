"""The market writes base58 as everybody does, only faster."""

import based58
from hypothesis import given
from hypothesis import strategies as st

from ingest.market import base58

LONG = st.binary(min_size=1, max_size=600).filter(lambda raw: raw[0] != 0)


@given(raw=LONG)
def test_long_texts_are_those_of_the_library(raw: bytes) -> None:
    assert base58.encode_long(raw) == based58.b58encode(raw).decode()


def test_the_largest_numbers_of_every_length_come_out_right() -> None:
    for size in range(1, 500, 7):
        raw = b"\xff" * size
        assert base58.encode_long(raw) == based58.b58encode(raw).decode()
