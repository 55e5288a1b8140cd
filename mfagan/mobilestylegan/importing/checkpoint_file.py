"""Other authors' files of generators as checkpoints of this package."""

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from mfagan.checkpoint import Checkpoint, sha256
from mfagan.errors import InputError
from mfagan.importing.pytorch_file import read_pytorch_file, require_weights
from mfagan.mobilestylegan.importing.pickles import refuse_pickle
from mfagan.mobilestylegan.importing.student_names import convert_student
from mfagan.mobilestylegan.importing.stylegan2_names import convert_stylegan2
from mfagan.mobilestylegan.network.student.student import RowLayout

__all__ = ["import_file"]

logger = logging.getLogger(__name__)

_AVERAGED, _RAW = "g_ema", "g"


def import_file(path: str | Path, *, rows: RowLayout = "ours", allow_namespace: bool = False) -> Checkpoint:
    """Convert another author's file: a StyleGAN2 of the public PyTorch code, or MobileStyleGAN's published student.

    It is read by `torch.load(weights_only=True)` alone. Everything is inferred from the shapes of the weights, all of
    which are taken.

    Args:
        path: `.pt` with "g_ema" (preferred) or "g", as rosinality/stylegan2-pytorch writes; or the `.ckpt` of
            bes-dev/MobileStyleGAN.pytorch, which becomes a student with fixed demodulation, in group order.
        rows: of a student, which rows of W+ it reads; its authors' own have another layout.
        allow_namespace: whether the file may hold an `argparse.Namespace`, as snapshots of trainings do.

    Returns:
        What `mfagan.checkpoint.save` writes and `mfagan.mobilestylegan.kinds.rebuild` loads.

    Raises:
        InputError: as `read_pytorch_file` and `refuse_pickle`; no generator is in the file; weights are missing,
            unexpected, of other shapes or not finite.
    """
    refuse_pickle(path)
    found = read_pytorch_file(path, allow_namespace)
    if not isinstance(found, Mapping):
        raise InputError(
            f"weights {path}: holds {type(found).__name__}, not a dictionary; give a generator's file"
        )
    record: dict[str, object] = {"imported_from": {"file": Path(path).name, "sha256": sha256(path)}}
    state = found.get("state_dict")
    if isinstance(state, Mapping) and any(str(name).startswith("student.") for name in state):
        return convert_student(require_weights(state, path), path, rows).to_checkpoint("student", record)
    name = next((one for one in (_AVERAGED, _RAW) if isinstance(found.get(one), Mapping)), None)
    if name is None:
        keys = ", ".join(sorted(map(str, found))[:4])
        raise InputError(
            f"weights {path}: neither {_AVERAGED} nor {_RAW} is in it (it holds {keys or 'nothing'}); give a "
            "generator's file of rosinality/stylegan2-pytorch, or MobileStyleGAN's .ckpt"
        )
    if name == _RAW:
        logger.warning(
            "%s: it has no %s; its %s holds the raw weights of training, whose images are worse",
            path,
            _AVERAGED,
            _RAW,
        )
    network = convert_stylegan2(require_weights(found[name], path), path)
    mean = found.get("latent_avg")
    if mean is None:
        network.set_mean()
    else:
        network.w_mean.copy_(_mean_style(mean, network.style_dim, path))
    return network.to_checkpoint("teacher", {**record, "weights": name})


def _mean_style(mean: object, features: int, path: str | Path) -> Tensor:
    if not isinstance(mean, Tensor) or mean.numel() != features:
        what = tuple(mean.shape) if isinstance(mean, Tensor) else type(mean).__name__
        raise InputError(
            f"weights {path}: latent_avg is {what}, {features} numbers are needed; give another file"
        )
    return require_weights({"latent_avg": mean}, path)["latent_avg"].flatten()
