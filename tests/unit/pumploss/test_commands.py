"""Which commands of manage.py get servers, and what the others get instead."""

import os

import pytest

from pumploss.stack.commands import NOWHERE, environment_of, needs_no_server
from pumploss.stack.environment import NAMES


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["help"],
        ["--version"],
        ["check"],
        ["import_trades", "--help"],
        ["makemigrations", "--check", "--dry-run"],
        ["decode_payload", "body.json"],
    ],
)
def test_a_command_that_only_reads_code_needs_no_server(words: list[str]) -> None:
    assert needs_no_server(["manage.py", *words])


@pytest.mark.parametrize(
    "words",
    [
        ["migrate"],
        ["import_trades", "trades.csv"],
        ["check", "--database", "default"],
        ["check", "--database=default"],
        ["createsuperuser"],
    ],
)
def test_a_command_that_keeps_something_needs_servers(words: list[str]) -> None:
    assert not needs_no_server(["manage.py", *words])


def test_a_command_without_servers_gets_harmless_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")
    with environment_of(["manage.py", "check"]):
        assert {name: os.environ[name] for name in NAMES} == NOWHERE


def test_a_complete_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "mine")
    with environment_of(["manage.py", "migrate"]):
        assert {os.environ[name] for name in NAMES} == {"mine"}
