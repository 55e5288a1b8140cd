"""The `mfagan` command. Every command imports what it needs itself, so that `mfagan --help` is instant."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from mfagan.errors import InputError
from mfagan.sr.shipped import DISCRIMINATOR, SUPERGENERATOR
from search.errors import SearchError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Small super-resolution GANs for a device: train, price, search, browse, pick, fine-tune, export.",
)
lut_app = typer.Typer(no_args_is_help=True, help="Latency look-up tables.")
app.add_typer(lut_app, name="lut")

ImagesOption = Annotated[
    str, typer.Option("--images", help="A folder of images, or `embedded` for the bundled photos.")
]
StorageOption = Annotated[str, typer.Option(help="Optuna storage URL, or the path of an SQLite file.")]
StudyOption = Annotated[str, typer.Option(help="The study's name.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
SizeOption = Annotated[str, typer.Option(help="LR input size, HEIGHTxWIDTH in pixels.")]
OutOption = Annotated[Path, typer.Option(help="The file to write.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Vgg19Option = Annotated[
    Path | None, typer.Option(help="VGG19's weights (default: $TORCH_HOME/hub/checkpoints).")
]
ValidationOption = Annotated[
    str | None, typer.Option(help="A folder to validate on (default: a held-out part of --images).")
]
MaxStepsOption = Annotated[int | None, typer.Option(min=1, help="Cap on the steps of a stage.")]

DEFAULT_STORAGE = "runs/study.db"
DEFAULT_STUDY = "mfagan"


def main() -> None:
    """Run the command line: bad input ends in one line on standard error and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except (InputError, SearchError) as error:
        status = _fail(str(error))
    except typer.TyperException as error:
        status = _fail(error.format_message() or "see `mfagan --help`")
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> int:
    print(f"mfagan: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _say(text: str) -> None:
    print(f"mfagan: {text}", file=sys.stderr)


@app.command()
def costs(
    widths: Annotated[
        str, typer.Option(help="Eight positive widths, trunk, CFAB 1 to 6, fusion; or one for all.")
    ],
    size: SizeOption = "128x128",
    residual: Annotated[str, typer.Option(help="none (the paper's network) or bicubic.")] = "none",
    as_json: JsonOption = False,
) -> None:
    """Print parameters, multiply-accumulates, FLOPs (the paper's count) and memory traffic of an MFANet."""
    from mfagan.costs import sum_costs
    from mfagan.sr.generator import operators
    from mfagan.sr.widths import Widths

    if residual not in ("none", "bicubic"):
        raise InputError(f"residual {residual!r}: give none or bicubic")
    height, width = _read_size(size)
    found = sum_costs(operators(Widths.parse(widths), height, width, residual=residual))
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    units = {
        "params": "",
        "macs": "multiply-accumulates",
        "flops": "(paper's count)",
        "memory_bytes": "bytes",
    }
    for name, figure in found.as_dict().items():
        print(f"{name:<14}{figure:>18,} {units[name]}".rstrip())


@app.command()
def info(
    ckpt: Annotated[Path, typer.Argument(help="A checkpoint.")],
    as_json: JsonOption = False,
) -> None:
    """Say what a checkpoint is and how it was made."""
    from mfagan import checkpoint

    found = checkpoint.read(ckpt)
    about = {
        "file": str(ckpt),
        "sha256": checkpoint.sha256(ckpt),
        "network": found.network,
        "role": found.role,
        "params": checkpoint.count_parameters(found),
        **found.config,
        **found.record,
    }
    if as_json:
        print(json.dumps(about))
        return
    for name, value in about.items():
        print(f"{name:<20}{value if isinstance(value, str) else json.dumps(value)}")


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="demo, paper, or a TOML file.")],
    out: Annotated[Path, typer.Option(help="The folder to write checkpoints into.")],
    images: ImagesOption = "embedded",
    validation: ValidationOption = None,
    stage: Annotated[list[str] | None, typer.Option(help="Run this stage alone (repeatable).")] = None,
    vgg19: Vgg19Option = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
) -> None:
    """Train stages 1a to 3: the teacher, its GAN, the distilled student pair, the SuperGenerator."""
    from mfagan.output import require_writable
    from mfagan.progress import show_bar
    from mfagan.sr import train as training
    from mfagan.sr.recipe import read_recipe

    settings = training.cap_steps(read_recipe(recipe), max_steps)
    stages = training.check_stages(stage)
    place = training.Place(require_writable(out), images, validation, vgg19, device, seed)
    run = training.prepare_run(settings, place, show_bar, _say)
    for path in run.train(stages):
        print(path)


