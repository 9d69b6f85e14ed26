"""A configuration that Helius could not work with is told before it does harm."""

import pytest
from pytest_django.fixtures import Settings

from pumploss.checks import helius_access

WORKING = {
    "HELIUS_API_KEY": "a-key",
    "PUBLIC_URL": "https://losers.example",
    "HELIUS_API_URL": "https://api.example",
    "HELIUS_RPC_URL": "https://rpc.example",
}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"HELIUS_API_KEY": "", "PUBLIC_URL": ""}, []),
        ({"HELIUS_API_KEY": ""}, ["pumploss.W002"]),
        ({"PUBLIC_URL": ""}, ["pumploss.W003"]),
        ({"PUBLIC_URL": "http://losers.example"}, ["pumploss.E004"]),
        ({"PUBLIC_URL": "losers.example"}, ["pumploss.E004"]),
        ({"PUBLIC_URL": "https://losers.example/webhooks"}, ["pumploss.E004"]),
        ({"HELIUS_RPC_URL": "http://rpc.example"}, ["pumploss.E005"]),
        ({"HELIUS_RPC_URL": "http://127.0.0.1:8899"}, []),
    ],
)
def test_what_helius_could_not_work_with_is_found(
    settings: Settings, changed: dict[str, str], found: list[str]
) -> None:
    for name, value in (WORKING | changed).items():
        setattr(settings, name, value)
    assert [message.id for message in helius_access()] == found
