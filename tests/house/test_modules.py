"""Modules are named after nouns of the domain, say what they are, and stay small."""

import ast
import re

from tests.house.source import PURE, Module, files, modules, product, read, refuse, suite, words

MODULE_LINES_MAX = 300

# A module that is called so collects whatever has no place, and everybody imports it.
BANNED_NAMES = {
    **dict.fromkeys(["util", "utils", "helper", "helpers", "common", "misc", "tools"], "its noun"),
    **dict.fromkeys(["service", "services"], "operations (writes) or queries (reads)"),
    **dict.fromkeys(["handler", "handlers"], "the verb it does"),
    **dict.fromkeys(["manager", "managers"], "a QuerySet in models"),
    **dict.fromkeys(["data", "info"], "the name of what it holds"),
    **dict.fromkeys(["signal", "signals"], "a call: an import shows where it goes"),
}
BANNED_ENDINGS = {
    **BANNED_NAMES,
    **dict.fromkeys(["impl", "abstract"], "the thing itself"),
}
BANNED_WORDS = {
    "FIXME": "fix it now",
    "TODO": "do it, or leave it out",
    "XXX": "say what is wrong, in a sentence",
    "HACK": "say why it must be so, in a sentence",
}
PROSE = (".py", ".html", ".css", ".js", ".sql", ".md", ".toml", "Makefile", "Procfile", ".ci/run")


def first_line(module: Module) -> str:
    docstring = ast.get_docstring(module.tree) or ""
    return docstring.partition("\n")[0]


def test_every_module_says_in_a_sentence_what_it_is() -> None:
    written = [module for module in modules() if module.text.strip()]
    silent = [m.path for m in written if not re.search(r"^\S.*\w.*[.?!…]$", first_line(m))]
    refuse(silent, "begin these with a one-sentence docstring")


def test_every_module_is_short_enough_to_be_read_at_once() -> None:
    sizes = {module.path: len(module.lines) for module in (*product(), *suite())}
    long = {path: size for path, size in sizes.items() if size > MODULE_LINES_MAX}
    refuse(long, f"more than {MODULE_LINES_MAX} lines: split by noun")


def test_every_module_is_named_after_what_it_holds() -> None:
    found = {m.path: BANNED_NAMES[m.stem] for m in modules() if m.stem in BANNED_NAMES}
    refuse(found, "call them by")


def test_every_class_and_function_is_named_after_the_domain() -> None:
    found = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            *before, ending = words(node.name)
            if before and ending in BANNED_ENDINGS and module.package != "tests":
                found[f"{module.place(node)} {node.name}"] = BANNED_ENDINGS[ending]
    refuse(found, "call them by")


def test_every_promise_to_come_back_is_kept_before_it_is_committed() -> None:
    banned = re.compile(rf"\b({'|'.join(BANNED_WORDS)})\b")
    found = {}
    for path in files():
        if not path.endswith(PROSE) or path.startswith("tests/house/"):
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if match := banned.search(line):
                found[f"{path}:{number}"] = BANNED_WORDS[match[1]]
    refuse(found, "banned words, and what to do instead")


def test_every_package_above_the_pure_code_imports_nothing() -> None:
    above = {name for pure in PURE for name in (pure, pure.partition(".")[0])}
    markers = [m for m in modules() if m.path.endswith("__init__.py") and m.name in above]
    full = [m.path for m in markers if len(m.tree.body) > (ast.get_docstring(m.tree) is not None)]
    refuse(full, "an import here would drag Django into the pure code")
