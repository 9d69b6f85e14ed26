"""Whoever answers byte by byte is not listened to for longer than a call may take."""

import time

import pytest

from ingest.helius.client import Helius
from ingest.helius.problems import HeliusProblem
from ingest.price_source import Failed, PriceSource
from ingest.price_source import Patience as PricePatience
from tests.flow.fake_helius import FakeHelius, Fault
from tests.flow.hasty import HASTY


@pytest.mark.parametrize("before", [0, 1])
def test_headers_that_drip_are_not_waited_for(
    fake_helius: FakeHelius, asked: Helius, before: int
) -> None:
    """On a new connection, and on one that has brought an answer before."""
    for _ in range(before):
        asked.rpc.finalized_slot()
    fake_helius.behaviour.faults = [Fault(drip_seconds=0.1, drips_head=True)] * HASTY.attempts
    began = time.monotonic()
    with pytest.raises(HeliusProblem, match="getSlot: no answer that ended in time"):
        asked.rpc.finalized_slot()
    assert time.monotonic() - began < HASTY.attempts * (HASTY.answer_seconds + 0.5)
    assert asked.rpc.finalized_slot() == fake_helius.chain.finalized


def test_an_answer_that_drips_is_not_waited_for(fake_helius: FakeHelius, asked: Helius) -> None:
    dripping = Fault(200, body=" " * 60, drip_seconds=0.1)
    fake_helius.behaviour.faults = [dripping] * HASTY.attempts
    began = time.monotonic()
    with pytest.raises(HeliusProblem, match="getSlot: no answer that ended in time"):
        asked.rpc.finalized_slot()
    assert time.monotonic() - began < HASTY.attempts * (HASTY.answer_seconds + 0.5)
    fake_helius.behaviour.faults = [dripping]
    assert asked.rpc.finalized_slot() == fake_helius.chain.finalized


def test_a_price_source_whose_headers_drip_is_not_waited_for(fake_helius: FakeHelius) -> None:
    fake_helius.behaviour.faults = [Fault(drip_seconds=0.1, drips_head=True)] * 9
    began = time.monotonic()
    patience = PricePatience(total_s=1.5, attempt_s=0.5, first_wait_s=0.1)
    with PriceSource(f"{fake_helius.url}/?from={{start_ms}}", patience=patience) as source:
        answer = source.ask(1_700_000_040, 1_700_000_040)
    assert isinstance(answer, Failed)
    assert "did not answer in time" in answer.reason
    assert time.monotonic() - began < 2.5
