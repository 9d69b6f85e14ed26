"""Remembers what was booked long after it had happened: the next walk of its wallet begins there.

A walk looks OVERLAP_SLOTS behind the watermark. What waited longer in the inbox may be booked
further behind, and if the chain has dropped it meanwhile, no walk would ever see that.

What counts as late is told by the clock, not by the watermark: a walk may move that one while a
batch is under way, unseen by it. What is younger than LATE_SECONDS when it is booked is still
within the overlap when its batch commits. So the batches of every day write nothing, compare no
watermarks and wait for nobody. What comes by the backfill is final, and nobody's to judge again.
"""

import time
from collections.abc import Iterable
from typing import Final

from django.db import connection

from ingest.readings import Reading
from pnl import rows

# A third of the overlap: a batch may take the rest of it until it commits.
LATE_SECONDS: Final = 300

# Nobody looks after wallets that are neither watched nor walked: their first walk goes far back.
NOTE = """
INSERT INTO ingest_latecomer AS l (trader_id, slot)
SELECT t.id, min(v.slot)
  FROM unnest(%b::int8[], %b::bytea[], %b::int8[]) AS v(delivery_id, address, slot)
  JOIN ingest_delivery d ON d.id = v.delivery_id AND d.door <> 'backfill'
  JOIN pnl_trader t ON t.address = v.address
 WHERE t.watched OR EXISTS (SELECT FROM ingest_watermark w WHERE w.trader_id = t.id)
 GROUP BY t.id ORDER BY t.id
    ON CONFLICT (trader_id) DO UPDATE SET slot = excluded.slot WHERE l.slot > excluded.slot
"""
# A batch that is lowering the row ends first; one that has not made it yet leaves it for later.
TAKE = "DELETE FROM ingest_latecomer WHERE trader_id = %s RETURNING slot"


def note(readings: Iterable[Reading]) -> None:
    """Note the lowest late slot of each trader, in the transaction that books these readings."""
    late_before = time.time() - LATE_SECONDS
    lowest: dict[tuple[int, bytes], int] = {}
    for reading in readings:
        for trade in reading.trades:
            if trade.block_time < late_before:
                key = (reading.delivery_id, trade.trader)
                lowest[key] = min(trade.slot, lowest.get(key, trade.slot))
    rows.write(NOTE, [(*key, slot) for key, slot in lowest.items()])


def take(trader_id: int) -> int | None:
    """Take what was noted of a trader; None if nothing was. It is the caller's walk's from then on.

    What was noted has been booked: the walk that compares after the caller's commit sees it.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [trader_id])
        found = cursor.fetchone()
    return None if found is None else int(found[0])
