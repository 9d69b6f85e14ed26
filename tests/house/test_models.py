"""The database refuses what must not be: no model may forget its keys, checks and indexes."""

import ast
from collections.abc import Iterator

from django.apps import apps
from django.db.models import CASCADE, AutoField, CompositePrimaryKey, ForeignKey, Model

from tests.house.source import APPS, Module, dotted, product, refuse

# Whose rows may be there twice, and why that does no harm.
BAGS = {"Touched": "a mark: to look at a trader twice does no harm"}


def models() -> list[type[Model]]:
    found = [model for model in apps.get_models() if model._meta.app_label in APPS]
    assert found, "no models: were the apps renamed?"
    return found


def has_a_natural_key(model: type[Model]) -> bool:
    key = model._meta.pk
    natural = isinstance(key, CompositePrimaryKey) or not isinstance(key, AutoField)
    fields = [field for field in model._meta.concrete_fields if field is not key]
    return natural or any(field.unique for field in fields)


def calls(module: Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == name:
            yield node


def model_modules() -> list[Module]:
    written_in = {model.__module__ for model in models()}
    return [module for module in product() if module.name in written_in]


def keywords(call: ast.Call) -> set[str | None]:
    return {keyword.arg for keyword in call.keywords}


def comment_above(module: Module, call: ast.Call) -> str:
    """The comment that ends on the line before the call, or nothing."""
    above: list[str] = []
    for line in reversed(module.lines[: call.lineno - 1]):
        if not line.lstrip().startswith("#"):
            break
        above.insert(0, line.strip(" #"))
    return " ".join(above)


def test_every_model_has_a_natural_key_or_constraints() -> None:
    silent = [
        model.__name__
        for model in models()
        if not has_a_natural_key(model) and not model._meta.constraints
    ]
    refuse(set(silent) - set(BAGS), "what makes two rows the same row? if nothing, say why in BAGS")


def test_every_column_with_choices_is_checked_by_the_database() -> None:
    unchecked = []
    for model in models():
        checks = " ".join(str(constraint) for constraint in model._meta.constraints)
        chosen = [field for field in model._meta.concrete_fields if field.choices]
        unchecked += [f"{model.__name__}.{f.name}" for f in chosen if f"{f.name}__in" not in checks]
    refuse(unchecked, "choices bind forms only: add a CheckConstraint")


def test_every_foreign_key_decides_about_its_index() -> None:
    undecided = [
        f"{module.place(call)}"
        for module in model_modules()
        for call in calls(module, "ForeignKey")
        if "db_index" not in keywords(call)
    ]
    refuse(undecided, "state db_index: an index nobody reads costs every insert")


def test_every_foreign_key_refuses_to_delete_its_history() -> None:
    found = [
        f"{model.__name__}.{field.name}"
        for model in models()
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.remote_field.on_delete is CASCADE
    ]
    refuse(found, "the ledger does not forget: PROTECT")


def test_every_index_names_its_reader() -> None:
    silent = []
    for module in model_modules():
        for call in calls(module, "Index"):
            comment = comment_above(module, call)
            if not comment or ("condition" in keywords(call) and "ead by" not in comment):
                silent.append(module.place(call))
    refuse(silent, "write above the index: # Read by …")


def test_no_model_orders_its_rows_by_default() -> None:
    ordered = [model.__name__ for model in models() if model._meta.ordering]
    refuse(ordered, "a default order hides a sort in every query: order where you read")
