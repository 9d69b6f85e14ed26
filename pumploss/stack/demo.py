"""The demo: servers, schema, staff login, the site's processes and a market that plays."""

import shlex
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pumploss.stack.commands import INSTANCE, migrate
from pumploss.stack.environment import running
from pumploss.stack.instance import check_free
from pumploss.stack.keys import keys_of
from pumploss.stack.places import CLONE, instance_directory
from pumploss.stack.ports import web_port
from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import run
from pumploss.stack.procfile import commands_of, process_environ
from pumploss.stack.site import wait_for
from pumploss.stack.supervisor import Supervisor
from pumploss.stack.terminal import say

STAFF = "staff"
# A month of trades is played once, so that every board has something to show at the first start.
MARKET = "--rate 40 --seed 7 --history-trades 20000 --history-days 30 --forever"


def demo(root: Path = CLONE) -> int:
    """Runs until it is told to stop, then leaves nothing behind but its database."""
    # Until the supervisor takes over, every wish to stop unwinds like Ctrl-C.
    for wish in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(wish, signal.default_int_handler)
    directory = instance_directory(INSTANCE, root)
    check_free(directory)
    port = web_port("make demo")
    url = f"http://127.0.0.1:{port}"
    with running(INSTANCE, root, web_url=url) as environ:
        complete = process_environ(environ, port, directory, root)
        say("The database is up; bringing its schema up to date…")
        migrate(complete, root)
        login = make_staff(complete, keys_of(directory).staff_password, root)
        return _supervise(complete, url, directory, login, root)


def make_staff(environ: Mapping[str, str], password: str, root: Path = CLONE) -> str:
    """A login for the staff console, in words; one that exists already keeps its password."""
    account = {
        "DJANGO_SUPERUSER_USERNAME": STAFF,
        "DJANGO_SUPERUSER_EMAIL": "staff@localhost.invalid",
        "DJANGO_SUPERUSER_PASSWORD": password,
    }
    command = [sys.executable, str(root / "manage.py"), "createsuperuser", "--noinput"]
    ended = run(command, cwd=root, environ={**environ, **account})
    login = f"user {STAFF}, password {password}"
    if ended.returncode == 0:
        return login
    if "already taken" in ended.stderr:
        return f"{login} unless it was changed"
    raise StackProblem(f"The staff login could not be made:\n{ended.stderr}")


def _supervise(
    environ: Mapping[str, str], url: str, directory: Path, login: str, root: Path
) -> int:
    for kept in directory.glob("beat-schedule*"):
        # Its format changes with the Python that wrote it, and the periods are all short.
        kept.unlink()
    logs = directory / "logs"
    supervisor = Supervisor(logs, partial(_announce, url, login))
    for name, command in {**commands_of(root), "market": _market(url, directory)}.items():
        supervisor.add_process(name, command, env=dict(environ), cwd=str(root))
    supervisor.loop()
    if supervisor.fallen is None:
        say("Everything was stopped. The database is kept for the next `make demo`.")
        return 0
    raise StackProblem(
        f"The process '{supervisor.fallen}' ended (code "
        f"{supervisor.exit_code_of(supervisor.fallen)}), so everything was stopped. "
        f"Its output: {logs / supervisor.fallen}.log"
    )


def _market(url: str, directory: Path) -> str:
    door = shlex.quote(f"{url}/webhooks/helius/")
    played = shlex.quote(str(directory / "market-history"))
    command = f"python manage.py simulate_market --url {door} {MARKET} --history-marker {played}"
    return f"exec python -m pumploss.stack once-live {shlex.quote(url)} -- {command}"


def _announce(url: str, login: str) -> None:
    try:
        wait_for(url)
    except StackProblem:
        # The market waits for the same answer, and its end is told with the reason.
        return
    rule = "=" * 72
    lines = [
        "",
        rule,
        f"Pump Loss is live: {url}/  (Ctrl-C stops everything)",
        f"Staff console: {url}/admin/  ({login})",
        rule,
        "",
    ]
    say("\n".join(lines))
