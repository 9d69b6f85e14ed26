"""A pytest plugin: PostgreSQL and Valkey for the tests, before any settings are read."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from pumploss.stack.environment import NAMES, given, running
from pumploss.stack.instance import is_held
from pumploss.stack.places import instance_directory
from pumploss.stack.problem import InstanceInUse, StackProblem

# Several runs in one clone at the same time get servers of their own each.
INSTANCES = ["test", *(f"test-{number}" for number in range(2, 10))]
_SERVERS = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """As a wrapper it comes before pytest-django, which reads the settings in this hook."""
    asked = early_config.known_args_namespace
    if not (asked.help or asked.version):
        try:
            start_servers()
        except StackProblem as problem:
            raise pytest.UsageError(str(problem)) from None
    return (yield)


def pytest_unconfigure() -> None:
    _SERVERS.close()


def start_servers() -> None:
    """Everything the environment lacks; what it has is used as it is."""
    if all(name in given() for name in NAMES):
        return
    for name in INSTANCES:
        if not is_held(instance_directory(name)):
            # Another run may take it in between: then the next one is ours.
            with suppress(InstanceInUse):
                os.environ.update(_SERVERS.enter_context(running(name)))
                return
    raise StackProblem(f"{len(INSTANCES)} test runs are under way in this clone already.")
