"""What each trade brings by weighted average cost, written as ledgers."""

from pnl.engine.booking import book
from pnl.engine.positions import Position
from tests.ledger import check, parse

U64_MAX = 2**64 - 1


def test_a_sell_above_cost_gains() -> None:
    check("""
        buy   100 for 1000 @10
        sell   40 for  700 @20 -> realized 300  cost 400  proceeds 700  matched 40
        holds  60 cost  600
        total realized 300 bought 100 spent 1000 sold 40 brought 700
        count buys 1 sells 1
        trips 0 won 0 lost 0
    """)


def test_a_sell_below_cost_loses() -> None:
    check("""
        buy   100 for 1000 @10
        sell   40 for  300 @20 -> realized -100  cost 400
        holds  60 cost  600 trip -100
        total realized -100
    """)


def test_a_sell_for_nothing_loses_its_whole_cost() -> None:
    check("""
        buy   100 for 1000 @10
        sell  100 for    0 @20 -> realized -1000  cost 1000  closes -1000
        holds   0 cost   0
        trips 1 won 0 lost 1
    """)


def test_every_buy_moves_the_average() -> None:
    check("""
        buy   100 for 1000 @10
        buy   300 for 1000 @20
        sell  200 for 1100 @30 -> realized 100  cost 1000
        buy   100 for 4000 @40
        sell  100 for 1000 @50 -> realized -666  cost 1666
        holds 200 cost 3334
        total realized -566 spent 6000
    """)


def test_a_cheap_buy_after_a_sell_does_not_change_what_it_realized() -> None:
    check("""
        buy   100 for 1000 @10
        sell   50 for  100 @20 -> realized -400  cost 500
        buy    50 for    5 @30
        holds 100 cost 505 trip -400
        total realized -400
    """)


def test_a_split_rounds_the_cost_down_and_the_rest_stays() -> None:
    check("""
        buy   3 for 100 @10
        sell  1 for  33 @20 -> realized 0  cost 33
        sell  1 for  33 @30 -> realized 0  cost 33
        sell  1 for  33 @40 -> realized -1  cost 34  closes -1
        holds 0 cost 0
        total realized -1
        trips 1 won 0 lost 1
    """)


def test_a_full_close_takes_the_whole_remaining_cost() -> None:
    check("""
        buy   7 for 100 @10
        sell  6 for  85 @20 -> realized 0  cost 85
        sell  1 for   0 @30 -> realized -15  cost 15  closes -15
        holds 0 cost 0
    """)


def test_a_lamport_spread_over_many_units_is_not_lost() -> None:
    check("""
        buy   1000 for 1 @10
        sell   999 for 0 @20 -> realized 0  cost 0
        sell     1 for 0 @30 -> realized -1  cost 1  closes -1
        total realized -1
    """)


def test_an_oversell_realizes_only_what_was_seen_bought() -> None:
    check("""
        buy   100 for 1000 @10
        sell  150 for  600 @20 -> realized -600  cost 1000  proceeds 400  matched 100  unmatched 50  unpaid 200  closes -600
        holds 0 cost 0
        total realized -600 unmatched 50 unpaid 200 sold 150 brought 600
        trips 1 won 0 lost 1
    """)  # noqa: E501


def test_an_oversell_rounds_its_proceeds_down_and_the_rest_is_unmatched() -> None:
    check("""
        buy   1 for  10 @10
        sell  3 for 100 @20 -> realized 23  proceeds 33  unmatched 2  unpaid 67  closes 23
        total realized 23 unpaid 67
    """)


def test_a_sell_of_units_never_seen_makes_neither_gain_nor_loss() -> None:
    check("""
        sell  40 for 700 @10 -> realized 0  cost 0  matched 0  unmatched 40  unpaid 700
        holds 0 cost 0
        total realized 0 unmatched 40 unpaid 700
        count sells 1
        trips 0 won 0 lost 0
    """)


def test_a_sell_before_the_buy_does_not_reach_into_the_future() -> None:
    check("""
        sell   40 for  700 @10 -> realized 0  unmatched 40
        buy   100 for 1000 @20
        sell  100 for  900 @30 -> realized -100  closes -100  after 10
        total realized -100 unmatched 40
    """)


def test_a_round_trip_runs_from_flat_to_flat() -> None:
    check(
        """
        buy   10 for 100 @10
        sell   5 for  80 @20 -> realized 30
        sell   5 for  10 @30 -> realized -40  closes -10  after 20
        buy   10 for 100 @40
        sell  10 for 150 @45 -> realized 50  closes 50  after 5
        buy   10 for 100 @50/8
        sell  10 for 100 @50/9 -> realized 0  closes 0  after 0
        trips 3 won 1 lost 1
        holds 0 cost 0 trip 0
        total realized 40
    """.replace("buy   10 for 100 @50\n", "buy   10 for 100 @50/8\n")
    )


