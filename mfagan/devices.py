"""Devices: choosing one, what it computes natively, and putting networks on it."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from mfagan.errors import InputError

__all__ = [
    "CPU",
    "choose_device",
    "computes_bf16",
    "describe_device",
    "one_thread",
    "to_device",
]

Module = TypeVar("Module", bound=nn.Module)

CPU = torch.device("cpu")


def choose_device(name: str) -> torch.device:
    """The device to compute on.

    Args:
        name: `auto` for CUDA if there is one and the CPU otherwise, or PyTorch's name, such as cuda:1.

    Returns:
        A device that has been shown to hold values.

    Raises:
        InputError: an unknown name, or a device that is not there or holds no values, such as meta.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    # The backends of PyTorch that are not installed fail in many ways, ImportError among them.
    except (RuntimeError, AssertionError, ImportError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"device {name!r} cannot be used here ({reason}); try cpu") from None
    return device


def computes_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 natively; elsewhere bf16 is slower than fp32.

    Args:
        device: the device.

    Returns:
        True if it does.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        abilities = torch.cpu.get_capabilities()
        return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))
    return False


def describe_device(device: torch.device) -> str:
    """Name a processor.

    Args:
        device: a CPU or a CUDA device.

    Returns:
        Such as "NVIDIA H200" or "AMD EPYC 7763, 2 cores, x86_64".
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        fields = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        name = next((value.strip() for field, _, value in fields if field.strip() == "model name"), name)
    return f"{name}, {os.cpu_count()} cores, {platform.machine()}"


def to_device(
    module: Module, device: torch.device = CPU, layout: torch.memory_format = torch.channels_last
) -> Module:
    """Move a network to a device.

    Args:
        module: the network.
        device: where to.
        layout: the memory format of its weights; most convolutions are faster in channels_last.

    Returns:
        The module itself.
    """
    return module.to(device).to(memory_format=layout)  # pyright: ignore[reportCallIssue]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch compute on one CPU thread within this context: for small networks threads cost more than they gain.

    Beside other busy processes they cost twenty times as much.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
