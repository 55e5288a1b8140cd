"""Every code block of the README and of docs/ is run as it is printed, in a folder that has what a reader has.

A page is read from its top to its end. Files that it names are written, its Python runs, and so do its commands, with
fewer trials, smaller pictures and fewer steps. A command that would take long is only given to the parser of the real
command line, which refuses an unknown command or option. Output that a page shows is compared.
"""

import contextlib
import importlib
import io
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.core import TyperGroup

import mfagan
import search
from mfagan import cli
from mfagan.latency import find_table
from mfagan.sr import shipped
from search import report
from search.__main__ import app as search_app
from search.__main__ import load_problem
from search.__main__ import main as run_search
from search.benchmarks.tabular import TabularProblem
from search.problem import Problem
from search.samplers import NAMES
from search.study import load
from search.testing import ProblemContract
from tests import ROOT
from tests.command import Run
from tests.pictures import draw
from tests.tiny import write_photos

DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:mfagan|python -m|make|pip install|torchrun) [^`]+)`")
NAMED = re.compile(r"`([\w-]+\.(?:py|toml))`[^`]*:\n\n\Z")
"""The end of what precedes the block of a file that the page names."""

SMALLER = {
    "search --lut litert-epyc-2-threads --images": "--images photos --crop 32 --crops 2 --trials 6 --sampler nsga2",
    "search": "--images photos --crop 32 --max-images 2 --trials 6 --population 4 --sampler nsga2 --precision fp32",
    "front": "",
    "pick": "",
    "finetune": "--images photos --validation Set5 --max-steps 1 --device cpu",
    "evaluate": "--no-latency --device cpu",
    "benchmark": "--network SPANV2 --network ours-24 --size 16x16 --rounds 1",
    "export": "--size 16x16 --photo photos/photo_0.png --threads 1",
    "history": "",
    "record": "",
    "rank": "--images Set5 --slices 3",
    "upscale": "--device cpu --overwrite",
    "info": "",
    "costs": "",
    "data check": "",
    "train mine.toml": "--max-steps 1 --validation Set5 --device cpu",
    "mobilestylegan teacher drawings": "--max-steps 1 --device cpu",
    "mobilestylegan train demo": "--max-steps 1 --device cpu",
    "mobilestylegan sample runs/faces/student.safetensors": "--device cpu",
    "mobilestylegan lut build": "--rounds 1",
    "mobilestylegan search": "--latents 2 --device cpu",
    "mobilestylegan pick": "",
    "mobilestylegan finetune": "--max-steps 1 --device cpu",
    "mobilestylegan export small.safetensors": "",
    "coronetgan train demo": "--max-steps 12 --gamma 200 --device cpu",
    "coronetgan lut build": "--rounds 1",
    "coronetgan search": "--max-images 2 --trials 4 --population 2 --device cpu",
    "coronetgan pick": "",
    "coronetgan finetune": "--max-steps 1 --device cpu",
    "coronetgan export runs/shapes/pruned.safetensors --beside": "--rounds 1",
    "coronetgan export runs/shapes/pruned.safetensors --precision fp16": "",
}
"""Commands of `mfagan` that are run -> what makes them quick; the others are parsed alone."""


@dataclass(frozen=True)
class Block:
    """A code block: its language, its lines, the line before the first, and the file that the page calls it."""

    language: str
    text: str
    line: int
    name: str | None
    follows: bool
    """Whether nothing stands between this block and the one before it."""


def blocks(page: Path) -> list[Block]:
    text, end, found = page.read_text(encoding="utf-8"), 0, []
    for match in FENCE.finditer(text):
        before = text[end : match.start()]
        name = NAMED.search(before)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2], line, name and name[1], found != [] and not before.strip()))
        end = match.end()
    return found


def named_files(page: Path) -> dict[str, str]:
    return {block.name: block.text for block in blocks(page) if block.name}


def commands(block: Block) -> Iterator[tuple[list[str], str]]:
    """The commands of an `sh` or `console` block, cut into words, with the output that `console` shows."""
    text = block.text.replace("\\\n", " ")
    if block.language == "sh":
        for line in text.splitlines():
            if words := shlex.split(line, comments=True):
                yield words, ""
    elif block.language == "console":
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            line, _, output = part.partition("\n")
            yield shlex.split(line, comments=True), output


