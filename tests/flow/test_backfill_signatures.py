"""Transactions are fetched by their signatures from a file; what does not come is told or kept."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingest import backfills, harvest, operations
from ingest.models import Backfill, BackfillSignature
from pnl.engine.trades import Trade
from tests.flow.bodies import SOL, Chain, base58
from tests.flow.fake_helius import FakeHelius, Fault
from tests.flow.truth import Ask, check

NOBODY_S = base58(b"\7" * 64)


def fetch(path: Path, *lines: str, code: int = 0) -> str:
    """Run the command over a file of these lines and book what came; what it said."""
    path = path / "signatures.txt"
    path.write_text("\n".join(lines))
    out = StringIO()
    if code:
        with pytest.raises(SystemExit, match=str(code)):
            call_command("backfill", "--signatures", str(path), stdout=out, stderr=out)
    else:
        call_command("backfill", "--signatures", str(path), stdout=out, stderr=out)
    operations.process_until_empty(seconds=20)
    return out.getvalue()


def landed(fake: FakeHelius, losses: int) -> tuple[list[Trade], list[str]]:
    """Trades that the chain has, and their signatures."""
    chain = Chain("by signature", step=1)
    trades = [trade for _ in range(losses) for trade in chain.loss("ann", SOL)]
    fake.chain.land(trades)
    return trades, [base58(trade.signature) for trade in trades]


def test_every_transaction_of_the_file_is_booked_at_its_place(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 3)
    told = fetch(tmp_path, "# a list", "", *signatures, f"{signatures[0]}  # again", "   ")
    assert "6 transactions" in told
    check(ask, trades)
    assert not BackfillSignature.objects.exists()
    assert Backfill.objects.get().finished_at is not None


def test_more_than_a_batch_is_asked_for_in_batches(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 60)
    fetch(tmp_path, *signatures)
    check(ask, trades)
    assert sorted(len(s.body) for s in fake_helius.seen if isinstance(s.body, list)) == [20, 100]


def test_bad_lines_are_listed_and_the_rest_goes_on(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 1)
    told = fetch(tmp_path, "nonsense!", signatures[0], "4uQe", "", signatures[1], code=1)
    assert "line 1: 'nonsense!' is not base58" in told
    assert "line 3: '4uQe' is 3 bytes in base58, 64 expected" in told
    check(ask, trades)


def test_what_no_node_knows_is_listed_and_not_asked_again(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 1)
    told = fetch(tmp_path, *signatures, NOBODY_S)
    assert f"unknown: {NOBODY_S}" in told
    assert "1 unknown to it" in told
    check(ask, trades)
    before = fake_helius.calls("getTransaction")
    harvest.work(seconds=5)
    assert fake_helius.calls("getTransaction") == before
    assert BackfillSignature.objects.get().is_unknown
    assert f"unknown: {NOBODY_S}" in fetch(tmp_path, NOBODY_S)
    assert fake_helius.calls("getTransaction") == before + 1


def test_what_failed_stays_queued_and_is_tried_again(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 2)
    fake_helius.behaviour.fails = lambda rpc: rpc.params[:1] == [signatures[2]]
    told = fetch(tmp_path, *signatures, code=1)
    assert "0 wallets and 1 signatures are still queued (1 of them failed" in told
    check(ask, [*trades[:2], trades[3]])
    fake_helius.behaviour.fails = lambda _rpc: False
    BackfillSignature.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    harvest.work(seconds=5)
    operations.process_until_empty(seconds=20)
    check(ask, trades)


def test_a_block_that_cannot_be_read_keeps_its_transactions_queued(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 3)
    fake_helius.behaviour.fails = lambda rpc: (
        rpc.method == "getBlock" and rpc.params[0] == trades[5].slot
    )
    fetch(tmp_path, *signatures, code=1)
    other = [trade for trade in trades if trade.slot != trades[5].slot]
    check(ask, other)
    fake_helius.behaviour.fails = lambda _rpc: False
    fetch(tmp_path, *signatures)
    check(ask, trades)


def test_a_second_run_goes_on_where_the_first_was_broken_off(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 60)
    asked = []

    def broken_off(rpc: object) -> bool:
        asked.append(rpc)
        return len(asked) > 150

    fake_helius.behaviour.fails = broken_off
    fetch(tmp_path, *signatures, code=1)
    assert 0 < BackfillSignature.objects.count() < len(signatures)
    fake_helius.behaviour.fails = lambda _rpc: False
    call_command("backfill", "--resume", stdout=StringIO())
    operations.process_until_empty(seconds=20)
    check(ask, trades)
    assert not BackfillSignature.objects.exists()
    assert not Backfill.objects.filter(finished_at__isnull=True).exists()


def test_a_whole_batch_that_is_refused_goes_back(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    trades, signatures = landed(fake_helius, 1)
    backfills.start_signatures("test", signatures)
    fake_helius.behaviour.faults = [Fault(429, retry_after="600")]
    harvest.work(seconds=5)
    assert set(BackfillSignature.objects.values_list("attempts", flat=True)) == {1}
    run = Backfill.objects.get()
    assert "getTransaction batch: 429" in run.error
    fetch(tmp_path, *signatures)
    check(ask, trades)


def test_a_file_that_is_not_there_is_named(
    ask: Ask, fake_helius: FakeHelius, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.txt cannot be read"):
        call_command("backfill", "--signatures", str(tmp_path / "nowhere.txt"))
