"""Where training runs: one device or, started by torchrun, several processes; through Lightning Fabric."""

import atexit
import logging
import os

import torch.distributed
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from mfagan.allocator import keep_freed_memory
from mfagan.devices import choose_device, computes_bf16
from mfagan.errors import InputError
from mfagan.training.recipe import TrainingPrecision

__all__ = ["make_fabric"]


def make_fabric(device: str = "auto", precision: TrainingPrecision = "auto") -> Fabric:
    """Make and launch a Fabric on one device or, under torchrun, on one device a process.

    Under torchrun the package's log is limited to errors in all processes but the first.

    Args:
        device: as `choose_device` takes it.
        precision: see `TrainingPrecision`.

    Returns:
        The launched Fabric.

    Raises:
        InputError: a device that cannot be used here, or a numbered one under torchrun, which numbers them itself.
    """
    chosen = choose_device(device)
    world, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if world > 1 and chosen.index is not None:
        raise InputError(f"device {device!r}: torchrun gives each process its own; give {chosen.type}")
    on_gpu = chosen.type == "cuda"
    if chosen.type == "cpu":
        keep_freed_memory()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces what was asked of it
    bf16 = precision == "bf16" or (precision == "auto" and computes_bf16(chosen))
    fabric = Fabric(
        accelerator=chosen.type,
        devices=[chosen.index or 0] if on_gpu and world == 1 else local,
        num_nodes=world // local,
        # Buffers here are constants, or statistics that training does not read: nothing to send round every step.
        strategy=DDPStrategy(broadcast_buffers=False) if world > 1 else "auto",
        precision="bf16-mixed" if bf16 else "32-true",
    )
    fabric.launch()
    if torch.distributed.is_initialized():
        # Fabric does so for NCCL alone. A group of gloo that is left to the interpreter's end now and then aborts the
        # process there (https://github.com/pytorch/pytorch/pull/179291).
        atexit.register(_leave)
    if not fabric.is_global_zero:
        logging.getLogger("mfagan").setLevel(logging.ERROR)  # the first process speaks for all
    return fabric


def _leave() -> None:
    """End the process group, if nobody has."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
