"""Event bytes stand where the programs put them: offsets counted by hand, nothing shared."""

import struct

from ingest.market import events
from ingest.market.curve import Curve
from ingest.market.events import Held, Parties
from ingest.market.pool import Pool
from tests.unit.ingest.market.stage import number

SOL = 1_000_000_000
MINT, USER, CREATOR, FEES = (bytes([n]) * 32 for n in (1, 2, 3, 4))
WHO = Parties(USER, MINT, CREATOR, FEES, bytes([5]) * 32)


def test_a_curve_trade_has_every_field_in_its_place() -> None:
    fill = Curve().buy_with(SOL)
    payload = events.trade(fill, WHO, 1_795_000_000, "buy", 77)
    assert payload[:8].hex() == "bddb7fd34ee661ee"
    assert (payload[8:40], payload[57:89], payload[177:209]) == (MINT, USER, CREATOR)
    assert [number(payload, at) for at in (40, 48)] == [fill.sol, fill.units]
    assert (payload[56], number(payload, 89)) == (1, 1_795_000_000)
    assert [number(payload, at) for at in (97, 105, 113, 121)] == [
        *(fill.virtual_sol, fill.virtual_units, fill.real_sol, fill.real_units)
    ]
    assert [number(payload, at) for at in (161, 169, 209, 217)] == [
        *(95, fill.fee, 30, fill.creator_fee)
    ]
    assert payload[258:265] == b"\x03\x00\x00\x00buy"
    assert number(payload, 265 + 1 + 16 + 8) == fill.fee // 2
    assert len(payload) == 379 + len("buy")


def test_a_curve_sell_says_so() -> None:
    curve = Curve()
    units = curve.buy_with(SOL).units
    payload = events.trade(curve.sell(units), WHO, 1, "sell", 0)
    assert payload[56] == 0


def test_a_pool_buy_has_every_field_in_its_place() -> None:
    fill = Pool(206_900_000_000_000, 100 * SOL).buy_units(10**12)
    payload = events.pool_buy(fill, WHO, Held(5, 6, 7), 9, 0)
    assert payload[:8].hex() == "67f4521f2cf57777"
    fields = struct.unpack_from("<q13Q", payload, 8)
    assert fields[:7] == (9, fill.units, 7, 5, 6, 206_900_000_000_000, 100 * SOL)
    assert fields[7] == fill.quote
    assert fields[8:12] == (20, fill.lp_fee, 5, fill.protocol_fee)
    assert fields[12:] == (fill.quote + fill.lp_fee, fill.paid)
    assert (payload[120:152], payload[152:184], payload[312:344]) == (WHO.pool, USER, CREATOR)
    assert (number(payload, 344), number(payload, 352)) == (95, fill.creator_fee)
    assert payload[401:408] == b"\x03\x00\x00\x00buy"
    assert len(payload) == 486 + len("buy")


def test_a_pool_buy_that_names_what_it_spends_exchanges_two_fields() -> None:
    fill = Pool(206_900_000_000_000, 100 * SOL).buy_with(SOL)
    payload = events.pool_buy(fill, WHO, Held(0, 0, 0), 9, 0)
    assert number(payload, 64) == fill.paid
    assert number(payload, 112) == fill.quote
    assert number(payload, 104) == fill.quote + fill.lp_fee


def test_a_pool_sell_has_every_field_in_its_place() -> None:
    fill = Pool(206_900_000_000_000, 100 * SOL).sell(10**12)
    payload = events.pool_sell(fill, WHO, Held(10**13, 0, 7), 9)
    assert payload[:8].hex() == "3e2f370aa503dc2a"
    fields = struct.unpack_from("<q13Q", payload, 8)
    assert (fields[1], fields[7]) == (10**12, fill.quote)
    assert fields[12:] == (fill.quote - fill.lp_fee, fill.paid)
    assert fill.paid == fill.quote - fill.lp_fee - fill.protocol_fee - fill.creator_fee
    assert len(payload) == 441
