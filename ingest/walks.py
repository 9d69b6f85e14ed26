"""One step of a walk over a trader's finalized transactions: a page, compared with the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from django.conf import settings

from ingest import gaps, verdicts
from ingest.gaps import Difference, Place
from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import Rpc, Stretch
from ingest.helius.shapes import AddressPage, ChainTransaction, Placed, element_of, read
from ingest.models import BackfillPage
from pnl.fields import SIGNATURE_BYTES, base58_bytes

# At 250 ms a slot; the chain has been slower so far, so that a day is at least a day.
_SLOTS_A_DAY: Final = 86_400 * 4
_CALL: Final = "getTransactionsForAddress"
# Walked again below the watermark: a quarter of an hour of slots, because what waits in the inbox
# meanwhile is booked behind the walk, and only a walk sees that the chain has dropped it. What
# waits longer is remembered (`ingest.latecomers`).
OVERLAP_SLOTS: Final = 3_600
# Each costs a few calls, and a step is never interrupted: what it may ask for bounds it.
JUDGED_MAX: Final = 500

Position = tuple[int, int]  # slot, block index


class Step(NamedTuple):
    """A page and what follows from it; `token` is where the next one begins."""

    elements: list[bytes]
    difference: Difference
    dropped: list[Place]
    token: str
    reached_slot: int
    tail: list[str]
    last: Position | None
    is_last: bool


def take(rpc: Rpc, page: BackfillPage, address: str) -> Step:
    """Fetch the page and compare it; nothing is written. Raises HeliusProblem when a call fails."""
    _begin(rpc, page)
    stretch = Stretch(page.from_slot or 0, page.until_slot or 0, page.token)
    got = rpc.transactions_of(address, stretch)
    _check(got, stretch)
    reached = max([page.reached_slot or 0, *(transaction.slot for transaction in got.data)])
    # What stands at the page's last slot may go on in the next page: that slot is not complete.
    complete = stretch.until_slot if not got.pagination_token else reached - 1
    missing = _unseen(page, complete, [*page.tail, *(each.signature for each in got.data)])
    cut = _cut(missing)
    if cut is not None:
        return _a_part(rpc, page, [place for place in missing if place.slot < cut], cut)
    verdict = verdicts.judge(rpc, missing, final_slot=stretch.until_slot)
    elements = [*map(element_of, got.data), *verdict.landed]
    difference = gaps.difference(body_of(elements))
    return Step(
        elements,
        difference,
        dropped=sorted({*difference.moved, *verdict.dropped}),
        token=got.pagination_token or "",
        reached_slot=reached,
        tail=_tail(page, reached, got.data),
        last=_last(page, got.data),
        is_last=not got.pagination_token,
    )


def bodies_of(elements: Iterable[bytes], *, bytes_max: int) -> Iterator[bytes]:
    """Raw bodies of the elements, none larger than the bound unless one element is."""
    batch: list[bytes] = []
    size = 0
    for element in elements:
        if batch and size + len(element) > bytes_max:
            yield body_of(batch)
            batch, size = [], 0
        batch.append(element)
        size += len(element) + 1
    if batch:
        yield body_of(batch)


def body_of(elements: Iterable[bytes]) -> bytes:
    """One raw body of all the elements."""
    return b"[" + b",".join(elements) + b"]"


def places_of(elements: Iterable[bytes]) -> list[Place]:
    """Where the elements stand. Raises HeliusProblem where one has no signature."""
    placed = [read("a transaction", element, Placed) for element in elements]
    return [
        Place(base58_bytes(each.transaction.signatures[0], SIGNATURE_BYTES), each.slot)
        for each in placed
    ]


def _begin(rpc: Rpc, page: BackfillPage) -> None:
    """Fix both ends of a walk that has not begun: it ends at what is final now."""
    if page.until_slot is not None:
        return
    finalized = rpc.finalized_slot()
    begins = _history_slot(finalized) if page.from_slot is None else page.from_slot
    page.from_slot = begins if page.begin_by_slot is None else min(begins, page.begin_by_slot)
    page.begin_by_slot = None
    page.until_slot = max(finalized, page.from_slot)
    page.reached_slot = page.from_slot


def _history_slot(finalized: int) -> int:
    """Where the first walk of a wallet begins."""
    days = settings.HELIUS_HISTORY_DAYS
    return max(0, finalized - days * _SLOTS_A_DAY) if days else 0


def _check(got: AddressPage, stretch: Stretch) -> None:
    """Refuse a page that a walk could not go on from, or would never come back from."""
    if got.pagination_token and got.pagination_token == stretch.token:
        raise HeliusProblem(_CALL, 200, f"the page after {stretch.token} begins at itself")
    outside = [t.slot for t in got.data if not stretch.from_slot <= t.slot <= stretch.until_slot]
    if outside:
        reason = f"slot {outside[0]} outside of {stretch.from_slot} to {stretch.until_slot}"
        raise HeliusProblem(_CALL, 200, reason)


def _unseen(page: BackfillPage, complete: int, walked: Sequence[str]) -> list[Place]:
    """What the ledger has of the stretch that is complete now, and the walk has not brought."""
    keys = {base58_bytes(signature, SIGNATURE_BYTES) for signature in walked}
    return gaps.unseen(page.trader_id, (page.reached_slot or 0, complete), keys)


def _cut(missing: Sequence[Place]) -> int | None:
    """The slot up to which as many are missing as one step judges; None if that is all."""
    if len(missing) <= JUDGED_MAX or missing[JUDGED_MAX].slot == missing[0].slot:
        return None
    return missing[JUDGED_MAX].slot


def _a_part(rpc: Rpc, page: BackfillPage, missing: Sequence[Place], cut: int) -> Step:
    """Only judge, up to a slot; the page is taken again for the rest.

    A wallet may have traded for ever through a router that no walk finds it under.
    """
    verdict = verdicts.judge(rpc, missing, final_slot=page.until_slot or 0)
    return Step(
        verdict.landed,
        gaps.NO_DIFFERENCE,
        dropped=sorted(verdict.dropped),
        token=page.token,
        reached_slot=cut,
        tail=[],
        last=None,
        is_last=False,
    )


def _tail(page: BackfillPage, reached: int, got: Sequence[ChainTransaction]) -> list[str]:
    """The signatures of the slot that the walk has reached: the next page may have more of it."""
    before = page.tail if page.reached_slot == reached else []
    return [*before, *(t.signature for t in got if t.slot == reached)]


def _last(page: BackfillPage, got: Sequence[ChainTransaction]) -> Position | None:
    """The place of the page's last transaction; None where the pages do not follow the chain."""
    places = [(t.slot, -1 if t.transaction_index is None else t.transaction_index) for t in got]
    follows = places == sorted(places) and bool(places) and places[0][0] >= (page.reached_slot or 0)
    return places[-1] if follows and places[-1][1] >= 0 else None
