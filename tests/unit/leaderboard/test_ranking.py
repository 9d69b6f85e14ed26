"""Ties share a rank, and what changed between two looks at a board is enough to redo the second."""

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from leaderboard.ranking import Changes, Line, applied, changes, in_board_order, ranks

# Few and small, so that boards meet the same wallets and the same scores again and again.
ADDRESSES = st.sampled_from([letter * 4 for letter in "ABCDEFGHJKLM"])
SCORES = st.integers(-6, 3)
EXTRAS = st.integers(0, 2)


def line(address: str, rank: int, realized: int, trades: int = 1) -> Line:
    sums = (min(0, realized), 10, 20, min(0, realized), trades)
    return Line(address, rank, "", "person", realized, *sums, 0, 0, 0, 0, 0, None)


def board(entries: Sequence[tuple[str, int, int]]) -> list[Line]:
    """A board of (address, realized, trades), as a look at the database gives it."""
    ordered = sorted(entries, key=lambda entry: entry[1])
    places = ranks([realized for _, realized, _ in ordered])
    found = zip(ordered, places, strict=True)
    return in_board_order(line(who, rank, score, n) for (who, score, n), rank in found)


BOARDS = st.lists(
    st.tuples(ADDRESSES, SCORES, EXTRAS), unique_by=lambda entry: entry[0], max_size=12
).map(board)


def held(lines: Sequence[Line]) -> dict[str, Line]:
    return {each.address: each for each in lines}


def test_ties_share_a_rank_and_the_next_one_skips() -> None:
    assert ranks([-9, -5, -5, -5, 0, 1, 1]) == [1, 2, 2, 2, 5, 6, 6]


def test_a_later_page_goes_on_counting() -> None:
    assert ranks([-4, -4, -3], first=101) == [101, 101, 103]


def test_an_empty_board_has_no_ranks() -> None:
    assert ranks([]) == []


@given(st.lists(SCORES).map(sorted))
def test_a_rank_is_one_more_than_the_number_of_those_who_lost_more(scores: list[int]) -> None:
    worse = [sum(other < score for other in scores) for score in scores]
    assert ranks(scores) == [count + 1 for count in worse]


@given(BOARDS.flatmap(lambda lines: st.tuples(st.just(lines), st.permutations(lines))))
def test_the_order_of_a_board_does_not_depend_on_the_order_it_was_read_in(
    pair: tuple[list[Line], list[Line]],
) -> None:
    lines, shuffled = pair
    assert in_board_order(shuffled) == lines


@given(BOARDS, BOARDS)
def test_a_look_with_the_changes_applied_is_the_later_look(
    before: list[Line], after: list[Line]
) -> None:
    assert applied(held(before), changes(before, after)) == after


@given(st.lists(BOARDS, min_size=2, max_size=8))
def test_a_viewer_who_misses_no_change_never_needs_to_look_again(looks: list[list[Line]]) -> None:
    seen = looks[0]
    for before, after in itertools.pairwise(looks):
        seen = applied(held(seen), changes(before, after))
    assert seen == looks[-1]


@given(BOARDS)
def test_a_board_that_did_not_change_has_no_changes(lines: list[Line]) -> None:
    assert changes(lines, lines) == Changes((), ())


@given(BOARDS, BOARDS)
def test_a_change_names_nobody_who_stayed_the_same(before: list[Line], after: list[Line]) -> None:
    difference = changes(before, after)
    assert not set(difference.upserts) & set(before)
    assert not set(difference.removed) & {each.address for each in after}
    assert len(difference.removed) == len(set(difference.removed))


def test_a_wallet_whose_rank_alone_moved_is_sent_again() -> None:
    before = board([("AAAA", -1, 0), ("BBBB", 3, 0)])
    after = board([("AAAA", -1, 0), ("BBBB", 3, 0), ("CCCC", -6, 0)])
    sent = [each.address for each in changes(before, after).upserts]
    assert sent == ["CCCC", "AAAA", "BBBB"]
