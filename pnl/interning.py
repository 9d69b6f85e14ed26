"""Wallets and mints become small integers once, and every process remembers them.

An id is remembered only after its transaction has committed: a row that was rolled back must not
leave its id behind in a process that will book under it.
"""

from collections.abc import Callable, Collection
from functools import partial

from django.db import transaction

from pnl import rows
from pnl.engine.agents import MAYHEM_AGENT_BYTES

# About 100 MB of keys at most; then the process starts to remember anew.
REMEMBERED_MAX = 500_000

Ids = dict[bytes, int]

FIND_TRADERS = "SELECT address, id FROM pnl_trader WHERE address = ANY(%b::bytea[])"
FIND_TOKENS = "SELECT mint, id FROM pnl_token WHERE mint = ANY(%b::bytea[])"
ADD_TRADERS = """
INSERT INTO pnl_trader (address, kind)
SELECT address, CASE WHEN address = %b THEN 'agent' ELSE 'person' END
  FROM unnest(%b::bytea[]) AS k(address) ORDER BY address
    ON CONFLICT (address) DO NOTHING
"""
ADD_TOKENS = """
INSERT INTO pnl_token (mint) SELECT mint FROM unnest(%b::bytea[]) AS k(mint) ORDER BY mint
    ON CONFLICT (mint) DO NOTHING
"""

_traders: Ids = {}
_tokens: Ids = {}


def trader_ids(addresses: Collection[bytes]) -> Ids:
    """The ids of wallets, interning the new ones."""
    return _intern(_traders, addresses, FIND_TRADERS, _add_traders)


def token_ids(mints: Collection[bytes]) -> Ids:
    """The ids of mints, interning the new ones."""
    return _intern(_tokens, mints, FIND_TOKENS, _add_tokens)


def forget() -> None:
    """Drop what the process remembers: for whoever replaces the database under it."""
    _traders.clear()
    _tokens.clear()


def _intern(
    remembered: Ids, keys: Collection[bytes], find: str, add: Callable[[list[bytes]], None]
) -> Ids:
    ids = {key: remembered[key] for key in keys if key in remembered}
    unknown = [key for key in keys if key not in ids]
    if unknown:
        found = _find(find, unknown)
        missing = [key for key in unknown if key not in found]
        if missing:
            add(missing)
            found |= _find(find, missing)
        transaction.on_commit(partial(_remember, remembered, found))
        ids |= found
    return ids


def _find(statement: str, keys: list[bytes]) -> Ids:
    with rows.cursor() as raw:
        return {bytes(key): pk for key, pk in raw.execute(statement, [keys]).fetchall()}


def _add_traders(addresses: list[bytes]) -> None:
    with rows.cursor() as raw:
        raw.execute(ADD_TRADERS, [MAYHEM_AGENT_BYTES, addresses])


def _add_tokens(mints: list[bytes]) -> None:
    with rows.cursor() as raw:
        raw.execute(ADD_TOKENS, [mints])


def _remember(remembered: Ids, found: Ids) -> None:
    if len(remembered) + len(found) > REMEMBERED_MAX:
        remembered.clear()
    remembered.update(found)
