"""The agenda knows what is next and how much is due soon."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.market.agenda import HORIZON_MS, Agenda, Pace
from ingest.market.exchange import Transaction

TIMES = st.lists(st.integers(0, 200_000), min_size=1, max_size=60)


def nothing() -> list[Transaction]:
    return []


@given(times=TIMES)
def test_things_happen_in_order_and_the_near_ones_are_counted(times: list[int]) -> None:
    agenda = Agenda(0)
    for time in times:
        agenda.add(time, nothing)
    waiting = sorted(times)
    while waiting:
        entry = agenda.next()
        assert entry.at == waiting.pop(0)
        edge = (entry.at // 1_000) * 1_000 + HORIZON_MS
        assert agenda.near(entry.at) == sum(time < edge for time in waiting)


def test_what_is_entered_for_the_same_moment_happens_as_it_was_entered() -> None:
    agenda = Agenda(0)
    for place in range(20):
        agenda.add(5, nothing, place)
    assert [agenda.next().args for _ in range(20)] == [(place,) for place in range(20)]


def test_the_pace_goes_on_from_what_was_done() -> None:
    pace = Pace(20.0, 10_000, done=7)
    assert pace.due(10_000) == 7
    assert pace.due(11_000) == 27
    assert pace.wait(40) == 2_000