@lut_app.command("build")
def build_lut(
    out: Annotated[Path, typer.Option(help="The JSON file to write, such as luts/NAME.json.")],
    runtime: Annotated[str, typer.Option(help="The runtime that is measured.")] = "litert",
    threads: Annotated[int, typer.Option(min=1, help="Threads of the interpreter.")] = 2,
    size: SizeOption = "128x128",
    scale: Annotated[int, typer.Option(min=2, max=4, help="Enlargement of the networks.")] = 4,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds, of whose runs the fastest counts.")
    ] = None,
) -> None:
    """Measure every block the choices can need on this machine and write the look-up table."""
    from mfagan.latency import ROUNDS, build_table, describe_build, warn_noise
    from mfagan.output import require_place, write_atomic
    from mfagan.progress import show_bar
    from mfagan.sr.problem import every_block

    height, width = _read_size(size)
    require_place(out)
    command = describe_build(threads, (height, width), runtime, out)
    command += ("" if scale == 4 else f" --scale {scale}") + ("" if rounds is None else f" --rounds {rounds}")
    with show_bar("latency table") as report:
        table = build_table(
            every_block((height, width), scale),
            runtime=runtime,
            threads=threads,
            input_size=(height, width),
            command=command,
            rounds=rounds or ROUNDS,
            report=report,
        )
    write_atomic(out, table.to_json())
    noise = warn_noise(table)
    if noise:
        _say(f"warning: {noise}")
    print(out)


@app.command("search")
def run_search(
    lut: Annotated[str, typer.Option(help="A latency look-up table: a file, or the name of a shipped one.")],
    supernet: Annotated[Path, typer.Option(help="The SuperGenerator's checkpoint.")] = SUPERGENERATOR,
    images: ImagesOption = "embedded",
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    trials: Annotated[int, typer.Option(min=1, help="Finished trials the study shall have in all.")] = 200,
    max_latency_ms: Annotated[float | None, typer.Option(help="Ceiling on the latency, in ms.")] = None,
    population: Annotated[int, typer.Option(min=2, help="NSGA-II's population.")] = 50,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    size: SizeOption = "128x128",
    crop: Annotated[
        int | None, typer.Option(help="Score on the centre of each image, this many HR pixels a side.")
    ] = None,
    max_images: Annotated[int | None, typer.Option(help="Score on the first images alone.")] = None,
) -> None:
    """Search widths by PSNR-Y and latency; the same command again continues the study."""
    from mfagan.data import read_pairs
    from mfagan.devices import choose_device
    from mfagan.latency import describe_build, find_table, warn_size
    from mfagan.sr.problem import SubGeneratorProblem
    from search.latency import LatencyTable

    target = _read_size(size)
    path = find_table(lut)
    table = LatencyTable.read(path)
    warning = warn_size(table, *target)
    if warning:
        _say(f"warning: {warning}")
    scale = _scale_of(supernet)
    problem = SubGeneratorProblem(
        supernet,
        read_pairs(images, scale, max_images, crop),
        table,
        describe_build(table.threads, target, table.runtime, path)
        + ("" if scale == 4 else f" --scale {scale}"),
        max_latency_ms,
        target,
        choose_device(device),
    )
    run_study(problem, storage, study, trials, population, seed)
    best = len(_front(_load(storage, study)))
    print(f"study {study}: {trials} trials, {best} on the front; browse it with `mfagan front`")


def run_study(problem: Any, storage: str, study: str, trials: int, population: int, seed: int) -> None:
    """Run an Optuna study with a progress bar of the best PSNR."""
    from mfagan.output import require_writable
    from mfagan.progress import show_bar
    from search.study import Progress, run

    if storage == DEFAULT_STORAGE:
        require_writable(Path(storage).parent)
    with show_bar("search") as report:

        def show(progress: Progress) -> None:
            best = "" if progress.best is None else f"best {progress.best:.3f} dB"
            report(progress.n_finished, progress.n_trials, best)

        # A whole generation at once: its choices share the work of their common prefixes.
        run(problem, storage, study, trials, population=population, batch=population, seed=seed, report=show)


