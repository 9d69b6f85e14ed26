"""What Helius documents, as JSON schemas: the fake's answers and our questions must both fit."""

from typing import Any

Json = dict[str, Any]

UINT: Json = {"type": "integer", "minimum": 0}
TEXT: Json = {"type": "string"}
KEYS: Json = {"type": "array", "items": {"type": "string", "pattern": "^[1-9A-HJ-NP-Za-km-z]+$"}}
ADDRESSES: Json = {**KEYS, "maxItems": 100_000}
WEBHOOK_TYPE: Json = {
    "enum": ["enhanced", "raw", "discord", "enhancedDevnet", "rawDevnet", "discordDevnet"]
}
DRAFT_FIELDS: Json = {
    "webhookURL": {"type": "string", "pattern": "^https://"},
    "transactionTypes": {"type": "array", "items": TEXT},
    "accountAddresses": ADDRESSES,
    "webhookType": WEBHOOK_TYPE,
    "authHeader": TEXT,
    "encoding": TEXT,
    "txnStatus": {"enum": ["all", "success", "failed"]},
}
DRAFT = {
    "type": "object",
    "properties": DRAFT_FIELDS,
    # A PUT that leaves one of these out loses it.
    "required": [*(name for name in DRAFT_FIELDS if name != "encoding")],
    "additionalProperties": False,
}
SWITCH = {
    "type": "object",
    "properties": {"active": {"type": "boolean"}},
    "required": ["active"],
    "additionalProperties": False,
}
WEBHOOK = {
    "type": "object",
    "properties": {
        **DRAFT_FIELDS,
        "webhookID": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
        "wallet": TEXT,
        "active": {"type": "boolean"},
    },
    "required": ["webhookID", "wallet", "webhookURL", "accountAddresses", "webhookType"],
    "additionalProperties": False,
}

INSTRUCTION = {
    "type": "object",
    "properties": {
        "accounts": {"type": "array", "items": UINT},
        "data": TEXT,
        "programIdIndex": UINT,
        "stackHeight": {"type": ["integer", "null"]},
    },
    "required": ["accounts", "data", "programIdIndex"],
    "additionalProperties": False,
}
INSTRUCTIONS: Json = {"type": "array", "items": INSTRUCTION}
INNER = {
    "type": "object",
    "properties": {"index": UINT, "instructions": INSTRUCTIONS},
    "required": ["index", "instructions"],
    "additionalProperties": False,
}
LAMPORTS: Json = {"type": "array", "items": UINT}
META = {
    "type": "object",
    "properties": {
        "err": {"type": ["object", "null"]},
        "fee": UINT,
        "innerInstructions": {"type": "array", "items": INNER},
        "loadedAddresses": {
            "type": "object",
            "properties": {"writable": KEYS, "readonly": KEYS},
            "required": ["writable", "readonly"],
        },
        "logMessages": {"type": "array", "items": TEXT},
        "preBalances": LAMPORTS,
        "postBalances": LAMPORTS,
        "preTokenBalances": {"type": "array"},
        "postTokenBalances": {"type": "array"},
        "rewards": {"type": "array"},
    },
}
META["required"] = list(META["properties"])
MESSAGE = {
    "type": "object",
    "properties": {
        "accountKeys": KEYS,
        "header": {"type": "object"},
        "instructions": INSTRUCTIONS,
        "addressTableLookups": {"type": ["array", "null"]},
        "recentBlockhash": TEXT,
    },
    "required": ["accountKeys", "header", "instructions", "recentBlockhash"],
}
TRANSACTION_FIELDS: Json = {
    "slot": UINT,
    "blockTime": {"type": ["integer", "null"]},
    "version": {"enum": [0, "legacy"]},
    "meta": META,
    "transaction": {
        "type": "object",
        "properties": {"message": MESSAGE, "signatures": {**KEYS, "minItems": 1}},
        "required": ["message", "signatures"],
    },
}
# The place in the block has another name, or none, in each of the three.
RAW_ELEMENT = {
    "type": "object",
    "properties": {**TRANSACTION_FIELDS, "indexWithinBlock": UINT},
    "required": ["blockTime", "slot", "meta", "transaction"],
    "additionalProperties": False,
}
RAW_BODY: Json = {"type": "array", "items": RAW_ELEMENT}
GET_TRANSACTION = {
    "type": ["object", "null"],
    "properties": TRANSACTION_FIELDS,
    "required": ["slot", "blockTime", "meta", "transaction"],
    "additionalProperties": False,
}
PAGE_ELEMENT = {
    "type": "object",
    "properties": {**TRANSACTION_FIELDS, "transactionIndex": UINT},
    "required": ["slot", "blockTime", "meta", "transaction", "transactionIndex"],
    "additionalProperties": False,
}
TOKEN = {"type": ["string", "null"], "pattern": "^[0-9]+:[0-9]+$"}
PAGE = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": PAGE_ELEMENT, "maxItems": 1000},
        "paginationToken": TOKEN,
    },
    "required": ["data", "paginationToken"],
    "additionalProperties": False,
}
STATUS = {
    "type": ["object", "null"],
    "properties": {
        "slot": UINT,
        "confirmations": {"type": ["integer", "null"]},
        "err": {"type": ["object", "null"]},
        "confirmationStatus": {"enum": ["processed", "confirmed", "finalized", None]},
    },
    "required": ["slot", "confirmations", "err", "confirmationStatus"],
}
RESULTS: dict[str, Json] = {
    "getSlot": UINT,
    "getTransactionsForAddress": PAGE,
    "getTransaction": GET_TRANSACTION,
    "getBlock": {
        "type": ["object", "null"],
        "properties": {"signatures": KEYS, "blockTime": {"type": ["integer", "null"]}},
        "required": ["signatures", "blockTime", "blockhash", "parentSlot", "previousBlockhash"],
    },
    "getSignatureStatuses": {
        "type": "object",
        "properties": {
            "context": {"type": "object", "required": ["slot"]},
            "value": {"type": "array", "items": STATUS, "maxItems": 256},
        },
        "required": ["context", "value"],
    },
}

