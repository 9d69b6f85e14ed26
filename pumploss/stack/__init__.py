"""Runs Pump Loss on a bare machine: embedded PostgreSQL and Valkey, and the Procfile."""

from pumploss.stack.environment import attach, running
from pumploss.stack.postgres import Postgres
from pumploss.stack.problem import StackProblem
from pumploss.stack.valkey import Valkey

__all__ = ["Postgres", "StackProblem", "Valkey", "attach", "running"]
