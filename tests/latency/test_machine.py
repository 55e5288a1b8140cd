import platform

import pytest

from mfagan.devices import CPU, describe_device
from mfagan.errors import InputError
from mfagan.latency import machine
from mfagan.latency.machine import (
    describe_processor,
    match_machine,
    measure_calibration,
    rescale_table,
)
from mfagan.latency.measuring.fixed_operators import calibration_blocks
from mfagan.latency.tables import TableMachine
from tests.latency.measuring.fake_runtime import FakeRuntime, always
from tests.latency.measuring.test_networks import make_table

HERE = describe_device(CPU)
TIMES_MS = {"gemm": 1.0, "convolution 3x3": 2.0, "convolution 5x5": 3.0}


def times(factor: float) -> dict[str, float]:
    return {name: factor * ms for name, ms in TIMES_MS.items()}


def test_a_gemm_and_two_convolutions_are_timed():
    blocks = calibration_blocks()
    assert set(blocks) == set(TIMES_MS)
    assert [block.operators[0].kind for block in blocks.values()] == ["conv"] * 3
    (gemm,) = blocks["gemm"].operators
    assert gemm.window is not None
    assert gemm.window.kernel == (1, 1)
    found = measure_calibration("litert")
    assert all(ms > 0 for ms in found.values())


def test_the_fastest_run_counts(monkeypatch: pytest.MonkeyPatch):
    def script(key: str):
        while True:
            yield from (5.0, 9.0, 4.0, 7.0)

    FakeRuntime(script).install(monkeypatch)
    assert set(measure_calibration("fake").values()) == {4.0}


def test_a_table_with_this_machines_times_is_of_this_machine():
    table = TableMachine(HERE, "litert", TIMES_MS)
    match = match_machine(table, times(1.1))
    assert (match.same, match.factor, match.warning) == (True, pytest.approx(1.1), None)


def test_one_device_string_with_other_times_is_another_machine():
    match = match_machine(TableMachine(HERE, "litert", TIMES_MS), times(1.6))
    assert match.same is False
    assert match.factor == pytest.approx(1.6)
    assert match.warning is not None
    assert "is of another machine" in match.warning
    assert "take 1.60 to 1.60 of its times here" in match.warning
    disturbed = times(1.0) | {"gemm": 1.3}
    assert match_machine(TableMachine(HERE, "litert", TIMES_MS), disturbed).same
    mixed = times(1.0) | {"gemm": 0.5}
    assert match_machine(TableMachine(HERE, "litert", TIMES_MS), mixed).same is False


def test_another_device_or_runtime_is_another_machine():
    assert match_machine(TableMachine("a phone", "litert")).same is False
    assert match_machine(TableMachine("a phone", "litert", TIMES_MS), times(1)).same is False
    assert match_machine(TableMachine(HERE, "android", TIMES_MS)).same is False


def test_a_table_without_calibration_may_be_of_another_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "measure_calibration", lambda runtime: pytest.fail("nothing to compare"))
    match = match_machine(TableMachine(HERE, "litert"))
    assert match.same is None
    assert "may be of another machine" in str(match.warning)


def test_a_table_is_rescaled_and_marked(monkeypatch: pytest.MonkeyPatch):
    table = make_table().model_copy(update={"calibration_ms": TIMES_MS})
    match = match_machine(TableMachine.of(table.model_copy(update={"device": HERE})), times(1.5))
    rescaled = rescale_table(table, match)
    assert rescaled.entries["head"].latency_ms == 3.0
    assert (rescaled.rescaled_by, table.rescaled_by) == (1.5, 1.0)
    assert rescaled.sha256 != table.sha256
    here = TableMachine.of(rescaled.model_copy(update={"device": HERE}))
    assert match_machine(here, times(1.5)).same  # its prices are those of this machine now
    with pytest.raises(InputError, match="the table cannot be rescaled"):
        rescale_table(table, match_machine(TableMachine(HERE, "litert")))


def test_where_a_table_was_measured_is_written_and_read_back():
    table = TableMachine(HERE, "litert", TIMES_MS, 2.0)
    assert TableMachine.from_text(table.to_text()) == table
    for text in ("", "{}", "[1]", '{"device": 1, "runtime": 2, "calibration_ms": 3, "rescaled_by": 1}'):
        assert TableMachine.from_text(text) is None


def test_the_processor_is_described():
    found = describe_processor()
    assert found.instruction_set.startswith(f"{platform.machine()}: ")
    assert found.family
    assert found.model


def test_fixed_times(monkeypatch: pytest.MonkeyPatch):
    FakeRuntime(always(2.0)).install(monkeypatch)
    assert match_machine(TableMachine("a fake", "fake", dict.fromkeys(TIMES_MS, 1.0))).factor == 2.0
