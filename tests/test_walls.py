"""The walls of the house (shared/DESIGN.md): which package may import which, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

SOURCES = [
    path.relative_to(ROOT)
    for folder in ("mfagan", "search")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
ROOMS = ("sr", "mobilestylegan", "coronetgan")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, with the names taken from it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def uses(path: Path, *packages: str) -> bool:
    return any(name == p or name.startswith(f"{p}.") for name in imports(path) for p in packages)


def files_using(*packages: str, below: str) -> set[str]:
    return {path.as_posix() for path in SOURCES if path.parts[0] == below and uses(path, *packages)}


def test_sources_are_found():
    assert Path("mfagan/sr/study/problem.py") in SOURCES
    assert Path("search/study.py") in SOURCES


def test_search_knows_neither_mfagan_nor_torch():
    assert files_using("mfagan", "torch", "tensorflow", below="search") == set()


def test_optuna_is_imported_by_these_files_of_search_alone():
    names = [
        "benchmark",
        "claims",
        "connection",
        "dashboard",
        "overhead",
        "quiet",
        "study",
        "samplers/nsga2",
        "samplers/tpe",
    ]
    allowed = {f"search/{name}.py" for name in names}
    assert files_using("optuna", "optunahub", below="search") <= allowed
    assert files_using("optuna", "optunahub", "plotly", below="mfagan") == set()


def test_search_is_joined_in_three_places():
    joined = {name for name in files_using("search", below="mfagan") if not name.startswith("mfagan/cli/")}
    assert joined == {"mfagan/latency/measure.py", "mfagan/sr/study/problem.py"}
    plain = ("search.problem", "search.latency")
    for path in (Path("mfagan/latency/measure.py"), Path("mfagan/sr/study/problem.py")):
        for name in imports(path):
            assert not name.startswith("search") or name.startswith(plain), f"{path} imports {name}"


def test_tensorflow_is_loaded_by_one_file():
    assert files_using("tensorflow", below="mfagan") == {"mfagan/deploy/tflite.py"}


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_do_not_know_each_other(room: str):
    others = [f"mfagan.{other}" for other in ROOMS if other != room]
    for path in SOURCES:
        if path.parts[:2] == ("mfagan", room):
            assert not uses(path, *others), path


def test_shared_modules_do_not_know_the_rooms():
    rooms = [f"mfagan.{room}" for room in ROOMS]
    outside = [path for path in SOURCES if path.parts[0] == "mfagan" and path.parts[1] not in (*ROOMS, "cli")]
    assert [path.as_posix() for path in outside if uses(path, *rooms)] == []


def test_the_options_stand_in_one_file():
    """The set {48, 32, 24} is written in sr/widths.py alone."""

    def numbers(node: ast.AST) -> set[object]:
        if not isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return set()
        return {element.value for element in node.elts if isinstance(element, ast.Constant)}

    holders = {
        path.as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if {48, 32, 24} <= numbers(node)
    }
    assert holders == {"mfagan/sr/network/widths.py"}


def test_modules_import_in_a_line_without_cycles():
    modules = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES}
    at_the_top: dict[str, set[str]] = {}
    for module, path in modules.items():
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        names = []
        for node in tree.body:
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        at_the_top[module] = {name for name in names if name in modules and name != module}

    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"import cycle: {' -> '.join((*trail, module))}"
        if module not in done:
            for other in at_the_top[module]:
                visit(other, (*trail, module))
            done.add(module)

    for module in modules:
        visit(module, ())
