"""Asks the running site whether it is up."""

import os
import time
from http import HTTPStatus

import requests

from pumploss.stack.problem import StackProblem

PATIENCE_SECONDS = 120.0


def answers(url: str) -> bool:
    """Whether the site is up; every answer but a good one counts as not yet."""
    try:
        return requests.get(f"{url}/healthz", timeout=5).status_code == HTTPStatus.OK
    except requests.RequestException:
        return False


def wait_for(url: str) -> None:
    """Returns when the site is up, and does not wait for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(url):
        if time.monotonic() > deadline:
            raise StackProblem(f"{url}/healthz did not answer in {PATIENCE_SECONDS:.0f} s.")
        time.sleep(0.2)


def once_live(url: str, command: list[str]) -> None:
    """Waits for the site, then becomes the command."""
    wait_for(url)
    os.execvp(command[0], command)
