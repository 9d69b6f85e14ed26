"""A transaction written once for its shape and filled in a thousand times.

A `Script` says who signs, which programs are called with which accounts, what they log and which
token balances appear. Accounts that differ between transactions of a shape are roles ("@user0").
`template` turns a script into one JSON text with %-slots; filling it is a single `%`, which is what
makes thousands of transactions a second possible in Python.

Slots of a role "@x": `@x` its address, `pre@x` and `post@x` its lamports. Slots of a token line:
`had@x`, `has@x`, each a whole `uiTokenAmount` object. Everywhere: `time`, `slot`, `index`,
`blockhash`, `signatures`, `fee`, `table`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ingest.decode import programs
from ingest.market import chain

# What accounts of the real chain hold; their balance is beside the point but never zero.
_CONSTANT_LAMPORTS: Final = 1_141_440
# Programs built into the validator do not report compute units.
_SILENT: Final = frozenset({chain.SYSTEM, chain.COMPUTE_BUDGET})
_UNITS_USED: Final = {
    programs.PUMP: 73_121,
    programs.PUMP_SWAP: 96_204,
    chain.SPL_2022: 2_562,
    chain.SPL: 6_147,
    chain.PUMP_FEES: 3_302,
    chain.ASSOCIATED: 18_616,
}
_EVENT_UNITS: Final = 2_125


class Call(NamedTuple):
    """One instruction: base58 `data` (or a slot), and what happens inside, in order of execution.

    A string in `body` is a log line, a Call is an inner instruction.
    """

    program: str
    accounts: tuple[str, ...]
    data: str
    body: tuple["Call | str", ...] = ()


class TokenLine(NamedTuple):
    """A token account whose balance is listed; `before` and `after` say when it exists."""

    account: str
    mint: str
    owner: str
    program: str
    before: bool = True
    after: bool = True


class Script(NamedTuple):
    """A transaction of one shape. The first signer pays the fee."""

    signers: tuple[str, ...]
    calls: tuple[Call, ...]
    tokens: tuple[TokenLine, ...] = ()
    lookup: bool = False
    version: str = "0"
    error: str = "null"
    ending: tuple[str, ...] = ()  # log lines of the failure


class Keys(NamedTuple):
    """The accounts of a transaction in the order of their indexes."""

    signers: tuple[str, ...]
    static: tuple[str, ...]
    constants: tuple[str, ...]
    loaded: tuple[str, ...]

    @property
    def own(self) -> tuple[str, ...]:
        """What the message itself lists."""
        return self.signers + self.static + self.constants

    @property
    def all(self) -> tuple[str, ...]:
        """The index space of instructions and balances."""
        return self.own + self.loaded


def template(script: Script) -> str:
    """The JSON text of the shape, with %-slots."""
    keys = _keys(script)
    index = {key: place for place, key in enumerate(keys.all)}
    return (
        '{"blockTime":%(time)d,"indexWithinBlock":%(index)d,"meta":'
        + _meta(script, keys, index)
        + ',"slot":%(slot)d,"transaction":{"message":'
        + _message(script, keys, index)
        + ',"signatures":[%(signatures)s]},"version":'
        + script.version
        + "}"
    )


def slots(script: Script) -> tuple[str, ...]:
    """The roles of a script in index order: what a filler must name and give balances of."""
    return tuple(key for key in _keys(script).all if key.startswith("@"))


def _keys(script: Script) -> Keys:
    seen: dict[str, None] = {}
    for call in script.calls:
        for key in _touched(call):
            seen.setdefault(key)
    called = {call.program for call in script.calls}
    roles = tuple(key for key in seen if key.startswith("@") and key not in script.signers)
    constants = tuple(key for key in seen if not key.startswith("@"))
    loaded = tuple(key for key in constants if script.lookup and key not in called)
    static = tuple(key for key in constants if key not in loaded)
    return Keys(script.signers, roles, static, loaded)


def _touched(call: Call) -> Iterator[str]:
    yield from call.accounts
    yield call.program
    for inner in _inner_calls(call):
        yield from _touched(inner)


def _inner_calls(call: Call) -> Iterator[Call]:
    return (item for item in call.body if isinstance(item, Call))


def _meta(script: Script, keys: Keys, index: Mapping[str, int]) -> str:
    lines = sorted(script.tokens, key=lambda line: index[line.account])
    return (
        f'{{"err":{script.error},"fee":%(fee)d,"innerInstructions":[{_inner(script, index)}],'
        f'"loadedAddresses":{{"readonly":{_addresses(keys.loaded)},"writable":[]}},'
        f'"logMessages":{_quoted(_logs(script))},'
        f'"postBalances":[{_lamports("post", keys)}],'
        f'"postTokenBalances":[{_token_lines("has", lines, index)}],'
        f'"preBalances":[{_lamports("pre", keys)}],'
        f'"preTokenBalances":[{_token_lines("had", lines, index)}],"rewards":[]}}'
    )


def _message(script: Script, keys: Keys, index: Mapping[str, int]) -> str:
    called = ",".join(_instruction(call, index) for call in script.calls)
    return (
        f'{{"accountKeys":{_addresses(keys.own)},"addressTableLookups":{_lookups(script, keys)},'
        f'"header":{{"numReadonlySignedAccounts":0,'
        f'"numReadonlyUnsignedAccounts":{len(keys.constants)},'
        f'"numRequiredSignatures":{len(keys.signers)}}},'
        f'"instructions":[{called}],"recentBlockhash":"%(blockhash)s"}}'
    )


def _lookups(script: Script, keys: Keys) -> str:
    if script.version != "0":
        return "null"
    if not keys.loaded:
        return "[]"
    places = ",".join(str(place * 3 % 41) for place in range(len(keys.loaded)))
    return f'[{{"accountKey":"%(table)s","readonlyIndexes":[{places}],"writableIndexes":[]}}]'


def _instruction(call: Call, index: Mapping[str, int], height: int | None = None) -> str:
    accounts = ",".join(str(index[key]) for key in call.accounts)
    tall = "null" if height is None else height
    return (
        f'{{"accounts":[{accounts}],"data":"{call.data}",'
        f'"programIdIndex":{index[call.program]},"stackHeight":{tall}}}'
    )


def _inner(script: Script, index: Mapping[str, int]) -> str:
    groups = (
        (place, ",".join(_descend(call, index, 2)))
        for place, call in enumerate(script.calls)
        if any(_inner_calls(call))
    )
    return ",".join(f'{{"index":{place},"instructions":[{inner}]}}' for place, inner in groups)


def _descend(call: Call, index: Mapping[str, int], height: int) -> Iterator[str]:
    for inner in _inner_calls(call):
        yield _instruction(inner, index, height)
        yield from _descend(inner, index, height + 1)


def _logs(script: Script) -> list[str]:
    lines = [line for call in script.calls for line in _logged(call, 1)]
    if not script.ending:
        return lines
    # The failing instruction is the last one: its success becomes the failure.
    return lines[:-1] + list(script.ending)


def _logged(call: Call, height: int) -> Iterator[str]:
    yield f"Program {_slot(call.program)} invoke [{height}]"
    for item in call.body:
        if isinstance(item, Call):
            yield from _logged(item, height + 1)
        else:
            yield item
    if call.program not in _SILENT:
        used = _UNITS_USED.get(call.program, 21_871) if call.body else _EVENT_UNITS
        left = 200_000 - 9_137 * height
        yield f"Program {_slot(call.program)} consumed {used} of {left} compute units"
    yield f"Program {_slot(call.program)} success"


def _quoted(lines: list[str]) -> str:
    return json.dumps(lines, separators=(",", ":"))


def _slot(key: str) -> str:
    return f"%({key})s" if key.startswith("@") else key


def _addresses(keys: tuple[str, ...]) -> str:
    return "[" + ",".join(f'"{_slot(key)}"' for key in keys) + "]"


def _lamports(when: str, keys: Keys) -> str:
    return ",".join(
        f"%({when}{key})d" if key.startswith("@") else str(_CONSTANT_LAMPORTS) for key in keys.all
    )


def _token_lines(when: str, lines: list[TokenLine], index: Mapping[str, int]) -> str:
    shown = [line for line in lines if (line.before if when == "had" else line.after)]
    return ",".join(
        f'{{"accountIndex":{index[line.account]},"mint":"{_slot(line.mint)}",'
        f'"owner":"{_slot(line.owner)}","programId":"{line.program}",'
        f'"uiTokenAmount":%({when}{line.account})s}}'
        for line in shown
    )
