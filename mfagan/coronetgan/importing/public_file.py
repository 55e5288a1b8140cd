"""Generators of the public CycleGAN and pix2pix code as checkpoints of this package, and back."""

import io
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mfagan.checkpoint import Checkpoint, sha256
from mfagan.coronetgan.importing.public_names import (
    BLOCK_NUMBERINGS,
    BlockNumbering,
    Place,
    resnet_places,
    unet_places,
)
from mfagan.coronetgan.network.links import OUTPUT, Biases, Norm
from mfagan.coronetgan.network.norm import AtInference
from mfagan.coronetgan.network.resnet import ResnetTranslator
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.network.unet import UnetTranslator
from mfagan.errors import InputError
from mfagan.files import require_place, write_atomic
from mfagan.importing.naming import Source, fill, first_shape
from mfagan.importing.pytorch_file import read_pytorch_file, require_weights

__all__ = ["import_public", "write_public"]

_WRAPPED = "module."
"""What `DataParallel` puts before names."""
_STATISTICS = re.compile(r".*\.(running_mean|running_var|num_batches_tracked)")
_NOTHING = re.compile("(?!)")
_COUNT = "num_batches_tracked"
_NORM_NAMES = ("weight", "bias", "running_mean", "running_var", _COUNT)
_DISCRIMINATOR = re.compile(r"(model|net)\.0\.weight|scale\d+_layer\d+\.|layer\d+\.")
"""How the first name of the public discriminators begins, those of pix2pixHD among them."""
_DIRECTION = re.compile(r".*_G_([AB])$")
_PUBLIC_RESNETS = {6: "resnet_6blocks", 9: "resnet_9blocks"}
_PUBLIC_UNETS = {7: "unet_128", 8: "unet_256"}
"""Blocks or levels -> the name of the network among the public code's options."""
_GIVE = "give latest_net_G.pth, _G_A.pth or _G_B.pth of the public CycleGAN or pix2pix code"


def import_public(path: str | Path, norm_at_inference: AtInference | None = None) -> Checkpoint:
    """Convert a generator of the public CycleGAN and pix2pix code: `latest_net_G.pth`, `_G_A` or `_G_B`.

    It is read by `torch.load(weights_only=True)` alone. Kind, widths, blocks or levels, channels of the pictures, norm
    and biases are inferred from the names and shapes of the weights, all of which are taken; widths may be unequal, as
    in pruned files. The statistics that old versions keep for instance norms are left out, as the public code leaves
    them, and so is the prefix of `DataParallel`. GAN Compression's full networks have the same names.

    Args:
        path: the file.
        norm_at_inference: of batch norms: `image` (the default: the public test runs networks in training mode, so
            that each picture has its own statistics) or `running`, as the public test does with `--eval`.

    Returns:
        What `mfagan.checkpoint.save` writes and `mfagan.coronetgan.kinds.rebuild` loads, with the role "imported"; of
        CycleGAN's files "imported_a" or "imported_b".

    Raises:
        InputError: as `read_pytorch_file`; no generator, such as a discriminator; weights are missing, unexpected, of
            other shapes or not finite; a norm that is not known, or `running` with instance norm.
    """
    found = read_pytorch_file(path)
    if not isinstance(found, Mapping):
        raise InputError(f"weights {path}: holds {type(found).__name__}, not a dictionary; {_GIVE}")
    network = _convert(_unwrap(require_weights(found, path)), path, norm_at_inference)
    direction = _DIRECTION.match(Path(path).stem)
    role = f"imported_{direction[1].lower()}" if direction else "imported"
    record = {"imported_from": {"file": Path(path).name, "sha256": sha256(path)}}
    return Checkpoint(network.KIND, role, network.config(), network.state_dict(), record)