def page_commands(page: Path) -> list[list[str]]:
    return [words for block in blocks(page) for words, _ in commands(block)]


def command(page: Path, *words: str) -> list[str]:
    """The one command of a page that has these words."""
    (found,) = [one for one in page_commands(page) if set(words) <= set(one)]
    return found


def parse(app: typer.Typer, words: Sequence[str]) -> None:
    """What typer does before it calls the function; fails on a command, option or value that it does not know."""
    one = typer.main.get_command(app)
    context = one.make_context("command", list(words))
    while isinstance(one, TyperGroup):
        name, found, rest = one.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        one, context = found, found.make_context(name, rest, parent=context)


def understand(page: Path, words: list[str]) -> None:
    """Fail unless the command is one that a reader of the page can give."""
    match words:
        case ["mfagan", *rest] | ["torchrun", "--nproc-per-node", _, "-m", "mfagan", *rest]:
            parse(cli.app, rest)
        case ["python", "-m", "search", *rest]:
            parse(search_app, rest)
        case ["python", "-m", module, *rest] if module.startswith("mfagan."):
            of_module = typer.Typer()
            of_module.command()(importlib.import_module(module).main)
            parse(of_module, rest)
        case ["pytest", file] if file.startswith("tests/"):
            assert (ROOT / file).is_file()
        case ["python", file, *_] | ["pytest", file]:
            assert file in named_files(page)
        case ["make", target]:
            assert target in TARGETS
        case ["pip", "install", package, *rest]:
            extra = re.fullmatch(r"mfagan\[(\w+)\]", package)
            assert package == "." or (extra is not None and extra[1] in PROJECT["optional-dependencies"])
            assert rest in ([], ["--constraint", "constraints.txt"])
        case ["optuna-dashboard" | "tensorboard" as name, *_]:
            assert name == "tensorboard" or entry_points(group="console_scripts", name=name)
        case _:
            pytest.fail(f"no such command: {shlex.join(words)}")


