"""Minutes are asked for in few questions, none of them longer than a source answers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.pricing import QUESTION_MINUTES, spans_of

MINUTES = st.sets(st.integers(0, 5000).map(lambda place: 1_763_899_200 + 60 * place))


@given(MINUTES)
def test_every_minute_is_in_one_question_and_no_question_is_too_long(minutes: set[int]) -> None:
    spans = spans_of(minutes)
    for minute in minutes:
        assert sum(first <= minute <= last for first, last in spans) == 1
    for first, last in spans:
        assert {first, last} <= minutes
        assert 0 <= last - first < QUESTION_MINUTES * 60


@given(MINUTES)
def test_two_questions_that_follow_each_other_could_not_have_been_one(minutes: set[int]) -> None:
    spans = spans_of(minutes)
    for (first, _), (_, last) in pairwise(spans):
        assert last - first >= QUESTION_MINUTES * 60