COMMITMENT = {"enum": ["confirmed", "finalized"]}
BOUNDS = {
    "type": "object",
    "properties": dict.fromkeys(("gte", "gt", "lte", "lt", "eq"), UINT),
    "additionalProperties": False,
}
ENCODING = {"enum": ["json", "jsonParsed", "base58", "base64"]}
VERSION = {"const": 0}


def options(**properties: Json) -> Json:
    """An object of these fields and no other; one that ends in _ must be there."""
    fields = {name.rstrip("_"): shape for name, shape in properties.items()}
    required = [name.rstrip("_") for name in properties if name.endswith("_")]
    return {
        "type": "object",
        "properties": fields,
        "required": required,
        "additionalProperties": False,
    }


def params(*shapes: Json) -> Json:
    """The parameters by position."""
    return {"type": "array", "prefixItems": list(shapes), "items": False, "minItems": 1}


PARAMS: dict[str, Json] = {
    "getSlot": params(options(commitment_=COMMITMENT)),
    "getTransactionsForAddress": params(
        TEXT,
        options(
            transactionDetails_={"enum": ["signatures", "full"]},
            sortOrder_={"enum": ["asc", "desc"]},
            commitment_=COMMITMENT,
            limit_={"type": "integer", "minimum": 1, "maximum": 100},
            paginationToken=TOKEN,
            minContextSlot=UINT,
            encoding_=ENCODING,
            maxSupportedTransactionVersion_=VERSION,
            filters_=options(
                slot=BOUNDS,
                blockTime=BOUNDS,
                status={"enum": ["succeeded", "failed", "any"]},
                tokenAccounts={"enum": ["none", "balanceChanged", "all"]},
            ),
        ),
    ),
    "getTransaction": params(
        TEXT,
        options(
            commitment_=COMMITMENT, encoding_=ENCODING, maxSupportedTransactionVersion_=VERSION
        ),
    ),
    "getBlock": params(
        UINT,
        options(
            commitment_=COMMITMENT,
            transactionDetails_={"enum": ["full", "accounts", "signatures", "none"]},
            rewards_={"type": "boolean"},
            maxSupportedTransactionVersion_=VERSION,
        ),
    ),
    "getSignatureStatuses": params(
        {**KEYS, "maxItems": 256}, options(searchTransactionHistory_={"const": True})
    ),
}
