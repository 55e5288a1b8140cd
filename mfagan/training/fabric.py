"""Where training runs: one device or, started by torchrun, several processes; through Lightning Fabric."""

import logging
import os
from typing import Literal

from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from mfagan.devices import choose_device, computes_bf16
from mfagan.errors import InputError

Precision = Literal["fp32", "bf16", "auto"]


def make_fabric(device: str = "auto", precision: Precision = "auto") -> Fabric:
    """A launched Fabric on the device, as `choose_device` takes it, or on one device a process under torchrun.

    precision: bf16 is autocast with fp32 weights; auto takes it where the device computes it natively.
    InputError: a device that cannot be used here, or a numbered one under torchrun, which numbers them itself.
    """
    chosen = choose_device(device)
    world, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if world > 1 and chosen.index is not None:
        raise InputError(f"device {device!r}: torchrun gives each process its own; give {chosen.type}")
    on_gpu = chosen.type == "cuda"
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
    if not fabric.is_global_zero:
        logging.getLogger("mfagan").setLevel(logging.ERROR)  # the first process speaks for all
    return fabric
