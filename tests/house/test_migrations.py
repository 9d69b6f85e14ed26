"""Migrations match the models, go both ways, and keep working when the code moves on."""

import ast

import pytest
import sqlparse
from django.core.management import call_command
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader

from tests.house.source import APPS, Module, modules, refuse

IMPORTABLE = ("django", "typing", "collections")


def migrations() -> list[Migration]:
    loader = MigrationLoader(None)
    return [m for (app, _), m in sorted(loader.disk_migrations.items()) if app in APPS]


def imports(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)


def test_every_raw_statement_stands_alone_and_can_be_taken_back() -> None:
    found = []
    for migration in migrations():
        for operation in migration.operations:
            if not isinstance(operation, RunSQL):
                continue
            alone = isinstance(operation.sql, str) and len(sqlparse.split(operation.sql)) == 1
            if not alone or operation.reverse_sql is None:
                found.append(str(migration))
    refuse(found, "one statement a RunSQL, and its reverse")


def test_every_python_step_can_be_taken_back() -> None:
    steps = [
        (m, step) for m in migrations() for step in m.operations if isinstance(step, RunPython)
    ]
    oneway = [str(migration) for migration, step in steps if step.reverse_code is None]
    refuse(oneway, "say how it is taken back: RunPython.noop, if there is nothing to do")


def test_every_migration_stands_on_its_own_text() -> None:
    found = {}
    for module in modules():
        if module.is_migration:
            names = [name for name in imports(module) if name.split(".")[0] not in IMPORTABLE]
            # The columns of our own types cannot be written down without them.
            if borrowed := [name for name in names if not name.endswith(".fields")]:
                found[module.path] = borrowed
    refuse(found, "a migration that imports the app changes when the app does")
