"""Folders of the launcher: its own only, passable where they must be, never wider."""

import os
import stat
from pathlib import Path

import pytest

from pumploss.stack.account import server_account
from pumploss.stack.places import REFUGES, instance_directory, reaches, refuge, refuge_of
from pumploss.stack.problem import StackProblem

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root runs servers as another user.")
PROGRAM = Path("/bin/ls")


@pytest.mark.parametrize("name", ["", "..", "a/b", "Demo", "-x"])
def test_a_name_that_is_no_folder_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StackProblem, match="no name of an instance"):
        instance_directory(name, tmp_path)


def test_others_may_pass_an_instance_but_not_look_into_it(tmp_path: Path) -> None:
    directory = instance_directory("demo", tmp_path)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o711


def test_the_folders_above_an_instance_stay_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    instance_directory("demo", tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_two_clones_have_two_refuges(tmp_path: Path) -> None:
    assert refuge(tmp_path / "one") != refuge(tmp_path / "other")
    assert refuge(tmp_path).parent == REFUGES


def test_an_instance_and_a_folder_of_the_same_name_have_two_refuges(tmp_path: Path) -> None:
    inside, outside = tmp_path / ".pumploss" / "demo", tmp_path / "demo"
    assert refuge_of(inside, tmp_path) != refuge_of(outside, tmp_path)


def test_without_root_the_servers_run_as_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1)  # daemon: every system has it
    assert server_account() is None


def test_a_user_without_a_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2_000_000_000)
    with pytest.raises(StackProblem, match="no entry in /etc/passwd"):
        server_account()


@as_root
def test_a_closed_folder_above_is_noticed(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not reaches(server_account(), PROGRAM, inner)


@as_root
def test_an_open_folder_is_reached() -> None:
    assert reaches(server_account(), PROGRAM, Path("/"))
