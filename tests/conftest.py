"""What the tests take from their machine: shared material, a browser, a stack of their own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.running import RunningStack

CLONE = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Recorded payloads and trades, kept beside the clone because of their size."""
    folder = CLONE.parent / "shared"
    if not folder.is_dir():
        _do_without(f"There is no {folder} with the recorded material", "PUMPLOSS_REQUIRE_SHARED")
    return folder


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The program of a browser of this machine."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        _do_without(
            "There is no browser; get one with: apt-get install chromium",
            "PUMPLOSS_REQUIRE_BROWSER",
        )
    return str(found)


@pytest.fixture(scope="session")
def running_stack() -> Iterator[RunningStack]:
    """The whole site in real processes, shared by the tests that only use it."""
    with RunningStack() as stack:
        yield stack


@pytest.fixture
def fresh_stack() -> Iterator[RunningStack]:
    """The whole site in real processes, for one test that breaks it."""
    with RunningStack() as stack:
        yield stack


def _do_without(reason: str, requirement: str) -> None:
    """Skips, unless the environment insists: a skipped test must not pass for a passed one."""
    if os.environ.get(requirement) == "1":
        pytest.fail(f"{reason}, and {requirement}=1 asks for it.")
    pytest.skip(f"{reason}.")
