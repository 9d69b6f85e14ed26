"""The alarm clock promises nothing that its workers cannot keep."""

from pumploss.celery import app
from pumploss.stack.procfile import commands_of


def test_no_time_limit_is_set_that_a_pool_of_one_would_not_enforce() -> None:
    workers = [command for command in commands_of().values() if " worker " in command]
    assert workers
    assert all("--pool solo" in command for command in workers)
    assert (app.conf.task_time_limit, app.conf.task_soft_time_limit) == (None, None)
