"""Functions are short, import at the top, keep errors and leave the work to operations."""

import ast
import statistics
from collections.abc import Iterator

from tests.house.source import (
    Function,
    Module,
    dotted,
    length,
    modules,
    product,
    refuse,
    statements,
    suite,
)

FUNCTION_LINES_MAX = 50
FUNCTION_LINES_MEDIAN_MAX = 10
TEST_LINES_MAX = 80
TASK_STATEMENTS_MAX = 5
SENTENCE_WORDS_MIN = 3

# Where a function may import, as `path:function`, and why.
LATE_IMPORTS = {
    "manage.py:main": "runs before the packages of the environment can be imported",
    "manage.py:run": "runs before the packages of the environment can be imported",
    "pumploss/stack/__main__.py:_obey": "says in a sentence which package is missing",
}
# Where everything may be caught without being raised again or kept, and why.
SWALLOWED: dict[str, str] = {}
CATCH_ALL = {"", "Exception", "BaseException"}


def too_long(among: list[Module], lines_max: int) -> dict[str, int]:
    sizes = {f"{m.place(f)} {f.name}": length(f) for m in among for f in m.functions()}
    return {place: size for place, size in sizes.items() if size > lines_max}


def test_every_function_fits_on_a_screen() -> None:
    refuse(too_long(product(), FUNCTION_LINES_MAX), f"more than {FUNCTION_LINES_MAX} lines")


def test_every_test_fits_on_a_screen_and_a_half() -> None:
    refuse(too_long(suite(), TEST_LINES_MAX), f"more than {TEST_LINES_MAX} lines")


def test_every_second_function_is_ten_lines_or_less() -> None:
    lengths = [length(function) for module in product() for function in module.functions()]
    assert statistics.median(lengths) <= FUNCTION_LINES_MEDIAN_MAX


def late_imports(module: Module) -> Iterator[str]:
    for function in module.functions():
        key = f"{module.path}:{function.name}"
        # Django calls ready() when, and only when, the models may be imported.
        by_django = function.name == "ready" and module.stem == "apps"
        if by_django or key in LATE_IMPORTS:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{module.place(node)} in {function.name}"


def test_every_import_stands_at_the_top_of_its_module() -> None:
    found = {place for module in (*product(), *suite()) for place in late_imports(module)}
    refuse(found, "an import inside a function hides a cycle, or needs a reason in LATE_IMPORTS")


def keeps_the_error(handler: ast.ExceptHandler) -> bool:
    """It raises, looks at the error, or logs it with its traceback."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.Name) and handler.name and node.id == handler.name:
            return True
        if isinstance(node, ast.Attribute) and node.attr in ("exception", "format_exc"):
            return True
    return False


def catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(dotted(kind) in CATCH_ALL for kind in kinds)


def swallowing(module: Module) -> Iterator[str]:
    for function in module.functions():
        for node in ast.walk(function):
            if not isinstance(node, ast.ExceptHandler) or not catches_everything(node):
                continue
            if not keeps_the_error(node) and f"{module.path}:{function.name}" not in SWALLOWED:
                yield f"{module.place(node)} in {function.name}"


def test_no_error_is_swallowed() -> None:
    found = {place for module in product() for place in swallowing(module)}
    refuse(found, "raise again, keep the error, or catch what you expect by its name")


def tasks() -> list[tuple[Module, Function]]:
    return [(m, f) for m in product() if m.stem == "tasks" for f in m.functions()]


def test_every_task_leaves_the_work_to_an_operation() -> None:
    sizes = {f"{m.place(f)} {f.name}": statements(f) for m, f in tasks()}
    busy = {place: size for place, size in sizes.items() if size > TASK_STATEMENTS_MAX}
    refuse(busy, f"more than {TASK_STATEMENTS_MAX} statements: move the work to operations")


def test_every_task_takes_its_arguments_by_name() -> None:
    by_place = [f"{m.place(f)} {f.name}" for m, f in tasks() if f.args.posonlyargs or f.args.args]
    refuse(by_place, "a message outlives a deploy: its arguments must have names")


def test_every_test_is_named_by_a_sentence() -> None:
    named = [
        (module, function)
        for module in modules()
        if module.package == "tests"
        for function in module.functions()
        if function.name.startswith("test_")
    ]
    terse = [
        f"{module.place(function)} {function.name}"
        for module, function in named
        if len(function.name.split("_")) <= SENTENCE_WORDS_MIN
    ]
    refuse(terse, "say what is promised: test_it_…, test_every_…, test_a_…")