def write_public(
    network: Translator, out: str | Path, block_numbering: BlockNumbering | None = None
) -> list[str]:
    """Write a translator as a file that the public code's classes load, `latest_net_G.pth`.

    A bias that pruning has dropped before an instance norm, where it has no effect, is written as zeros, which the
    public classes have.

    Args:
        network: the translator.
        out: the file to write; an existing one is replaced.
        block_numbering: of a ResNet, as in `BlockNumbering`; None for 6 if it was trained with dropout, else 5.

    Returns:
        Lines for people: which class of the public code loads the file, and at which widths.

    Raises:
        InputError: a form that the public classes have not: pixel shuffles, or biases with batch norm; a numbering of
            a U-Net, or another one; the file cannot be written.
    """
    out = require_place(out)
    if block_numbering is not None and (
        block_numbering not in BLOCK_NUMBERINGS or isinstance(network, UnetTranslator)
    ):
        raise InputError(
            f"block numbering {block_numbering!r} of a {network.KIND}: give 5 or 6, of a ResNet; a U-Net has none"
        )
    if isinstance(network, ResnetTranslator) and network.upsampling != "transposed":
        raise InputError(
            f"{out}: a {network.KIND} with {network.upsampling} doublings is none of the public code's"
        )
    if network.norm == "batch" and any(network.is_biased(link) for link in network.links()[:-1]):
        raise InputError(
            f"{out}: the public code's networks with batch norm have one bias, the last; this one has {network.biases}"
        )
    numbering: BlockNumbering = block_numbering or (6 if network.dropout else 5)
    state, places = network.state_dict(), _places(network, numbering)
    public: OrderedDict[str, Tensor] = OrderedDict()
    for link in network.links():
        place, weight = places[link.name], state[f"convs.{link.name}.weight"]
        bias = state.get(f"convs.{link.name}.bias")
        if bias is None and network.norm == "instance":
            bias = weight.new_zeros(network.width_of(link.output))
        public[f"{place.conv}.weight"] = weight
        if bias is not None:
            public[f"{place.conv}.bias"] = bias
        norms = {leaf: state.get(f"norms.{link.name}.{leaf}") for leaf in _NORM_NAMES}
        public |= {f"{place.norm}.{leaf}": one for leaf, one in norms.items() if one is not None}
    buffer = io.BytesIO()
    torch.save(OrderedDict((name, one.detach().cpu().contiguous()) for name, one in public.items()), buffer)
    write_atomic(out, buffer.getvalue())
    return _describe(network, numbering)


