import pytest
import torch

from mfagan.devices import choose_device, computes_bf16, to_device
from mfagan.errors import InputError


def test_auto_is_a_device_that_works():
    assert torch.zeros(1, device=choose_device("auto")).item() == 0
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["tpu9", "cuda:99"])
def test_a_device_that_is_not_there_is_named(name: str):
    with pytest.raises(InputError, match=f"device '{name}'") as caught:
        choose_device(name)
    assert "\n" not in str(caught.value)


def test_bf16_is_native_on_no_unknown_device():
    assert computes_bf16(torch.device("meta")) is False
    assert isinstance(computes_bf16(torch.device("cpu")), bool)


def test_place_keeps_the_module_and_its_values():
    conv = torch.nn.Conv2d(4, 4, 3)
    before = conv.weight.detach().clone()
    assert to_device(conv) is conv
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(conv.weight, before)


@pytest.mark.parametrize(
    "name", ["meta", "mps:99", "xla", "privateuseone", "cuda:99", "hpu", "", "cpu:x", "no"]
)
def test_devices_that_hold_no_values_here_are_refused(name: str):
    with pytest.raises(InputError, match=f"device '{name}' cannot be used here .*; try cpu") as refusal:
        choose_device(name)
    assert "\n" not in str(refusal.value)
