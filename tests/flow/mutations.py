"""Bodies that nearly are what they should be: real ones, harmed in bytes or in JSON by a seed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.flow.bodies import Chain, body_of

NASTY: tuple[Any, ...] = (
    *(None, True, "", [], {}, -1, 0, 1.5, 2**31, 2**53, 2**63, 2**64, -(2**63), 1e308),
    *("x" * 3000, "\0", "0", "☃", "1" * 88, [[]], {"": None}, [None] * 50),
)


def own_bodies(dice: Random) -> list[bytes]:
    """Sound bodies of a few trades."""
    trades = Chain("to be harmed").at_random(dice, 40)
    return [body_of(trades[at : at + 1 + at % 3]) for at in range(0, 36, 3)]


def recorded_bodies(folder: Path) -> list[bytes]:
    """Recorded transactions as webhooks bring them: one body each, an RPC answer as its result."""
    found = []
    for path in sorted([*folder.glob("raw_tx/*.json"), *folder.glob("helius_enhanced/*.json")]):
        content = json.loads(path.read_bytes())
        if isinstance(content, dict):
            content = [content.get("result", content)]
        found.append(json.dumps(content[:4]).encode())
    return found


def harmed(sound: Sequence[bytes], dice: Random, count: int) -> Iterator[bytes]:
    """So many bodies, each harmed once or a few times in one of two ways, or mere noise."""
    for _ in range(count):
        body = dice.choice(sound)
        way = dice.choice((_in_bytes, _in_bytes, _in_json, _in_json, _in_json, _noise))
        for _ in range(dice.choice((1, 1, 2, 5))):
            body = way(body, dice)
        yield body


def _noise(_: bytes, dice: Random) -> bytes:
    return dice.choice((b"[", b"{", b"[{", b"")) + dice.randbytes(dice.randrange(300))


def _in_bytes(body: bytes, dice: Random) -> bytes:
    """Cut, doubled, overwritten or enlarged somewhere."""
    start = dice.randrange(len(body) + 1)
    end = min(len(body), start + dice.choice((1, 2, 8, 500)))
    part = dice.choice((b"", body[start:end] * 2, dice.randbytes(end - start), b"[" * 2000, b'"'))
    return body[:start] + part + body[end:] if dice.random() < 0.8 else body[:start]


def _in_json(body: bytes, dice: Random) -> bytes:
    """One value replaced by a nasty one, taken out, or put in a second time."""
    try:
        content = json.loads(body)
    except ValueError:
        return _in_bytes(body, dice)
    holder = content
    while isinstance(holder, dict | list) and holder:
        key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        inside = holder[key]
        if not isinstance(inside, dict | list) or not inside or dice.random() < 0.15:
            _harm(holder, key, dice)
            break
        holder = inside
    return json.dumps(content).encode()


def _harm(holder: Any, key: Any, dice: Random) -> None:
    choice = dice.randrange(4)
    if choice == 0:
        del holder[key]
    elif choice == 1 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = dice.choice(NASTY)