def test_a_buy_into_an_open_position_does_not_begin_another_trip() -> None:
    check("""
        buy   10 for 100 @10
        sell   9 for  90 @20 -> realized 0
        buy   10 for 100 @30
        sell  11 for 100 @40 -> realized -10  closes -10  after 30
        trips 1 won 0 lost 1
    """)


def test_an_unseen_sell_between_trips_belongs_to_none() -> None:
    check("""
        buy   10 for 100 @10
        sell  10 for  90 @20 -> realized -10  closes -10
        sell  10 for  50 @30 -> realized 0  unmatched 10
        buy   10 for 100 @40
        sell  10 for 120 @50 -> realized 20  closes 20  after 10
        trips 2 won 1 lost 1
    """)


def test_a_sell_of_nothing_realizes_nothing() -> None:
    check("""
        buy   10 for 100 @10
        sell   0 for   5 @20 -> realized 0  cost 0  matched 0  unmatched 0  unpaid 5
        sell  10 for 100 @30 -> realized 0  closes 0  after 20
        sell   0 for   0 @40 -> realized 0  matched 0
        total realized 0 unmatched 0 unpaid 5
        trips 1 won 0 lost 0
    """)


def test_a_buy_of_nothing_only_adds_to_the_cost_of_what_is_held() -> None:
    check("""
        buy   10 for 100 @10 -> bought
        buy    0 for  20 @20 -> bought
        sell  10 for 100 @30 -> realized -20  cost 120  closes -20  after 20
        count buys 2 sells 1
    """)


def test_an_unpriced_trade_is_counted_and_changes_nothing_else() -> None:
    check("""
        buy   10 for 100 @10
        buy   10 for  77 usdc @20 -> unpriced
        sell   5 for  77 usdc @30 -> unpriced
        sell  10 for  90 @40 -> realized -10  closes -10  after 30
        holds 0 cost 0
        count buys 1 sells 1 unpriced 2
        total bought 10 sold 10 spent 100 brought 90
    """)


def test_the_largest_amounts_of_the_chain_lose_no_digit() -> None:
    check(f"""
        buy  {U64_MAX} for {U64_MAX} @10
        buy  {U64_MAX} for {U64_MAX - 1} @20
        sell {U64_MAX} for {U64_MAX} @30 -> realized 1  cost {U64_MAX - 1}
        sell {U64_MAX} for 1 @40 -> realized {1 - U64_MAX}  closes {2 - U64_MAX}
        holds 0 cost 0
        total realized {2 - U64_MAX} bought {2 * U64_MAX} spent {2 * U64_MAX - 1}
    """)


def test_a_dust_sell_of_a_huge_position_is_exact() -> None:
    check(f"""
        buy  {U64_MAX} for 10 @10
        sell {U64_MAX - 1} for 9 @20 -> realized 0  cost 9
        sell 1 for 0 @30 -> realized -1  cost 1  closes -1
    """)


def test_a_late_buy_takes_its_place_before_the_sells_it_paid_for() -> None:
    check("""
        buy       10 for 100 @10
        late buy  10 for 300 @20
        sell      10 for 150 @30 -> realized -50  cost 200
        holds     10 cost 200
        total     realized -50 unmatched 0
    """)


def test_a_late_sell_shifts_every_later_result() -> None:
    check("""
        buy        10 for 100 @10
        late sell  10 for  50 @20 -> realized -50  closes -50
        buy        10 for 300 @30
        sell       10 for 150 @40 -> realized -150  closes -150
        trips      2 won 0 lost 2
    """)


def test_an_unseen_sell_does_not_pay_for_a_buy_of_nothing() -> None:
    check("""
        buy    0 for 1000 @10
        sell  50 for  300 @20 -> realized 0  cost 0  matched 0  unmatched 50  unpaid 300
        holds  0 cost 1000
    """)


def test_a_trip_that_closed_before_it_opened_by_the_clock_held_no_time() -> None:
    buy, sell = parse("buy 10 for 100 @10\nsell 10 for 90 @20").trades
    position = Position()
    book(position, buy._replace(block_time=1000))
    outcome = book(position, sell._replace(block_time=990))
    assert outcome[-1] == 0
    assert (position.first_at, position.last_at) == (990, 1000)
