"""Names that Optuna keeps private are used in one file."""

import ast

from tests import ROOT

ADAPTER = ROOT / "search" / "storage" / "optuna_adapter.py"
OWN = ("self", "cls")


def private_names(text: str) -> list[str]:
    """Private modules that are imported, and private attributes of anything but the object itself."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            modules = []
        found += [name for name in modules if "._" in name.replace(".__", "")]
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            found += [] if owner in OWN else [node.attr]
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("getattr", "hasattr")
        ):
            name = node.args[1]
            if (
                isinstance(name, ast.Constant)
                and str(name.value).startswith("_")
                and name.value != "__notes__"
            ):
                found.append(str(name.value))
    return found


def test_the_walk_finds_them():
    text = "import optuna._x\nfrom optuna._y import z\ntrial._trial_id\nself._own\ngetattr(a, '_backend')\nx.__class__"
    assert sorted(private_names(text)) == ["_backend", "_trial_id", "optuna._x", "optuna._y.z"]
    assert private_names(ADAPTER.read_text()) != []


def test_no_other_file_uses_private_names():
    files = [path for path in (ROOT / "search").rglob("*.py") if path != ADAPTER]
    assert {path.name: names for path in files if (names := private_names(path.read_text()))} == {}
