"""Imports run down the house and nowhere else, and only the doors named in the design lead outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("namsite", "review", "extraction", "accounts", "audit", "vault")  # top to bottom
MODULES = sorted(path.relative_to(ROOT).as_posix() for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))

AWS = {
    "audit/places/s3.py",
    "extraction/cloudwatch.py",
    "extraction/llm/sagemaker.py",
    "extraction/llm/weights/bucket.py",
    "extraction/readers/textract.py",
    "vault/kms.py",
    "vault/s3.py",
}
DOORS = {
    "httpx": {"extraction/llm/client.py", "extraction/llm/weights/hub.py"},
    "boto3": AWS,
    "botocore": AWS,
}
ELSEWHERE = "extraction/llm/programs/"
"""Programs of the model's environment, which has packages that this one has not."""
NAMED_PURE = (
    "extraction/nam.py",
    *(
        f"extraction/visits/{name}.py"
        for name in ("__init__", "index", "moments", "slips", "captions", "columns", "belonging")
    ),
    "extraction/page.py",
    "extraction/injection.py",
    "extraction/stance.py",
    "extraction/scoring.py",
    *(f"extraction/{name}.py" for name in ("availability", "charts", "costs")),
    *(f"extraction/llm/{name}.py" for name in ("metrics", "profiles")),
    *(f"extraction/llm/training/{name}.py" for name in ("noise", "targets", "card")),
    *(
        f"extraction/finders/{name}.py"
        for name in (
            "pattern",
            "context",
            "repair",
            "reconcile",
            "confidence",
            "proposal",
            "location",
            "second_look",
            "spelling",
        )
    ),
    "review/priority.py",
    "review/agreement.py",
    "review/comparison.py",
    "review/differences.py",
    "audit/chain.py",
)
# What reaches files, processes, the network, other threads or the time of day. (`datetime` is a data type too: what it
# must not be asked in a pure module is looked for below.)
OUTSIDE = {
    "asyncio", "concurrent", "ctypes", "django", "fcntl", "glob", "http", "io", "logging", "multiprocessing", "os",
    "pathlib", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile",
    "threading", "time", "urllib", "uuid",
}  # fmt: skip
CLOCK = {"now", "utcnow", "today"}


def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def without_type_checking(module: ast.Module) -> ast.Module:
    """The module as it runs: without what only the type checker reads."""
    blocks = [node for node in ast.walk(module) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    for block in blocks:
        block.body = [ast.Pass()]
    return module


def imports(module: str, *, as_run: bool = False) -> Iterator[str]:
    """The dotted name of every import, also of those inside functions and (unless `as_run`) under TYPE_CHECKING."""
    package = module.removesuffix(".py").removesuffix("/__init__").split("/")
    if not module.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(without_type_checking(tree(module)) if as_run else tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            near = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*near, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def stands_on(modules: Iterable[str]) -> list[str]:
    """The modules and every module of ours that they need to run, directly or not."""
    found: set[str] = set()
    left = list(modules)
    while left:
        module = left.pop()
        found.add(module)
        paths = {name.replace(".", "/") + ".py" for name in imports(module, as_run=True) if first(name) in FLOORS}
        left += [path for path in paths if (ROOT / path).is_file() and path not in found]
    return sorted(found)


def first(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


PURE = stands_on(NAMED_PURE)


def test_there_is_something_to_look_at():
    assert len(MODULES) > 50
    assert "vault.keys" in set(imports("vault/crypto.py")) | set(imports("vault/index.py"))


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_imports_only_from_below(floor):
    above = set(FLOORS[: FLOORS.index(floor)])
    upwards = {
        (module, name)
        for module in MODULES
        if module.startswith(f"{floor}/")
        for name in imports(module)
        if first(name) in above
    }
    assert upwards == set()


def test_the_product_imports_no_test():
    assert {module for module in MODULES for name in imports(module) if first(name) == "tests"} == set()


@pytest.mark.parametrize("library", DOORS)
def test_only_the_doors_lead_outside(library):
    users = {module for module in MODULES for name in imports(module) if first(name) == library}
    assert users <= DOORS[library]


def test_programs_of_the_models_environment_and_this_one_import_nothing_of_each_other():
    programs = [module for module in MODULES if module.startswith(ELSEWHERE)]
    assert len(programs) > 1
    assert {name for module in programs for name in imports(module) if first(name) in FLOORS} == set()
    package = ELSEWHERE.rstrip("/").replace("/", ".")
    assert {module for module in MODULES for name in imports(module) if name.startswith(package)} == set()


@pytest.mark.parametrize("library", ["torch", "transformers", "peft", "safetensors"])
def test_the_web_application_needs_no_model_library(library):
    users = {module for module in MODULES for name in imports(module) if first(name) == library}
    assert all(module.startswith(ELSEWHERE) for module in users)


@pytest.mark.parametrize("library", ["pickle", "requests", "aiohttp"])
def test_what_nobody_may_use_is_used_by_nobody(library):
    assert {module for module in MODULES for name in imports(module) if first(name) == library} == set()


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_reaches_nothing_outside(module):
    assert {name for name in imports(module, as_run=True) if first(name) in OUTSIDE} == set()


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_asks_no_clock_and_opens_no_file(module):
    asked = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }
    assert asked & (CLOCK | {"open", "print", "input"}) == set()


@pytest.mark.parametrize("floor", FLOORS)
def test_third_party_imports_come_from_the_lock(floor):
    """What is imported without being asked for works on this machine only."""
    from importlib import metadata

    known = metadata.packages_distributions()
    locked = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    here = [module for module in MODULES if module.startswith(f"{floor}/") and not module.startswith(ELSEWHERE)]
    names = {first(name) for module in here for name in imports(module)}
    foreign = names - set(FLOORS) - sys.stdlib_module_names - {""}
    missing = {
        name for name in foreign if not {dist.lower().replace("_", "-") for dist in known.get(name, ())} & locked
    }
    assert missing == set()
