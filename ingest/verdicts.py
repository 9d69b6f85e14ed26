"""Judges transactions that the ledger has and a finalized walk has not: dropped, or elsewhere.

A walk by wallet sees what has the wallet among its keys. A trade that a router made for it need not
be there, and is as real as any other: only the chain's own word on the signature drops a trade.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ingest import fetches
from ingest.gaps import Place
from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import BATCH_MAX, STATUSES_MAX, Rpc
from ingest.helius.shapes import Asked, SignatureStatus, element_of
from pnl.fields import base58_text

_CALL: Final = "getTransaction"


class Verdict(NamedTuple):
    """The places that the chain has dropped, and raw elements of what it has at others."""

    dropped: list[Place]
    landed: list[bytes]


def judge(rpc: Rpc, missing: Sequence[Place], *, final_slot: int) -> Verdict:
    """Ask for each place, at or below the finalized slot. Raises HeliusProblem if nobody answers.

    What is not final yet, or final at the same slot, is left as it is. A status may have been
    forgotten, so that the finalized transaction itself is the second witness; where the two
    contradict each other, that is a HeliusProblem, too.
    """
    verdict = Verdict([], [])
    statuses = _statuses(rpc, missing, final_slot)
    gone = [(place, told) for place, told in statuses if told is None or _is_gone(told, place)]
    for at in range(0, len(gone), BATCH_MAX):
        places = gone[at : at + BATCH_MAX]
        asked = rpc.transactions([base58_text(place.signature) for place, _ in places])
        for place, status in places:
            _settle(rpc, place, status, asked[base58_text(place.signature)], verdict)
    return verdict


def _statuses(
    rpc: Rpc, missing: Sequence[Place], final_slot: int
) -> Iterator[tuple[Place, SignatureStatus | None]]:
    for at in range(0, len(missing), STATUSES_MAX):
        places = missing[at : at + STATUSES_MAX]
        keys = [base58_text(place.signature) for place in places]
        yield from zip(places, rpc.statuses(keys, least_slot=final_slot), strict=True)


def _is_gone(status: SignatureStatus, place: Place) -> bool:
    """Whether the chain has for good made something else of this signature."""
    return status.is_final and (status.has_failed or status.slot != place.slot)


def _settle(
    rpc: Rpc, place: Place, status: SignatureStatus | None, asked: Asked, verdict: Verdict
) -> None:
    found = asked.transaction
    if asked.error:
        raise HeliusProblem(_CALL, 200, asked.error)
    if found is None and status is not None and not status.has_failed:
        # Dropping it now would lose what landed elsewhere: no walk need ever bring that.
        reason = f"nothing of {base58_text(place.signature)}, final at slot {status.slot}"
        raise HeliusProblem(_CALL, 200, reason)
    if found is None or found.has_failed:
        verdict.dropped.append(place)
    elif found.slot != place.slot:
        verdict.dropped.append(place)
        verdict.landed.append(element_of(found, fetches.place_of(rpc, found)))
