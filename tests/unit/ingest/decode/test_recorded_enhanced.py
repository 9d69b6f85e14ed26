"""Enhanced payloads recorded from webhooks, and recorded transactions told the enhanced way."""

import json
from pathlib import Path

import pytest

from ingest.decode.outcome import Decoded, Dropped, DropReason, Outcome
from ingest.decode.pipeline import decode_body
from pnl.engine.trades import Side, Trade, Venue
from tests.unit.ingest.decode.building import Json, body, text
from tests.unit.ingest.decode.enhancing import rendered
from tests.unit.ingest.decode.reading import decoded, dropped

CREATED = "agrozold_2024-08__raw_create_getTransaction.json"
DEV_BUY = "chainstack_2026__raw_create_and_devbuy_getTransaction_jsonParsed.json"
ROUND_TRIP = "agrozold_2024-08__raw_buy_getTransaction.json"
IN_USDC = "chainstack_2026__raw_buy_getTransaction_jsonParsed.json"
JUPITER_52 = "doronaviguy_sol-pnl__pump_amm_jupiter_52tx.json"


@pytest.fixture
def enhanced(shared_folder: Path) -> Path:
    return shared_folder / "data" / "helius_enhanced"


@pytest.fixture
def raw_tx(shared_folder: Path) -> Path:
    return shared_folder / "data" / "raw_tx"


def outcomes(folder: Path, name: str) -> tuple[Outcome, ...]:
    return decode_body((folder / name).read_bytes())


def inferred(folder: Path, name: str) -> Trade:
    (outcome,) = outcomes(folder, name)
    assert isinstance(outcome, Decoded), outcome
    assert outcome.order_unknown
    (trade,) = outcome.trades
    assert (trade.inferred, trade.block_index, trade.event_index) == (True, None, 0)
    return trade


def answer(folder: Path, name: str) -> Json:
    recorded: Json = json.loads((folder / name).read_bytes())
    result: Json = recorded.get("result", recorded)
    return result


