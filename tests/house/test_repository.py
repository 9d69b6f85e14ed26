"""The repository holds what it should, pins what it uses, documents what it offers."""

import ast
import re
import tomllib
from collections.abc import Iterator

from tests.house.source import ROOT, dotted, files, is_generated, product, read, refuse

TOP_LEVEL = {
    ".ci", ".gitignore", "ARCHITECTURE.md", "Makefile", "Procfile", "README.md", "analytics",
    "ingest", "leaderboard", "manage.py", "pnl", "pumploss", "pyproject.toml", "requirements.txt",
    "templates", "tests",
}  # fmt: skip
STABLE_TARGETS = {"demo", "test", "check", "bench"}
# Set by the code for itself, by make and by the shell; nobody is asked to set them.
OWN_VARIABLES = {"DJANGO_SETTINGS_MODULE", "MAKELEVEL", "PATH"}
# Folders of somebody's machine.
MACHINE = re.compile(r"(?<![\w.*}/-])/(home|mnt|root|tmp|work|workspace|Users)(?=[/\s\"'`)]|$)")
PIN = re.compile(r"([\w.-]+)(?:\[[\w,-]+\])?==([\w.+!]+)")


def text_files() -> Iterator[tuple[str, str]]:
    for path in files():
        try:
            yield path, read(path)
        except UnicodeDecodeError:
            continue


def pin_of(requirement: str) -> tuple[str, str] | None:
    match = PIN.fullmatch(requirement.partition(";")[0].strip())
    return (match[1].lower(), match[2]) if match else None


def locked() -> list[str]:
    lines = (line.strip() for line in read("requirements.txt").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def direct() -> list[str]:
    project = tomllib.loads(read("pyproject.toml"))
    return [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]


def targets() -> set[str]:
    rules = re.findall(r"^([\w .%-]+):(?!=)", read("Makefile"), re.MULTILINE)
    return {target for rule in rules for target in rule.split()}


def variables() -> dict[str, str]:
    """Every environment variable the product reads, and where."""
    found = dict.fromkeys(re.findall(r"\$\{(\w+)", read("Procfile")), "Procfile")
    for module in product():
        for node in ast.walk(module.tree):
            name = variable_of(node)
            if name and name not in OWN_VARIABLES:
                assert isinstance(node, ast.expr)
                found[name] = module.place(node)
    return found


def variable_of(node: ast.AST) -> str:
    """`env.text("NAME")`, `os.environ["NAME"]`, `os.environ.get("NAME")`."""
    if isinstance(node, ast.Subscript) and dotted(node.value).endswith("environ"):
        return constant(node.slice)
    if isinstance(node, ast.Call) and node.args:
        reader = dotted(node.func)
        if reader.startswith("env.") or "environ." in reader or reader.endswith("getenv"):
            return constant(node.args[0])
    return ""


def constant(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def test_every_entry_at_the_top_is_meant_to_be_there() -> None:
    entries = {entry.name for entry in ROOT.iterdir() if not is_generated(entry.name)}
    refuse(sorted(entries - TOP_LEVEL), "put these where they belong")


def test_every_package_is_pinned() -> None:
    loose = [line for line in locked() if pin_of(line) is None]
    assert locked()
    refuse(loose, "pin it with ==; make lock does")


def test_every_direct_dependency_is_locked_at_the_version_it_asks_for() -> None:
    lock = dict(pin for line in locked() if (pin := pin_of(line)))
    other = [
        requirement
        for requirement in direct()
        if not (pin := pin_of(requirement)) or lock.get(pin[0]) != pin[1]
    ]
    refuse(other, "pin it here, and run make lock")


def test_every_direct_dependency_says_why_it_is_here() -> None:
    lines = read("pyproject.toml").splitlines()
    wanted = {requirement: f'"{requirement}",' for requirement in direct()}
    silent = [
        requirement
        for requirement, quoted in wanted.items()
        if not any(re.search(r"# \S", line.partition(quoted)[2]) for line in lines)
    ]
    refuse(silent, "add the reason behind it, as a comment")


def test_every_variable_is_documented_in_the_readme() -> None:
    readme = read("README.md")
    missing = {name: at for name, at in variables().items() if f"`{name}`" not in readme}
    refuse(missing, "README.md lists every variable")


def test_every_variable_of_the_settings_is_read_through_env() -> None:
    direct_reads = [
        module.place(node)
        for module in product()
        if module.name == "pumploss.settings"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    refuse(direct_reads, "env.py names the variable that is wrong")


def test_every_make_target_in_the_readme_exists() -> None:
    named = set(re.findall(r"`make ([a-z][\w-]*)", read("README.md")))
    assert STABLE_TARGETS | named <= targets()


def test_every_committed_text_speaks_of_the_project_alone() -> None:
    found = []
    for path, text in text_files():
        for number, line in enumerate(text.splitlines(), 1):
            beside = "../shared" in line and not path.startswith(("tests/", ".ci/"))
            if beside or (MACHINE.search(line) and not path.startswith("tests/")):
                found.append(f"{path}:{number}")
    refuse(found, "no other folder, no machine: settings and arguments say where things are")
