"""What `import search` gives, and that it stays."""

import ast
import importlib
import importlib.util
import inspect
import itertools
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import search
from tests import ROOT

PUBLIC = [
    "Evaluation",
    "Known",
    "LatencyTable",
    "Limit",
    "Objective",
    "Pick",
    "Point",
    "Problem",
    "Race",
    "SearchError",
    "SearchSettings",
    "StudyRecord",
    "choose",
    "derive",
    "front",
    "load",
    "pick",
    "run",
]
MODULES = [module.name for module in pkgutil.walk_packages(search.__path__, "search.")]


def loaded_after(code: str) -> list[str]:
    """The modules that a new interpreter has loaded after `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_public_names_stay():
    assert search.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(search))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_documented(name):
    value = getattr(search, name)
    text = inspect.getdoc(value) or ""
    first, _, rest = text.partition("\n")
    assert first.endswith(".")
    if not inspect.isfunction(value):
        return
    for parameter in inspect.signature(value).parameters:
        assert f"\n    {parameter}: " in rest, f"{name} does not describe {parameter}"


def test_importing_it_loads_nothing_else():
    loaded = loaded_after("import search")
    assert [name for name in loaded if name.startswith("search.")] == []
    assert not {"optuna", "numpy", "pydantic", "plotly", "rich"} & set(loaded)


def test_a_problem_can_be_written_without_optuna():
    assert not {"optuna", "plotly", "torch"} & set(
        loaded_after("from search import Problem, Objective, Evaluation, LatencyTable, front, pick")
    )


@pytest.mark.parametrize(
    "first",
    ["search", "search.picking", "search.pareto", "search.study", "search.samplers.front", "search.__main__"],
)
def test_functions_are_never_hidden_by_modules(first):
    """Importing a module sets an attribute of its package, which would replace a function of the same name."""
    code = f"import {first}\nfrom search import pick, front, load, run"
    code += "\nassert all(map(callable, (pick, front, load, run)))"
    assert first in loaded_after(code)
    assert not {module.rpartition(".")[2] for module in MODULES if module.count(".") == 1} & set(PUBLIC)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'search' has no attribute 'serach'"):
        _ = search.serach  # pyright: ignore[reportAttributeAccessIssue]


def test_types_are_declared():
    assert (ROOT / "search" / "py.typed").exists()


def tree_of(module: str) -> ast.Module:
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    return ast.parse(Path(found.origin).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in MODULES if name != "search.testing"])
def test_every_module_lists_its_public_names(name):
    defined = [
        node.name
        for node in tree_of(name).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]
    commands = {"run_problem"} if name == "search.__main__" else set()
    module = importlib.import_module(name)
    assert set(defined) - commands <= set(getattr(module, "__all__", []))
    for public in getattr(module, "__all__", []):
        assert hasattr(module, public)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "search.testing"])
def test_every_parameter_of_a_public_function_is_described(name):
    """Those of a command are described by their options."""
    body = tree_of(name).body
    classes = [node for node in body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for node in itertools.chain(body, *(one.body for one in classes)):
        if not isinstance(node, ast.FunctionDef) or (node.name.startswith("_") and node.name != "__init__"):
            continue
        text = ast.get_docstring(node) or ""
        taken = [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        for argument in [one for one in taken if one is not None]:
            is_option = argument.annotation is not None and "Annotated" in ast.unparse(argument.annotation)
            if argument.arg not in ("self", "cls") and not is_option:
                assert f"    {argument.arg}: " in text, f"{node.name} does not describe {argument.arg}"