def test_a_curve_buy_of_which_a_part_is_shown(enhanced: Path) -> None:
    """0.7 SOL less one percent went in; 8,000,000 of what is missing were no part of it."""
    trade = inferred(enhanced, "doc_pump_fun_buy_partial.json")
    fees = -(-684_444_444 * 95 // 10_000) - (-684_444_444 * 30 // 10_000)
    assert (trade.side, trade.venue, trade.fee_units) == (Side.BUY, Venue.PUMP, fees)
    assert trade.quote_units == 684_444_444 + fees == 693_000_001
    network, rent, others = 1_005_000, 2_074_080, 8_000_000
    assert trade.quote_units + network + rent + others == 704_079_081  # the wallet's change
    assert trade.token_units == 13_451_405_645_718
    assert (trade.slot, trade.block_time) == (396_430_764, 1_769_583_235)
    assert text(trade.trader) == "HnnBghrfotzpjrtXxpbBHTEKdgjMZv8RGZL7wsYeRVB9"
    assert text(trade.mint) == "9svdK1bjBBuk1tqmeqSHrVSaD6M5wqLEsvFmG9SFpump"


def test_a_pool_buy_with_a_platforms_fee(enhanced: Path) -> None:
    """The pool's leg was 20.040000002; two fees of 5 bp went elsewhere, and a percent, too."""
    trade = inferred(enhanced, "rityjacob_sniper__pump_amm_buy_webhook.json")
    assert (trade.side, trade.venue) == (Side.BUY, Venue.PUMP_SWAP)
    assert trade.quote_units == 20_040_000_002 + 2 * 10_000_001
    network, rent, platform = 230_001, 2_039_280, 200_000_000
    assert trade.quote_units + network + rent + platform == 20_262_269_285  # the wallet's change
    assert trade.token_units == 19_418_974_012_530
    assert trade.slot == 362_534_593


def test_a_pool_sell_with_a_platforms_fee(enhanced: Path) -> None:
    trade = inferred(enhanced, "rityjacob_sniper__pump_amm_sell_webhook.json")
    assert (trade.side, trade.venue) == (Side.SELL, Venue.PUMP_SWAP)
    assert trade.quote_units == 11_263_971_513
    network, platform = 7_505_001, 113_463_653
    assert trade.quote_units - network - platform == 11_143_002_859  # the wallet's change
    assert trade.token_units == 3_666_988_222_932
    assert text(trade.trader) == "DNfuF1L62WWyW3pNakVkyGGFzVVhj4Yr52jSmdTyeBHm"


def test_a_transaction_that_did_nothing_is_no_trade(enhanced: Path) -> None:
    (outcome,) = outcomes(enhanced, "ray0nyx__pump_amm_unknown_noop.json")
    assert isinstance(outcome, Dropped)
    assert (outcome.reason, outcome.detail) == (DropReason.NO_TRADE, "no token balance changed")


def test_bodies_without_slot_and_time_are_dropped_and_say_so(enhanced: Path) -> None:
    found = outcomes(enhanced, JUPITER_52)
    assert len(found) == 52
    for outcome in found:
        assert isinstance(outcome, Dropped)
        assert outcome.reason is DropReason.INCOMPLETE
        assert outcome.detail == "it does not tell: slot, timestamp, fee, feePayer"
        assert outcome.reason.raw_can_help


def completed(element: Json) -> Json:
    """With what the recording left out: whatever lamports nobody gained were the network's fee."""
    fee = -sum(account["nativeBalanceChange"] for account in element["accountData"])
    payer = element["accountData"][0]["account"]
    return element | {"slot": 1, "timestamp": 1_760_000_000, "fee": fee, "feePayer": payer}


def test_the_same_bodies_completed_tell_their_swaps(enhanced: Path) -> None:
    elements = json.loads((enhanced / JUPITER_52).read_bytes())
    found = decode_body(body(*map(completed, elements)))
    reasons = [outcome.reason for outcome in found if isinstance(outcome, Dropped)]
    assert reasons.count(DropReason.NO_TRADE) == 6  # Jupiter's: neither program took part
    assert reasons.count(DropReason.SEVERAL_SWAPS) == 1  # three pools
    trades = [
        trade for outcome in found if isinstance(outcome, Decoded) for trade in outcome.trades
    ]
    assert len(trades) == 45
    buy, sell = trades[:2]
    assert (buy.side, buy.quote_units) == (Side.BUY, 2_906_549_515 + 1_450_375)
    platform, tip, rent, network = 24_930_059, 505_000, 2_039_280, 122_507
    assert buy.quote_units + platform + tip + rent + network == 2_935_596_736
    assert (sell.side, sell.quote_units) == (Side.SELL, 3_024_621_413 - 1_515_342)
    for trade in trades:  # the pool's fees beside the liquidity: 5 bp, in a few pools 30 more
        gross = trade.quote_units + (trade.fee_units if trade.side is Side.SELL else 0)
        assert gross * 4 < trade.fee_units * 10_000 < gross * 50


@pytest.mark.parametrize("name", [CREATED, DEV_BUY, ROUND_TRIP, IN_USDC])
def test_a_recording_told_the_enhanced_way_is_the_same(raw_tx: Path, name: str) -> None:
    raw = answer(raw_tx, name)
    plain, told = decoded(raw), decoded(rendered(raw, with_events=True))
    assert told.signature == plain.signature
    assert told.trades == tuple(trade._replace(block_index=None) for trade in plain.trades)
    assert told.tokens == plain.tokens


@pytest.mark.parametrize("name", [CREATED, DEV_BUY])
@pytest.mark.parametrize("instructions", [True, False])
def test_a_recording_without_its_events_tells_the_same_to_the_lamport(
    raw_tx: Path, name: str, instructions: bool
) -> None:
    """Rents, tips and fees of many kinds were paid in these: none of them gets into the amount."""
    raw = answer(raw_tx, name)
    element = rendered(raw, with_events=False)
    if not instructions:
        element |= {"instructions": [], "source": "PUMP_FUN"}
    (plain,) = decoded(raw).trades
    assert decoded(element).trades == (plain._replace(block_index=None, inferred=True),)


def test_a_round_trip_without_its_events_is_not_decided(raw_tx: Path) -> None:
    outcome = dropped(rendered(answer(raw_tx, ROUND_TRIP), with_events=False))
    assert outcome.reason is DropReason.UNTOLD
    assert outcome.reason.raw_can_help


def test_a_buy_in_usdc_without_its_events_is_not_decided(raw_tx: Path) -> None:
    outcome = dropped(rendered(answer(raw_tx, IN_USDC), with_events=False))
    assert (outcome.reason, outcome.detail) == (
        DropReason.SEVERAL_TOKENS,
        "2 tokens changed hands",
    )


def test_the_creations_tell_their_tokens(raw_tx: Path) -> None:
    (old,) = decoded(answer(raw_tx, CREATED)).tokens
    assert (old.name, old.symbol) == ("excited", "excited")
    assert old.uri == "https://cf-ipfs.com/ipfs/QmcDiP9wAZ8QeijrNrtwLeMGk46vKAAe8yvfWtumBZbURq"
    assert old.created_at == 1_724_128_600  # this layout had no time: the block's
    assert text(old.creator or b"") == "Fswrw3tgQL597kCexxLEhft6a7Su4CDoqwRMqqj4BEp5"
    assert text(old.mint) == "ER2N5eaDoC68kNhj7LyaScimzq7deaqxiw88rewvxaKp"
    (new,) = decoded(answer(raw_tx, DEV_BUY)).tokens
    assert (new.name, new.symbol) == ("The Ass Statue", "TAS")
    assert new.created_at == 1_785_327_618
    assert text(new.creator or b"") == "5htGpHK2oV9g2BcDqLdRBqjCLdy8mc3fsESfR5DU73eM"
    assert text(new.mint) == "CWiTGbCiDd8BKtNYNE2boT9fJGFG2MU53Uf6HQk4pump"
