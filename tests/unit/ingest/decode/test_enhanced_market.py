"""A whole market told the enhanced way: the same trades by events, and by balances alone."""

import json
from collections import Counter

import pytest

from ingest.decode import balances, ledger
from ingest.decode.outcome import Decoded, Dropped, DropReason
from ingest.decode.pipeline import decode_body
from ingest.market import keys, postings
from ingest.market.exchange import Transaction
from tests.unit.ingest.decode.building import body
from tests.unit.ingest.decode.enhancing import rendered
from tests.unit.ingest.decode.reading import outcome_of
from tests.unit.ingest.market.stage import played


def traded() -> list[Transaction]:
    return [transaction for transaction in played() if transaction.trades]


def test_every_transaction_of_a_market_told_the_enhanced_way_has_the_same_trades() -> None:
    elements = [rendered(json.loads(act.json), with_events=True) for act in traded()]
    for act, outcome in zip(traded(), decode_body(body(*elements)), strict=True):
        assert isinstance(outcome, Decoded)
        assert outcome.trades == tuple(trade._replace(block_index=None) for trade in act.trades)


@pytest.fixture
def _as_on_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The market's addresses come out of a hash; on chain they tell people from programs."""
    people = {trade.trader for act in traded() for trade in act.trades} | {postings.PLATFORM.raw}
    for module in (ledger, balances):
        monkeypatch.setattr(module, "has_a_key", people.__contains__)
    monkeypatch.setattr(balances, "curve_of", lambda mint: keys.derive(b"curve", mint).text)


@pytest.mark.usefixtures("_as_on_chain")
def test_the_balances_of_a_market_tell_its_swaps_to_the_lamport() -> None:
    """Through terminals, with tips, with accounts opened and closed.

    Creations are left out: the market does not write their rents into instructions. What is not
    decided is two swaps in one.
    """
    found: Counter[str] = Counter()
    for act in traded():
        if "Instruction: CreateV2" in act.json:
            continue
        outcome = outcome_of(rendered(json.loads(act.json), with_events=False))
        if isinstance(outcome, Dropped):
            assert outcome.reason in (DropReason.SEVERAL_TOKENS, DropReason.SEVERAL_TRADERS)
            assert len(act.trades) == 2
            found["undecided"] += 1
            continue
        assert isinstance(outcome, Decoded)
        (told,), (exact,) = outcome.trades, act.trades
        found[f"{told.venue.name} {told.side.name}"] += 1
        known = exact._replace(block_index=None, inferred=True, fee_units=told.fee_units)
        assert told == known
    assert len(found) == 5
    assert min(found.values()) > 30
