"""The demo's own process: it comes up, says where, and takes everything down with it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pumploss.stack.environment import NAMES
from pumploss.stack.places import CLONE
from pumploss.stack.ports import free_port
from pumploss.stack.processes import PROC, wait_until
from pumploss.stack.removal import reset
from tests.flow.running import working_in

pytestmark = pytest.mark.skipif(
    not PROC.is_dir(), reason="Looks for processes as Linux shows them."
)

# Stands in for Django: every command succeeds, the market plays until it is ended.
MANAGE = """
import os, sys, time
assert os.environ["DATABASE_URL"] and os.environ["REDIS_URL"] and os.environ["SECRET_KEY"]
while sys.argv[1] == "simulate_market":
    print("playing", flush=True)
    time.sleep(0.2)
"""
SITE = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
PROCFILE = """
web: exec python site.py
worker: exec sleep 600
"""


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """A clone with the real launcher around a site that starts at once, for all tests here."""
    with tempfile.TemporaryDirectory(prefix="a clone ") as name:
        root = Path(name)
        root.chmod(0o711)
        shutil.copytree(CLONE / "pumploss" / "stack", root / "pumploss" / "stack")
        (root / "manage.py").write_text(MANAGE)
        (root / "site.py").write_text(SITE)
        (root / "Procfile").write_text(PROCFILE)
        yield root
        reset(root)


class Demo:
    """The launcher as a person starts it, with its output in a file."""

    def __init__(self, root: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._output = root / "output"
        environ = {name: value for name, value in os.environ.items() if name not in NAMES}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pumploss.stack", "demo"],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=root,
                env=environ | {"PORT": str(port)},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def is_complete(self) -> bool:
        """The site answers and the market plays, in whatever order they say so."""
        return "is live" in self.output and "playing" in self.output

    def pid_of(self, name: str) -> int:
        found = re.search(rf"{name} +started \(pid=(\d+)\)", self.output)
        assert found, self.output
        return int(found[1])


@pytest.fixture
def demo(clone: Path) -> Iterator[Demo]:
    started = Demo(clone, free_port())
    assert wait_until(started.is_complete, 60.0), started.output
    yield started
    started.process.terminate()
    started.process.wait(30)


def test_it_says_where_the_site_is_and_how_to_log_in(demo: Demo) -> None:
    assert f"Pump Loss is live: {demo.url}/  (Ctrl-C stops everything)" in demo.output
    assert re.search(r"user staff, password \S{12,}", demo.output)
    assert requests.get(demo.url, timeout=5).ok


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_wish_to_stop_ends_everything_in_peace(
    demo: Demo, clone: Path, wish: signal.Signals
) -> None:
    demo.process.send_signal(wish)
    assert demo.process.wait(30) == 0, demo.output
    assert working_in(clone) == []


def test_nothing_outlives_a_launcher_that_is_killed(demo: Demo, clone: Path) -> None:
    demo.process.kill()
    demo.process.wait()
    assert wait_until(lambda: not working_in(clone), 20.0), working_in(clone)


def test_one_process_that_falls_ends_all_and_is_named(demo: Demo, clone: Path) -> None:
    os.kill(demo.pid_of("worker"), signal.SIGKILL)
    assert demo.process.wait(30) == 1
    assert "The process 'worker' ended" in demo.output
    assert str(clone / ".pumploss/demo/logs/worker.log") in demo.output
    assert working_in(clone) == []


def test_a_second_demo_of_the_clone_is_refused(demo: Demo, clone: Path) -> None:
    assert demo.process.poll() is None
    environ = {name: value for name, value in os.environ.items() if name not in NAMES}
    second = subprocess.run(
        [sys.executable, "-m", "pumploss.stack", "demo"],
        check=False,
        capture_output=True,
        text=True,
        cwd=clone,
        env=environ,
    )
    assert second.returncode == 1
    assert f"already runs in this clone at {demo.url}" in second.stderr
