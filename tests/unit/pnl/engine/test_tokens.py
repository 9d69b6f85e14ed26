"""Tellings of a token's life become one, whatever their order and however often each came."""

from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pnl.engine.tokens import TokenEvent, together

MINT = bytes(32)
TIMES = st.none() | st.integers(1, 4)
TEXTS = st.sampled_from(["", "A", "B"])
CREATIONS = st.builds(
    TokenEvent, st.just(MINT), TEXTS, TEXTS, TEXTS, st.sampled_from([b"c", b"d"]), TIMES
)
COMPLETIONS = st.builds(lambda at: TokenEvent(MINT, completed_at=at), TIMES)
MIGRATIONS = st.builds(
    lambda at, pool: TokenEvent(MINT, migrated_at=at, pool=pool),
    TIMES,
    st.sampled_from([b"p", b"q"]),
)
EVENTS = CREATIONS | COMPLETIONS | MIGRATIONS


@given(st.lists(EVENTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_and_the_number_of_tellings_do_not_matter(
    events: list[TokenEvent], dice: Random
) -> None:
    again = [*events, *events]
    dice.shuffle(again)
    assert reduce(together, again) == reduce(together, events)


@given(EVENTS, EVENTS, EVENTS)
def test_it_does_not_matter_what_is_put_together_first(
    one: TokenEvent, two: TokenEvent, three: TokenEvent
) -> None:
    assert together(together(one, two), three) == together(one, together(two, three))


def test_a_blank_takes_no_name_away() -> None:
    named = TokenEvent(MINT, "Otter", "OTT", "uri", b"c", 1)
    done = TokenEvent(MINT, completed_at=5)
    assert together(done, named) == together(named, done) == named._replace(completed_at=5)


def test_the_earlier_of_two_creations_and_migrations_counts() -> None:
    first, second = TokenEvent(MINT, "A", creator=b"d", created_at=1), TokenEvent(MINT, "B", "B")
    second = second._replace(creator=b"c", created_at=2)
    assert together(second, first) == first
    early, late = (TokenEvent(MINT, migrated_at=at, pool=bytes([9 - at])) for at in (1, 2))
    assert together(late, early) == early
