"""Writing what the programs tell of tokens: names, creator, completion, pool."""

from collections.abc import Collection, Iterable

from pnl import interning, rows
from pnl.engine.tokens import TokenEvent, together
from pnl.engine.trades import Trade

LOCK_TOKENS = """
SELECT mint, name, symbol, uri, creator, extract(epoch FROM created_at)::int8,
       extract(epoch FROM completed_at)::int8, extract(epoch FROM migrated_at)::int8, pool
  FROM pnl_token WHERE id = ANY(%b::int8[]) ORDER BY id FOR UPDATE
"""
UPDATE_TOKENS = """
UPDATE pnl_token t
   SET name = v.name, symbol = v.symbol, uri = v.uri, creator = v.creator,
       created_at = to_timestamp(v.created_at), completed_at = to_timestamp(v.completed_at),
       migrated_at = to_timestamp(v.migrated_at), pool = v.pool
  FROM unnest(%b::bytea[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::int8[],
              %b::int8[], %b::int8[], %b::bytea[])
    AS v(mint, name, symbol, uri, creator, created_at, completed_at, migrated_at, pool)
 WHERE t.mint = v.mint
"""


def record_tokens(events: Collection[TokenEvent], *, beside: Collection[Trade]) -> None:
    """Add to what is known of tokens, in the caller's transaction; events may come in any order.

    `beside` are the trades that the same transaction books next. Whatever is new in both is
    interned here in the booking's own order (wallets, then mints), so that two bookings never wait
    for each other.
    """
    if not events:
        return
    told = _by_mint(events)
    interning.trader_ids({trade.trader for trade in beside})
    quotes = {trade.quote_mint for trade in beside if trade.quote_mint is not None}
    ids = interning.token_ids({*told, *quotes, *(trade.mint for trade in beside)})
    known = _locked([ids[mint] for mint in told])
    merged = [together(known[mint], event) for mint, event in sorted(told.items())]
    rows.write(UPDATE_TOKENS, [token for token in merged if token != known[token.mint]])


def _by_mint(events: Iterable[TokenEvent]) -> dict[bytes, TokenEvent]:
    told: dict[bytes, TokenEvent] = {}
    for event in events:
        known = told.get(event.mint)
        told[event.mint] = event if known is None else together(known, event)
    return told


def _locked(ids: Collection[int]) -> dict[bytes, TokenEvent]:
    with rows.cursor() as raw:
        found = raw.execute(LOCK_TOKENS, [sorted(ids)]).fetchall()
    return {row[0]: TokenEvent(*row) for row in found}