@app.command()
def front(
    out: OutOption,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Write the Pareto front as one HTML file that works offline."""
    from mfagan.output import write_atomic
    from search.page import front_page

    write_atomic(out, front_page(_load(storage, study)))
    print(out)


@app.command()
def pick(
    out: OutOption,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    trial: Annotated[int | None, typer.Option(help="This trial.")] = None,
    max_latency_ms: Annotated[
        float | None, typer.Option(help="The best PSNR within this latency, in ms.")
    ] = None,
    knee: Annotated[bool, typer.Option("--knee", help="The front's knee.")] = False,
) -> None:
    """Pick one trial of a study and write it as JSON."""
    from mfagan.sr.problem import LATENCY, as_picked
    from search.pick import pick as pick_point

    record = _load(storage, study)
    at_most = None if max_latency_ms is None else (LATENCY.name, max_latency_ms)
    point = pick_point(record.points, record.objectives, trial=trial, at_most=at_most, knee=knee)
    as_picked(study, point).save(out)
    print(out)


@app.command()
def finetune(
    picked: Annotated[Path, typer.Argument(help="What `mfagan pick` wrote.")],
    out: OutOption,
    discriminator: Annotated[
        Path, typer.Option(help="The distilled discriminator's checkpoint.")
    ] = DISCRIMINATOR,
    images: ImagesOption = "embedded",
    validation: ValidationOption = None,
    supernet: Annotated[Path | None, typer.Option(help="The SuperGenerator, where it has moved.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="demo, paper or a file (default: the SuperGenerator's).")
    ] = None,
    vgg19: Vgg19Option = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
) -> None:
    """Fine-tune a picked SubGenerator with the distilled discriminator (stage 4)."""
    from mfagan.output import require_place
    from mfagan.progress import show_bar
    from mfagan.sr import train as training
    from mfagan.sr.picked import read_picked
    from mfagan.sr.recipe import read_recipe

    choice = read_picked(picked)
    network, found = choice.load_supernet(supernet)
    settings = training.recipe_of(found) if recipe is None else read_recipe(recipe)
    settings = training.cap_steps(settings, max_steps)
    opponent = training.load_discriminator(discriminator)
    place = training.Place(require_place(out).parent, images, validation, vgg19, device, seed)
    run = training.prepare_run(settings, place, show_bar, _say)
    tuned = run.finetune(network.extract(choice.as_widths()), opponent, out, {"picked": vars(choice)})
    print(
        f"{out}: PSNR-Y {tuned.psnr_before_db:.3f} dB before, {tuned.psnr_after_db:.3f} dB after "
        f"(best at step {tuned.best_step} of {settings.stages.finetune.steps})"
    )


@app.command()
def export(
    ckpt: Annotated[Path, typer.Argument(help="A generator's checkpoint.")],
    out: OutOption,
    to: Annotated[str, typer.Option("--format", help="tflite.")] = "tflite",
    size: SizeOption = "128x128",
    widths: Annotated[str | None, typer.Option(help="The slice of a SuperGenerator to export.")] = None,
    photo: Annotated[
        Path | None, typer.Option(help="The photo of the parity check (default: a bundled one).")
    ] = None,
) -> None:
    """Export a generator, after checking on a real photo that the file computes what PyTorch does."""
    from mfagan.data import EMBEDDED, read_pairs
    from mfagan.images import read_image
    from mfagan.output import require_place, write_atomic
    from mfagan.sr.export import export_generator

    if to != "tflite":
        raise InputError(f"format {to!r}: only tflite is known")
    network = _load_generator(ckpt, widths)
    require_place(out)
    picture = read_pairs(EMBEDDED, network.scale)[0].hr if photo is None else read_image(photo)
    model, difference = export_generator(network, _read_size(size), picture)
    write_atomic(out, model)
    print(f"{out}: {len(model):,} bytes, largest absolute difference from PyTorch {difference:.2e}")


@app.command()
def evaluate(
    ckpt: Annotated[Path, typer.Argument(help="A generator's checkpoint.")],
    images: ImagesOption = "embedded",
    widths: Annotated[str | None, typer.Option(help="The slice of a SuperGenerator to score.")] = None,
    save_images: Annotated[
        Path | None, typer.Option(help="A folder to write the enlarged images into.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="AlexNet's weights for LPIPS.")] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Print PSNR-Y and SSIM (and LPIPS where its weights are present) beside bicubic's, an image a row."""
    from mfagan import backbones
    from mfagan.data import read_pairs
    from mfagan.devices import choose_device, place
    from mfagan.evaluate import mean_scores, score, super_resolve
    from mfagan.images import write_image
    from mfagan.output import require_writable

    network = place(_load_generator(ckpt, widths), choose_device(device))
    pairs = read_pairs(images, network.scale)
    backbone = backbones.find_weights("alexnet", weights)
    lpips = None if backbone is None else backbones.load_lpips(backbone)
    if lpips is None:
        _say(f"LPIPS is left out: {backbones.describe_missing('alexnet')}")
    if save_images is not None:
        require_writable(save_images)
    rows = []
    for pair in pairs:
        enlarged = super_resolve(network, pair.lr).cpu()
        rows.append(score(enlarged, pair, lpips))
        if save_images is not None:
            write_image(save_images / f"{pair.name}.png", enlarged)
    mean = mean_scores(rows)
    if as_json:
        print(json.dumps(_as_json(mean) | {"n_images": len(rows), "images": [_as_json(row) for row in rows]}))
        return
    print(
        f"{'image':<20}{'PSNR-Y dB':>10}{'SSIM':>9}{'bicubic dB':>12}{'SSIM':>9}"
        + ("  LPIPS alex v0.1" if lpips else "")
    )
    for row in (*rows, mean):
        distance = "" if row.lpips is None else f"{row.lpips:>17.4f}"
        print(
            f"{row.name:<20}{row.psnr_db:>10.3f}{row.ssim:>9.4f}{row.bicubic_psnr_db:>12.3f}{row.bicubic_ssim:>9.4f}{distance}"
        )


def _as_json(scores: Any) -> dict[str, object]:
    return {name: value for name, value in vars(scores).items() if value is not None}


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("runs/demo"),
    seed: SeedOption = 0,
    trials: Annotated[int, typer.Option(min=1, help="Trials of the search.")] = 150,
    max_steps: MaxStepsOption = None,
) -> None:
    """Run everything on the bundled photos: train, price, search, browse, pick, fine-tune, export."""
    from mfagan.output import require_writable
    from mfagan.sr.problem import as_finding
    from mfagan.sr.report import summarize, write_report

    require_writable(out)
    database, study, lut, picked = out / "study.db", "demo", out / "lut.json", out / "picked.json"
    supernet = out / "weights" / "supergenerator.safetensors"
    discriminator = out / "weights" / "discriminator.safetensors"
    subgenerator, model = out / "subgenerator.safetensors", out / "subgenerator.tflite"
    database.unlink(missing_ok=True)  # the study of an earlier demo is about another SuperGenerator
    storage = str(database)
    seconds: dict[str, float] = {}
    with _timed(seconds, "train"):
        train("demo", out=supernet.parent, seed=seed, max_steps=max_steps)
    with _timed(seconds, "lut"):
        build_lut(out=lut)
    with _timed(seconds, "search"):
        run_search(str(lut), supernet, storage=storage, study=study, trials=trials, population=30, seed=seed)
    with _timed(seconds, "front"):
        front(out=out / "front.html", storage=storage, study=study)
    with _timed(seconds, "pick"):
        pick(out=picked, storage=storage, study=study, knee=True)
    with _timed(seconds, "finetune"):
        finetune(picked, subgenerator, discriminator, seed=seed, max_steps=max_steps)
    with _timed(seconds, "export"):
        export(subgenerator, out=model)
    record = _load(storage, study)
    trials_found = [as_finding(point) for point in record.points]
    front_found = [as_finding(point) for point in _front(record)]
    facts = write_report(out, supernet, subgenerator, model, picked, trials_found, front_found, seconds)
    print(summarize(facts, out))


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 2)


def _read_size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) >= 4 and int(width) >= 4):
        raise InputError(f"size {text!r}: give HEIGHTxWIDTH in pixels, at least 4x4, such as 128x128")
    return int(height), int(width)


def _scale_of(path: Path) -> int:
    from mfagan import checkpoint

    return int(str(checkpoint.read(path, "mfanet").config["scale"]))


def _load_generator(path: Path, widths: str | None) -> Any:
    from mfagan import checkpoint
    from mfagan.sr.elastic import SuperGenerator
    from mfagan.sr.generator import MFANet
    from mfagan.sr.widths import Widths, require_choice

    found = checkpoint.read(path, "mfanet")
    if widths is None:
        return MFANet.from_checkpoint(found, path)
    return SuperGenerator.from_checkpoint(found, path).extract(require_choice(Widths.parse(widths)))


def _load(storage: str, study: str) -> Any:
    from search.study import load

    return load(storage, study)


def _front(record: Any) -> list[Any]:
    from search.pareto import front as find_front

    return find_front(record.points, record.objectives)
