"""The order of the chain: by slot, index in the block and event; without an index, by rule."""

from pnl.engine.replay import in_chain_order, replay
from pnl.engine.trades import place_of
from tests.ledger import check, parse


def test_a_lower_slot_comes_first_whatever_its_index() -> None:
    check("""
        buy   10 for 100 @10/999
        sell  10 for  90 @11/0 -> realized -10  closes -10
    """)


def test_a_known_index_decides_within_the_slot() -> None:
    check("""
        sell  10 for  90 @10/3 -> realized 0  unmatched 10
        buy   10 for 100 @10/4
        holds 10 cost 100
    """)


def test_the_event_decides_within_the_transaction() -> None:
    check("""
        buy   10 for 100 @10/3#0
        sell  10 for  90 @10/3#1 -> realized -10  closes -10
        buy   10 for  70 @10/3#2
        holds 10 cost 70
    """)


def test_buys_come_before_sells_where_the_index_is_unknown() -> None:
    check("""
        buy   10 for 100 @10 by 9
        sell  10 for  90 @10 by 1 -> realized -10  closes -10
        holds  0 cost 0
    """)


def test_signatures_decide_among_equals_of_unknown_index() -> None:
    check("""
        buy   10 for 100 @10 by 1
        buy   10 for 200 @10 by 2
        sell  20 for 100 @10 by 3 -> realized -200  closes -200
        sell  20 for 700 @10 by 4 -> realized 0  unmatched 20
    """)


def test_the_event_decides_among_equals_of_one_signature() -> None:
    check("""
        buy   10 for 100 @10 by 5
        sell   5 for  10 @10#1 by 7 -> realized -40
        sell   5 for  90 @10#2 by 7 -> realized 40  closes 0
    """)


def test_a_known_index_comes_before_every_unknown_one_of_its_slot() -> None:
    check("""
        sell  10 for  90 @10/500 -> realized 0  unmatched 10
        buy   10 for 100 @10
        sell   5 for  90 @11 -> realized 40
    """)


def test_signatures_are_compared_as_people_write_them() -> None:
    """Their bytes sort otherwise: a smaller number may have fewer, and so higher, characters."""
    short, long = (58**87 - 1).to_bytes(64), (58**87).to_bytes(64)
    assert short < long
    buy = parse("buy 10 for 100 @10").trades[0]
    ordered = in_chain_order([buy._replace(signature=short), buy._replace(signature=long)])
    assert [trade.signature for trade in ordered] == [long, short]


def test_the_place_of_a_known_index_needs_no_signature() -> None:
    """So that a row of the database and a trade of a delivery stand at the same place."""
    assert place_of(10, 3, 0, b"\1" * 64, 2) == place_of(10, 3, 1, b"\2" * 64, 2)


def test_an_empty_ledger_is_an_empty_position() -> None:
    position, booked = replay([])
    assert (position.units, position.cost_lamports, position.first_at, booked) == (0, 0, None, [])
