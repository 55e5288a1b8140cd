"""Figures of the weights that a small training ends with, as recorded.

`python -m tests.figures` trains and writes `tests/fixtures/training_figures.json` again: only where a change of the
weights is meant. `tests/sr/training/test_recorded_figures.py` trains alike and compares. Everything goes through the
public commands and safetensors files, so that no name of a module matters here.
"""

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

FIXTURES = Path(__file__).parent / "fixtures"
RECORDED = FIXTURES / "training_figures.json"
RECIPE = FIXTURES / "training_figures.toml"
PICTURES = FIXTURES / "v0.1.0"
WIDTHS = [32, 24, 48, 32, 24, 32, 48, 24]
STAGES = {
    "teacher": ["teacher"],
    "teacher_gan": ["teacher_gan", "teacher_discriminator"],
    "distill": ["student", "discriminator"],
    "supernet": ["supergenerator"],
    "finetune": ["subgenerator"],
}
"""Stage -> the checkpoints it leaves."""
TOLERANCE = 1e-3


def train_command(out: Path) -> list[object]:
    """All stages of `mfagan train`."""
    return ["train", RECIPE, "--out", out, *_where()]


def finetune_command(out: Path) -> list[object]:
    """`mfagan finetune` of a slice of the SuperGenerator in `out`; writes the pick that it reads."""
    supernet = out / "supergenerator.safetensors"
    pick = {
        "study": "none",
        "trial": 0,
        "widths": WIDTHS,
        "psnr_db": 0.0,
        "latency_ms": 1.0,
        "params": 1,
        "flops": 1,
        "memory_bytes": 1,
        "lut_sha256": "none",
        "supernet": str(supernet),
        "supernet_sha256": hashlib.sha256(supernet.read_bytes()).hexdigest(),
        "storage": "",
    }
    (out / "picked.json").write_text(json.dumps(pick), encoding="utf-8")
    command: list[object] = ["finetune", out / "picked.json", "--out", out / "subgenerator.safetensors"]
    return [*command, "--discriminator", out / "discriminator.safetensors", *_where()]


def _where() -> list[object]:
    pictures = ["--images", PICTURES / "photos", "--validation", PICTURES / "validation"]
    return [*pictures, "--device", "cpu", "--seed", 0]


def measure(path: Path) -> dict[str, object]:
    """A checkpoint's hash over the sorted names and the bytes of its tensors, their sums, and what validation saw."""
    content, total, absolute, n = hashlib.sha256(), 0.0, 0.0, 0
    with safe_open(path, framework="np") as file:
        for name in sorted(file.keys()):
            tensor = np.ascontiguousarray(file.get_tensor(name))
            content.update(name.encode() + tensor.tobytes())
            total += float(tensor.sum(dtype=np.float64))
            absolute += float(np.abs(tensor.astype(np.float64)).sum())
            n += tensor.size
        record = json.loads(file.metadata()["mfagan"])["record"]
    figures: dict[str, object] = {
        "sha256": content.hexdigest(),
        "numbers": n,
        "sum": total,
        "abs_sum": absolute,
    }
    seen = ("validation_psnr_db", "validation_curve", "psnr_before_db", "psnr_after_db", "best_step")
    return figures | {name: record[name] for name in seen if name in record}


def require_close(found: object, recorded: object, place: str) -> None:
    """AssertionError where figures differ by more than `TOLERANCE`, relative; a hash and the best step may differ."""
    if isinstance(recorded, Mapping):
        assert isinstance(found, Mapping)
        assert found.keys() == recorded.keys(), place
        for name, value in recorded.items():
            if name == "sum":  # positive and negative weights nearly cancel in it
                assert abs(found[name] - value) <= TOLERANCE * recorded["abs_sum"], f"{place}.{name}"
            elif name not in ("sha256", "best_step"):
                require_close(found[name], value, f"{place}.{name}")
    elif isinstance(recorded, list):
        assert isinstance(found, list)
        assert len(found) == len(recorded), place
        for one, other in zip(found, recorded, strict=True):
            require_close(one, other, place)
    else:
        assert isinstance(found, int | float)
        assert isinstance(recorded, int | float)
        assert math.isclose(found, recorded, rel_tol=TOLERANCE), f"{place}: {found}, recorded {recorded}"


def machine() -> dict[str, str]:
    """What the last bits of a training depend on."""
    cpu = {"vendor_id": "unknown", "model name": "unknown"}
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() in cpu:
            cpu[name.strip()] = value.strip()
    return {
        "torch": torch.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cpu_vendor": cpu["vendor_id"],
        "cpu_model": cpu["model name"],
    }


def _record() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TORCH_HOME": str(out / "no-weights-here")}
        for command in (train_command, finetune_command):
            arguments = [sys.executable, "-m", "mfagan", *map(str, command(out))]
            subprocess.run(arguments, check=True, env=environment)
        checkpoints = {
            name: measure(out / f"{name}.safetensors") for names in STAGES.values() for name in names
        }
    recorded = {"machine": machine(), "checkpoints": checkpoints}
    RECORDED.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _record()
