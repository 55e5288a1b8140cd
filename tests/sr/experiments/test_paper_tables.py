import pytest

from mfagan.evaluation.quoted import Quality
from mfagan.sr.experiments.paper_tables import TABLE_1, TABLE_2, TABLE_3


def test_the_tables_agree_where_they_print_the_same_network():
    """The baseline and the last column of Table 1 are rows of Table 2, their figures on Set5."""
    for column, name in ((TABLE_1[0], "ESRGAN"), (TABLE_1[-1], "MFAGAN")):
        (row,) = (row for row in TABLE_2 if row.name == name)
        assert row.sets["Set5"] == Quality(column.psnr_db, column.lpips)
        assert row.flops_g == column.flops_g
        assert row.memory_gb == pytest.approx(column.memory_gb, abs=0.0051)
        assert row.params_m == pytest.approx(column.params_m, abs=0.0011)
    assert {row.name for row in TABLE_3} == {"ESRGAN", "MFAGAN"}


def test_the_options_of_the_ablation():
    assert [(one.generator_channels, one.discriminator_channels) for one in TABLE_1] == [
        (64, 64), (64, 48), (48, 32), (48, 48), (32, 48), (32, 32)
    ]  # fmt: skip
    marks = [(one.mfagan_l, one.distill_g_and_d, one.distill_g, one.nas_pruning) for one in TABLE_1]
    assert ["".join("x" if mark else "." for mark in column) for column in marks] == [
        "....", "x...", "xx..", "x.x.", "x..x", "xx.x"
    ]  # fmt: skip


def test_what_is_quoted_for_a_set():
    srgan = TABLE_2[0]
    assert srgan.quality_on("set14") == Quality(26.11, 0.1167)
    assert srgan.quality_on("BSD100") == srgan.quality_on("B100") == Quality(25.17, 0.1333)
    assert srgan.quality_on("Urban100") is None
    assert TABLE_2[1].quality_on("Urban100") == Quality(23.54, 0.1307)
    assert srgan.quality_on("DIV2K") is None


def test_the_papers_reductions_that_follow_from_its_table():
    """8.2 times less memory and 34.6 times less computation than ESRGAN (it claims 42.9)."""
    rows = {row.name: row for row in TABLE_2}
    assert round(rows["ESRGAN"].memory_gb / rows["MFAGAN"].memory_gb, 1) in (8.2, 8.3)
    assert round(rows["ESRGAN"].flops_g / rows["MFAGAN"].flops_g, 1) == 34.6
