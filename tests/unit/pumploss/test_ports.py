"""Ports of the launcher: free ones are found, taken ones are named with their owner."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumploss.stack.ports import PROC, free_port, is_free, owner_of, remembered_port, web_port
from pumploss.stack.problem import StackProblem


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_with_a_listener_is_not_free(taken_port: int) -> None:
    assert not is_free(taken_port)


def test_a_found_port_is_really_free(taken_port: int) -> None:
    port = free_port()
    assert port != taken_port
    assert is_free(port)


def test_a_server_gets_the_port_of_its_last_run(tmp_path: Path) -> None:
    assert remembered_port(tmp_path, "postgres") == remembered_port(tmp_path, "postgres")


def test_two_servers_of_an_instance_get_two_ports(tmp_path: Path) -> None:
    assert remembered_port(tmp_path, "postgres") != remembered_port(tmp_path, "valkey")


def test_a_remembered_port_that_was_taken_is_replaced(tmp_path: Path) -> None:
    port = remembered_port(tmp_path, "postgres")
    with socket.create_server(("127.0.0.1", port)):
        assert remembered_port(tmp_path, "postgres") != port


def test_the_pages_get_the_port_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    assert web_port("make demo") == port


def test_a_taken_port_of_the_pages_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    monkeypatch.setenv("PORT", str(taken_port))
    with pytest.raises(StackProblem, match=rf"Port {taken_port} is taken.*make demo PORT=\d+"):
        web_port("make demo")


@pytest.mark.parametrize("nonsense", ["http", "0", "-1", "65536"])
def test_nonsense_is_refused_as_a_port(monkeypatch: pytest.MonkeyPatch, nonsense: str) -> None:
    monkeypatch.setenv("PORT", nonsense)
    with pytest.raises(StackProblem, match="is no port"):
        web_port("make demo")


@pytest.mark.skipif(not PROC.is_dir(), reason="Only Linux tells who listens.")
def test_the_owner_of_a_port_is_known_by_its_number(taken_port: int) -> None:
    assert str(owner_of(taken_port)).endswith(f"process {os.getpid()}")
