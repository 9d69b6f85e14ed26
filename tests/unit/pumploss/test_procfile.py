"""The Procfile: one list of processes for the demo, the tests and production."""

import os
import subprocess

import pytest

from pumploss.stack.places import CLONE
from pumploss.stack.procfile import commands_of, process_environ


def test_it_lists_every_process_of_the_site() -> None:
    assert list(commands_of()) == ["web", "worker", "board", "errands", "beat"]


@pytest.mark.parametrize("name", commands_of())
def test_every_process_replaces_its_shell(name: str) -> None:
    # A shell in between would keep signals from the process and outlive it.
    assert commands_of()[name].startswith("exec ")


@pytest.mark.parametrize("name", commands_of())
def test_every_command_is_read_by_a_plain_shell(name: str) -> None:
    ended = subprocess.run(["/bin/sh", "-n", "-c", commands_of()[name]], check=False)
    assert ended.returncode == 0


def test_the_environment_of_a_process_is_complete() -> None:
    environ = process_environ({"SECRET_KEY": "s"}, 8001, CLONE / "a folder")
    assert environ["SECRET_KEY"] == "s"
    assert environ["PORT"] == "8001"
    assert environ["BEAT_SCHEDULE"] == str(CLONE / "a folder" / "beat-schedule")
    assert environ["PATH"].endswith(os.environ["PATH"])
