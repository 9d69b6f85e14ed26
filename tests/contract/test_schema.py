"""The schema describes the API as it is: every real answer fits, and nothing is left out."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from pnl.engine.trades import Trade
from pnl.models import SolPrice
from tests.flow.bodies import SOL, Chain, base58, mint, wallet
from tests.flow.shown import a_life, begin, leave_files_out, show

ANN = base58(wallet("ann"))
NOBODY = base58(wallet("nobody"))
ANSWERED = "application/json"
REFUSED = "application/problem+json"

QUESTIONS = [
    ("/api/v1/leaderboards/{period}/", "/api/v1/leaderboards/all/", 200),
    ("/api/v1/leaderboards/{period}/", "/api/v1/leaderboards/24h/?include=bots&limit=1", 200),
    ("/api/v1/leaderboards/{period}/", "/api/v1/leaderboards/24h/?limit=none", 400),
    ("/api/v1/leaderboards/{period}/", "/api/v1/leaderboards/3d/", 404),
    ("/api/v1/leaderboards/{period}/rank/{address}/", f"/api/v1/leaderboards/7d/rank/{ANN}/", 200),
    ("/api/v1/leaderboards/{period}/rank/{address}/", "/api/v1/leaderboards/7d/rank/x/", 400),
    ("/api/v1/wallets/{address}/", f"/api/v1/wallets/{ANN}/", 200),
    ("/api/v1/wallets/{address}/", "/api/v1/wallets/abc/", 400),
    ("/api/v1/wallets/{address}/", f"/api/v1/wallets/{NOBODY}/", 404),
    ("/api/v1/wallets/{address}/positions/", f"/api/v1/wallets/{ANN}/positions/?limit=1", 200),
    ("/api/v1/wallets/{address}/realizations/", f"/api/v1/wallets/{ANN}/realizations/", 200),
    ("/api/v1/wallets/{address}/trades/", f"/api/v1/wallets/{ANN}/trades/", 200),
    ("/api/v1/wallets/{address}/trades/", f"/api/v1/wallets/{NOBODY}/trades/", 404),
    ("/api/v1/status/", "/api/v1/status/", 200),
    ("/api/v1/status/", "/api/v1/status/?verbose=1", 400),
]


@pytest.fixture(autouse=True)
def _without_files(settings: Settings) -> None:
    leave_files_out(settings)


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(client.get("/api/schema/?format=json").content)
    return answer


@pytest.fixture
def _shown(db: None) -> None:
    """A wallet with something in every list, and one that has only bought with something else."""
    begin()
    chain = Chain("two")
    unpriced: Trade = chain.buy("bob", "coin", 5, 3_517_192)._replace(quote_mint=mint("usdc"))
    show([*a_life("ann"), *chain.loss("bob", SOL), unpriced])
    # Some of these trades have dollars, and some have none.
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    SolPrice.objects.bulk_create(
        SolPrice(minute=minute - timedelta(minutes=ago), micro_usd=150_000_000, source="a test")
        for ago in range(3)
    )


def strict(node: Any) -> Any:
    """As JSON Schema has it: `nullable` is a type, and keys that are not described are wrong."""
    if isinstance(node, list):
        return [strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    inside = {key: strict(value) for key, value in node.items() if key != "nullable"}
    if isinstance(node.get("properties"), dict):
        inside["additionalProperties"] = False
    return {"anyOf": [inside, {"type": "null"}]} if node.get("nullable") is True else inside


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        assert list(methods) == ["get"]
        yield path, methods["get"]


def endpoints(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Every path of the API, as the schema writes it."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from endpoints(entry, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield re.sub(r"<\w+:(\w+)>", r"{\1}", prefix + str(entry.pattern))


def test_the_schema_is_made_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", file="/dev/null")


def test_every_endpoint_is_in_the_schema(schema: dict[str, Any]) -> None:
    found = {path for path in endpoints(get_resolver()) if path.startswith("/api/v1/")}
    assert found == schema["paths"].keys()


def test_every_endpoint_is_asked_here(schema: dict[str, Any]) -> None:
    assert {path for path, _, status in QUESTIONS if status == 200} == schema["paths"].keys()


@pytest.mark.usefixtures("_shown")
@pytest.mark.parametrize(("path", "question", "status"), QUESTIONS)
def test_a_real_answer_fits_its_description(
    client: Client, schema: dict[str, Any], path: str, question: str, status: int
) -> None:
    response = client.get(question)
    assert response.status_code == status
    kind = ANSWERED if status == 200 else REFUSED
    assert response["Content-Type"] == kind
    described = schema["paths"][path]["get"]["responses"][str(status)]["content"][kind]["schema"]
    whole = strict({"components": schema["components"], **described})
    jsonschema.validate(response.json(), whole, jsonschema.Draft202012Validator)


def test_every_endpoint_and_every_parameter_is_explained(schema: dict[str, Any]) -> None:
    for path, operation in operations(schema):
        assert operation["description"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter["name"])


def test_every_refusal_is_described(schema: dict[str, Any]) -> None:
    for path, operation in operations(schema):
        refusals = {"400", "404"} if "{" in path else {"400"}
        assert operation["responses"].keys() == {"200", *refusals}, path
        for status in refusals:
            assert REFUSED in operation["responses"][status]["content"]
            assert operation["responses"][status]["description"]


def test_every_amount_of_money_is_a_string_in_both_units(schema: dict[str, Any]) -> None:
    for name, component in schema["components"]["schemas"].items():
        fields = component.get("properties", {})
        for field, described in fields.items():
            if field.endswith(("_lamports", "_sol")):
                twin = re.sub("_lamports$|_sol$", "", field)
                assert {f"{twin}_lamports", f"{twin}_sol"} <= fields.keys(), (name, field)
                assert described["type"] == "string"
                assert described["pattern"]


def test_every_amount_of_dollars_is_a_string_or_null(schema: dict[str, Any]) -> None:
    found = [
        described
        for component in schema["components"]["schemas"].values()
        for field, described in component.get("properties", {}).items()
        if field.endswith("_usd")
    ]
    assert len(found) == 2
    for described in found:
        assert (described["type"], described["nullable"]) == ("string", True)
        assert described["pattern"]


def test_the_documentation_is_served_from_here(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()
    assert "/api/schema/" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