def _unwrap(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if state and all(name.startswith(_WRAPPED) for name in state):
        return {name.removeprefix(_WRAPPED): one for name, one in state.items()}
    return dict(state)


def _convert(state: dict[str, Tensor], path: str | Path, at_inference: AtInference | None) -> Translator:
    if "model.model.0.weight" in state:
        n_levels = 2
        while f"model.model.1{'.model.3' * (n_levels - 1)}.model.1.weight" in state:
            n_levels += 1
        with torch.device("meta"):
            form = UnetTranslator.full(1, n_levels)
        return _fill(form, unet_places(n_levels), state, path, at_inference)
    if "model.1.weight" in state and state["model.1.weight"].dim() == 4:
        n_blocks, second = _find_blocks(state, path)
        with torch.device("meta"):
            form = ResnetTranslator.full(1, n_blocks)
        return _fill(form, resnet_places(n_blocks, second), state, path, at_inference, second == 6)
    first = next(iter(state), "nothing")
    if _DISCRIMINATOR.match(first):
        raise InputError(f"weights {path}: a discriminator (it begins with {first}), no generator; {_GIVE}")
    raise InputError(f"weights {path}: no generator is in it (it begins with {first}); {_GIVE}")


def _find_blocks(state: Mapping[str, Tensor], path: str | Path) -> tuple[int, BlockNumbering]:
    n_blocks = 0
    while any(name.startswith(f"model.{10 + n_blocks}.conv_block.") for name in state):
        n_blocks += 1
    block = "model.10.conv_block"
    if any(name.startswith(f"{block}.1.conv") for name in state):
        raise InputError(
            f"weights {path}: its blocks are separable convolutions ({block}.1.conv), which are not read; give a "
            "network of full ones"
        )
    if f"{block}.0.weight" in state:
        raise InputError(
            f"weights {path}: its blocks are padded with zeros ({block}.0 is a convolution); give one padded by "
            "reflection"
        )
    return n_blocks, 6 if f"{block}.5.weight" not in state and f"{block}.6.weight" in state else 5


def _fill(
    form: ResnetTranslator | UnetTranslator,
    places: Mapping[str, Place],
    state: dict[str, Tensor],
    path: str | Path,
    at_inference: AtInference | None,
    dropout: bool | None = None,
) -> Translator:
    """The network of the weights; `dropout` None is the public default: with batch norm (pix2pix), not without."""
    shapes = {name: first_shape(state, f"{place.conv}.weight", 4, path) for name, place in places.items()}
    normed = any(f"{one.norm}.weight" in state for one in places.values() if one.norm)
    norm: Norm = "batch" if normed else "instance"
    widths = {link.output: shapes[link.name][1 if link.transposed else 0] for link in form.links()}
    biases = _find_biases(places, state, norm, path)
    try:
        network = type(form)(
            {name: widths[name] for name in form.widths},
            in_channels=shapes[form.links()[0].name][1],
            out_channels=widths[OUTPUT],
            norm=norm,
            norm_at_inference=at_inference or "image",
            biases=biases,
            dropout=normed if dropout is None else dropout,
        )
    except InputError as error:
        raise InputError(f"weights {path}: {error}") from None
    sources = {name: Source(_public_name(name, places)) for name in network.state_dict()}
    for source in sources.values():  # PyTorch before 0.4.1 counted no batches
        if source.name.endswith(_COUNT):
            state.setdefault(source.name, torch.tensor(0))
    fill(network, sources, state, _NOTHING if normed else _STATISTICS, path)
    return network.eval()


def _places(network: Translator, second: BlockNumbering) -> dict[str, Place]:
    if isinstance(network, UnetTranslator):
        return unet_places(network.n_levels)
    assert isinstance(network, ResnetTranslator)
    return resnet_places(network.n_blocks, second)


def _find_biases(
    places: Mapping[str, Place], state: Mapping[str, Tensor], norm: Norm, path: str | Path
) -> Biases:
    """Which convolutions have biases; what is missing among those of one group is found later."""
    if any(f"{one.conv}.bias" in state for one in places.values() if one.norm):
        return "all"
    *others, _ = [one for one in places.values() if not one.norm]
    if any(f"{one.conv}.bias" in state for one in others):
        return "unnormed"
    if norm == "instance":
        raise InputError(
            f"weights {path}: neither biases nor norms before its last convolution, as without any norm "
            "(--norm none); give a network with instance or batch norm"
        )
    return "last"


def _public_name(name: str, places: Mapping[str, Place]) -> str:
    kind, link, leaf = name.split(".")
    return f"{places[link].conv if kind == 'convs' else places[link].norm}.{leaf}"


def _describe(network: Translator, second: BlockNumbering) -> list[str]:
    """Which of the public code's networks a file is."""
    channels = f"{network.in_channels}, {network.out_channels}"
    if isinstance(network, UnetTranslator):
        base, levels, drops = network.widths["down1"], network.n_levels, network.dropout
        uniform, option = UnetTranslator.full(base, levels).widths, _PUBLIC_UNETS.get(levels)
        made = f"UnetGenerator({channels}, num_downs={levels}, ngf={base}"
    else:
        assert isinstance(network, ResnetTranslator)
        base, blocks, drops = network.widths["stem"], network.n_blocks, second == 6
        uniform, option = ResnetTranslator.full(base, blocks).widths, _PUBLIC_RESNETS.get(blocks)
        made = f"ResnetGenerator({channels}, ngf={base}, n_blocks={blocks}"
    made += f", use_dropout={drops}) with {network.norm} norm"
    if network.norm == "batch":
        made += f", to be tested {'with' if network.norm_at_inference == 'running' else 'without'} --eval"
    if uniform != network.widths:
        widths = ", ".join(f"{latent} {width}" for latent, width in network.widths.items())
        return [f"loads in the public {made}, once its layers have these widths: {widths}"]
    options = f"--netG {option} --ngf {base} --norm {network.norm}{'' if drops else ' --no_dropout'}"
    return [f"loads in the public {made}" + (f": {options}" if option else "")]
