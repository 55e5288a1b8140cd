"""The walls between folders: which may import what, read from the source of every file.

`search` is a plug-in on Optuna for any problem and knows no networks. `mfagan` has networks and knows no Optuna.
The two meet where a system has its `study` folder, in `mfagan.latency` and in the commands.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import ROOT

FILES = [
    path.relative_to(ROOT)
    for folder in ("mfagan", "search")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
MODULES = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
SYSTEMS = ("mfagan/sr", "mfagan/mobilestylegan", "mfagan/coronetgan")
DOORS = ("mfagan/cli", "mfagan/api", "mfagan/registry.py", "mfagan/spandrel.py")
"""What serves all systems: the commands, the library's functions, the list of networks, other programs' loader."""
MAX_LINES = 350


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, at its top or in a function, as far as it is known by name."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield module if module in MODULES else str(node.module)


def within(path: Path, *places: str) -> bool:
    return any(path.as_posix() == place or path.is_relative_to(place) for place in places)


def importers(*packages: str) -> list[Path]:
    """The files that import one of these packages or a module of them."""
    return [
        path
        for path in FILES
        if any(
            name == package or name.startswith(f"{package}.")
            for name in imports(path)
            for package in packages
        )
    ]


ALLOWED = {
    ("mfagan", "torch", "tensorflow", "lpips"): ("mfagan",),
    ("optuna_dashboard",): ("search/report/dashboard.py", "search/preference/process.py"),
    ("optuna", "optunahub", "sqlalchemy"): (
        "search/optuna_logging.py",
        "search/study.py",
        "search/storage",
        "search/preference/process.py",
        "search/samplers/nsga2.py",
        "search/samplers/tpe.py",
        "search/report/dashboard.py",
        "search/report/figures/importance_figure.py",
        "search/benchmarks",
    ),
    ("plotly",): ("search/report",),
    ("tensorflow",): (
        "mfagan/deploy/tflite/converter.py",
        "mfagan/deploy/tflite/operators.py",
        "mfagan/deploy/tflite/tiles.py",
        "mfagan/deploy/tflite/integers.py",
    ),
    ("ai_edge_litert",): (
        "mfagan/deploy/tflite/litert.py",
        "mfagan/deploy/tflite/metadata.py",
        "mfagan/deploy/tflite/open_ends.py",
    ),
    ("onnx", "onnxruntime", "onnxscript"): (
        "mfagan/deploy/onnx/converter.py",
        "mfagan/deploy/onnx/integers.py",
        "mfagan/deploy/onnx/operators.py",
    ),
    ("lpips", "torchvision"): ("mfagan/pretrained.py",),
    ("pyvips",): ("mfagan/deploy/upscaling/picture_files.py",),
    ("av",): ("mfagan/deploy/upscaling/clip_files.py",),
    ("spandrel",): ("mfagan/spandrel.py", "mfagan/sr/network/peers/published_spandrel.py"),
    ("search.problem", "search.latency", "search.description"): (
        "search",
        "mfagan/latency",
        "mfagan/study",
        "mfagan/cli",
        *(f"{system}/study" for system in SYSTEMS),
    ),
    ("pytest", "hypothesis"): ("search/testing.py",),
}
"""Packages -> the only files and folders that import them."""


@pytest.mark.parametrize("packages", ALLOWED, ids=" ".join)
def test_packages_are_imported_by_their_folders_alone(packages: tuple[str, ...]):
    found = importers(*packages)
    assert [path.as_posix() for path in found if not within(path, *ALLOWED[packages])] == []


def test_all_of_search_is_used_by_the_commands_alone():
    plain = {"search.problem", "search.latency", "search.description", "search.errors"}
    for path in FILES:
        if path.parts[0] == "mfagan" and not within(path, "mfagan/cli"):
            used = {name for name in imports(path) if name.partition(".")[0] == "search"}
            assert used <= plain, path


@pytest.mark.parametrize("system", SYSTEMS)
def test_systems_do_not_know_each_other(system: str):
    others = [one.replace("/", ".") for one in SYSTEMS if one != system]
    assert [path for path in importers(*others) if within(path, system)] == []


def test_shared_folders_know_no_system():
    found = importers(*(system.replace("/", ".") for system in SYSTEMS))
    assert [path.as_posix() for path in found if not within(path, *SYSTEMS, *DOORS)] == []


def test_samplers_know_no_study_and_no_storage():
    """They draw from plain points, so that one can be tried without either."""
    for path in importers("search.study", "search.storage", "search.report"):
        assert not within(path, "search/samplers"), path


def test_the_command_is_imported_by_no_library_file():
    assert {path.as_posix() for path in importers("mfagan.cli")} <= {
        "mfagan/__main__.py",
        *(path.as_posix() for path in FILES if within(path, "mfagan/cli")),
    }


def test_the_options_stand_in_one_file():
    """The set {48, 32, 24} is written in sr/network/widths.py alone."""

    def numbers(node: ast.AST) -> set[object]:
        if not isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return set()
        return {element.value for element in node.elts if isinstance(element, ast.Constant)}

    holders = {
        path.as_posix()
        for path in FILES
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if {48, 32, 24} <= numbers(node)
    }
    assert holders == {"mfagan/sr/network/widths.py"}


def folder_of(module: str) -> str:
    """The folder that counts as one room; a file at the top of a package or of a system is a room of its own."""
    folder = MODULES[module].parent
    top = {Path("mfagan"), Path("search"), *map(Path, SYSTEMS)}
    return module if folder in top else folder.as_posix()


@pytest.mark.parametrize("room", [str, folder_of], ids=["modules", "folders"])
def test_imports_have_no_circles(room):
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if path.name != "__init__.py":
            used = {
                room(name)
                for name in imports(path)
                if name in MODULES and MODULES[name].name != "__init__.py"
            }
            graph.setdefault(room(module), set()).update(used - {room(module)})
    done: set[str] = set()

    def visit(one: str, trail: tuple[str, ...]) -> None:
        assert one not in trail, f"import circle: {' -> '.join((*trail[trail.index(one) :], one))}"
        if one not in done:
            for other in sorted(graph.get(one, ())):
                visit(other, (*trail, one))
            done.add(one)

    for one in graph:
        visit(one, ())


def test_no_file_is_past_the_limit_of_lines():
    long = {path.as_posix(): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: lines for path, lines in long.items() if lines > MAX_LINES} == {}


def test_every_folder_of_code_is_a_package_that_says_what_it_holds():
    for folder in {path.parent for path in FILES}:
        text = (ROOT / folder / "__init__.py").read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), folder


def test_tests_stand_in_the_folders_of_the_code():
    """A test's folder below tests/ is one of mfagan's (or search's below tests/search/)."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        folder = path.parent.relative_to(ROOT / "tests")
        code = ROOT / folder if folder.parts[:1] == ("search",) else ROOT / "mfagan" / folder
        assert code.is_dir(), path
