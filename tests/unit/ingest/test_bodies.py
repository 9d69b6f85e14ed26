"""A body is kept smaller than it came, and comes back as it was."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from ingest.bodies import packed, unpacked
from tests.bench.playing import bodies


@given(st.binary(max_size=5000))
def test_every_body_comes_back_as_it_came(body: bytes) -> None:
    assert unpacked(packed(body)) == body


@given(st.binary(max_size=200))
def test_a_body_that_was_kept_as_it_came_is_given_back_so(rest: bytes) -> None:
    assert unpacked(b"[" + rest) == b"[" + rest


def test_real_bodies_are_kept_in_less_than_half_their_size() -> None:
    given_bodies = bodies(50)
    assert sum(map(len, map(packed, given_bodies))) < sum(map(len, given_bodies)) / 2


def test_threads_may_pack_at_the_same_time() -> None:
    given_bodies = bodies(50) * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda body: unpacked(packed(body)), given_bodies)) == given_bodies