def smaller(words: list[str]) -> list[str] | None:
    """The words after `mfagan`, made quick; None for a command that is only parsed."""
    for name, options in SMALLER.items():
        if words[1:][: len(name.split())] == name.split():
            return [*words[1:], *options.split()]
    return None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What a reader has: pictures, a latency table, trained networks; the named files can be imported."""
    for name in ("photos", "DIV2K"):
        write_photos(tmp_path / name, 3, 160)
    for name in ("Set5", "Set14"):
        write_photos(tmp_path / name, 2, 64)
    for name in ("trainA", "trainB", "testA", "testB"):
        write_photos(tmp_path / "horse2zebra" / name, 2, 64)
    draw(tmp_path / "photo.png")
    (tmp_path / "luts").mkdir()
    shutil.copy(find_table(shipped.LATENCY_TABLE), tmp_path / "luts" / "mydevice.json")
    (tmp_path / "weights").mkdir()
    for file in (shipped.SUPERGENERATOR, shipped.DISCRIMINATOR):
        shutil.copy(file, tmp_path / "weights")
    (tmp_path / "mfagan" / "sr").mkdir(parents=True)
    (tmp_path / "mfagan" / "sr" / "weights").symlink_to(shipped.WEIGHTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for page in PAGES:
        for name in named_files(page):
            sys.modules.pop(Path(name).stem, None)


def write_files(page: Path, folder: Path) -> None:
    for name, text in named_files(page).items():
        (folder / name).write_text(text, encoding="utf-8")


def run_commands(block: Block, run: Run) -> None:
    for words, output in commands(block):
        arguments = smaller(words) if words[0] == "mfagan" else None
        if arguments is not None:
            done = run(*arguments)
            assert done.status == 0, f"line {block.line}: {shlex.join(words)}: {done.err}"
            assert not output or done.out == output


def run_python(blocks: Sequence[Block], page: Path, namespace: dict[str, object]) -> None:
    """Run the first block and compare what it prints with the second, where that is its output."""
    block, *rest = blocks
    printed = io.StringIO()
    code = compile("\n" * block.line + block.text, str(page), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    if rest and rest[0].language == "text" and rest[0].follows:
        assert printed.getvalue() == rest[0].text


def run_page(page: Path, folder: Path, run: Run) -> None:
    write_files(page, folder)
    found = blocks(page)
    namespace: dict[str, object] = {"__name__": page.stem}
    for i, block in enumerate(found):
        if block.language == "python" and block.name is None:
            run_python(found[i : i + 2], page, namespace)
        run_commands(block, run)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_understood(page: Path):
    for words in page_commands(page):
        understand(page, words)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.stem)
def test_commands_within_sentences_exist(page: Path):
    """They may leave out what the sentence does not need, but have no command or option that there is not."""
    sentences = FENCE.sub("", page.read_text(encoding="utf-8"))
    for found in INLINE.findall(sentences):
        try:
            understand(page, shlex.split(found))
        except typer.BadParameter as error:
            if type(error).__name__ != "MissingParameter":
                raise
        except typer.Exit as ended:
            if ended.exit_code != 0:  # 0 is that of --help
                raise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_is_fenced(page: Path):
    """A block that is only indented would not be run."""
    outside = FENCE.sub("", page.read_text(encoding="utf-8"))
    assert re.findall(r"^    +(?:mfagan|python|pytest|make|from|import) .*", outside, re.MULTILINE) == []
    assert {block.language for block in blocks(page)} <= {"sh", "console", "python", "text", "toml", "kotlin"}


@pytest.mark.parametrize("name", ["search_widths", "train", "costs", "speed", "mobilestylegan", "coronetgan"])
def test_the_page_runs(name: str, folder: Path, run: Run):
    run_page(DOCS / f"{name}.md", folder, run)


def test_the_tour_runs_and_the_page_on_deploying_continues_it(folder: Path, run: Run):
    run_page(DOCS / "index.md", folder, run)
    run_page(DOCS / "deploy.md", folder, run)
    assert (folder / "runs" / "scores" / "evaluation.md").exists()
    (folder / "large.png").unlink()
    for block in blocks(README):
        if block.language == "python" and block.name is None:
            run_python([block], README, {})
    assert (folder / "large.png").exists()


def test_the_tour_of_the_readme_is_that_of_the_documentation():
    tours = [
        [words for words in page_commands(page) if words[0] == "mfagan"]
        for page in (README, DOCS / "index.md")
    ]
    assert tours[0][: len(tours[1])] == tours[1]


@pytest.mark.parametrize("package", [mfagan, search, report], ids=lambda package: package.__name__)
def test_the_reference_has_every_public_name(package: ModuleType):
    reference = re.findall(
        rf"^::: {package.__name__}\.(\w+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(reference) == sorted(name for name in package.__all__ if not name.startswith("__"))


def test_the_readme_is_short():
    assert len((README).read_text(encoding="utf-8").splitlines()) <= 180


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_to_files(page: str):
    """Those between pages of docs/ are checked by `make docs`."""
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_folders_that_are_named_exist():
    """The README's tree, and the answers of CONTRIBUTING."""
    (tree,) = [block for block in blocks(README) if block.text.startswith("mfagan/ ")]
    parents: list[str] = []
    for line in tree.text.splitlines():
        indent, name = re.match(r"( *)([\w/]+)", line).groups()  # type: ignore[union-attr]
        parents[len(indent) // 4 :] = [name]
        assert (ROOT / "".join(parents)).is_dir(), line
    answers = re.findall(r"\| `([\w/]+/)` \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M)
    assert len(answers) >= 10
    assert [answer for answer in answers if not (ROOT / answer).is_dir()] == []


def test_modules_of_the_changelog_exist():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    modules = re.findall(r"^\| `[\w.]+`.* \| `((?:mfagan|search)\.[\w.]+)` \|$", changelog, re.M)
    assert len(modules) > 60
    for module in modules:
        importlib.import_module(module)


PROBLEMS = DOCS / "problems.md"


def assert_contract(problem: Problem, folder: Path) -> None:
    tests = [name for name in vars(ProblemContract) if name.startswith("test_")]
    for name in tests:
        arguments = [folder] if name == "test_a_study_runs_and_continues" else []
        getattr(ProblemContract(), name)(problem, *arguments)


def test_the_python_of_problems_runs(folder: Path, run: Run):
    write_files(PROBLEMS, folder)
    assert run_search(command(PROBLEMS, "run", "deflate.db")[3:]) == 0
    assert load("deflate.db", "first").n_trials == 200
    assert (folder / "front.html").exists()
    run_page(PROBLEMS, folder, run)


def test_a_problem_has_twenty_lines():
    lines = [line for line in named_files(PROBLEMS)["deflate.py"].splitlines() if line.strip()]
    assert len(lines) <= 20


@pytest.mark.parametrize(("page", "name"), [(README, "bridge"), (PROBLEMS, "deflate"), (PROBLEMS, "small")])
def test_the_problems_fulfil_the_contract(folder: Path, page: Path, name: str):
    write_files(page, folder)
    assert_contract(load_problem(f"{name}:build"), folder)


@pytest.mark.parametrize(
    ("page", "words", "n_trials"),
    [(README, ["bridge:build"], 40), (PROBLEMS, ["small:build"], 60)],
)
def test_the_searches_run(
    folder: Path, capsys: pytest.CaptureFixture[str], page: Path, words: list[str], n_trials: int
):
    write_files(page, folder)
    found = command(page, "run", *words)
    assert run_search(found[3:]) == 0
    assert capsys.readouterr().out.startswith(f"{n_trials} finished trials, {n_trials} distinct, ")
    assert ("--out" in found) == (folder / "front.html").exists()


def test_every_sampler_is_described():
    assert re.findall(r"^\| `(\w+)` \|", PROBLEMS.read_text(encoding="utf-8"), re.MULTILINE) == list(NAMES)


@pytest.mark.slow
def test_the_contract_of_ones_own_problem(folder: Path):
    write_files(PROBLEMS, folder)
    done = subprocess.run(
        [sys.executable, "-m", *command(PROBLEMS, "pytest"), "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.slow
def test_the_proxy(folder: Path):
    write_files(PROBLEMS, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    start = command(PROBLEMS, "serve.py")
    arguments = ["sqlite:///behind.db", *start[3:-1], port]
    proxy = subprocess.Popen([sys.executable, start[1], *arguments], cwd=folder)
    try:
        words = [
            word.replace("13000", port)
            for word in command(PROBLEMS, "deflate:build", "grpc://127.0.0.1:13000")
        ]
        words[words.index("--trials") + 1] = "20"
        assert run_search(words[3:]) == 0
    finally:
        proxy.kill()
        proxy.wait()
    assert load("behind.db", "first").n_unique_trials == 20


@pytest.mark.slow
def test_the_table(folder: Path):
    write_files(PROBLEMS, folder)
    assert run_search(command(PROBLEMS, "exhaustive")[3:]) == 0
    subprocess.run([sys.executable, "tabulate.py"], cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True)
    table = TabularProblem.read("deflate.json")
    assert len(table.values) == 2268
    script = (folder / "compare.py").read_text(encoding="utf-8")
    fewer = script.replace("seeds=5, counts=(50, 100, 200)", "seeds=1, counts=(10, 20)")
    assert fewer != script
    (folder / "compare.py").write_text(fewer, encoding="utf-8")
    command_line = [sys.executable, "compare.py"]
    done = subprocess.run(
        command_line, cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True
    )
    for name in ("front (ours)", "nsga2 (ours)", "optuna-tpe", "optuna-random"):
        assert name in done.stdout


def test_the_site_needs_no_network(tmp_path: Path):
    """It is built without a warning, and no page loads a script, a style, a font or a picture from a server."""
    site = tmp_path / "site"
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", site]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    pages = sorted(site.rglob("*.html"))
    assert {page.stem for page in pages} >= {page.stem for page in DOCS.glob("*.md")}
    for page in pages:
        html = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?([^\"' >]+)", html)
        links = re.findall(r"<link\b[^>]*>", html)
        loaded += [
            re.sub(r".*href=[\"']?([^\"' >]+).*", r"\1", one) for one in links if "canonical" not in one
        ]
        assert [one for one in loaded if re.match(r"(?:https?:)?//", one)] == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet
