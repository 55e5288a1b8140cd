import math

import pytest
import torch

from mfagan.data.images import resize_bicubic
from mfagan.data.pairs import Pair
from mfagan.errors import InputError
from mfagan.evaluation.fidelity import check_parity, fit_pair, measure_fidelity


def pair(height: int, width: int) -> Pair:
    generator = torch.Generator().manual_seed(0)
    lr = torch.rand(3, height, width, generator=generator)
    return Pair.from_tensors("p", lr, resize_bicubic(lr, size=(2 * height, 2 * width)).clamp(0, 1))


def enlarge(x: torch.Tensor) -> torch.Tensor:
    return resize_bicubic(x, size=(2 * x.shape[-2], 2 * x.shape[-1])).clamp(0.1, 0.9)


def test_a_constant_error_is_measured():
    found = measure_fidelity(lambda x: enlarge(x) + 0.01, enlarge, [pair(20, 24)], 2)
    assert found.max_abs_difference == pytest.approx(0.01, rel=1e-4)
    assert found.psnr_to_pytorch_db == pytest.approx(40, abs=1e-3)
    assert list(found.lost_db) == ["p"]
    same = measure_fidelity(enlarge, enlarge, [pair(20, 24)], 2)
    assert (same.max_abs_difference, same.psnr_to_pytorch_db, same.mean_lost_db) == (0, math.inf, 0)
    assert same.as_dict()["psnr_to_pytorch_db"] is None


def test_not_a_number_is_never_near():
    found = measure_fidelity(lambda x: enlarge(x) * math.nan, enlarge, [pair(20, 24)] * 2, 2)
    assert math.isnan(found.max_abs_difference)
    with pytest.raises(InputError, match="nan"):
        check_parity(found.max_abs_difference, math.inf)


def test_the_limit_is_included():
    check_parity(0.5, limit=0.5)
    with pytest.raises(InputError, match=r"0\.51, the limit is 0\.5"):
        check_parity(0.51, limit=0.5)


def test_a_photo_is_cut_in_the_middle_or_enlarged():
    whole = pair(20, 24)
    cut = fit_pair(whole, (8, 10), 2)
    assert (cut.lr_levels == whole.lr_levels[:, 6:14, 7:17]).all()
    assert (cut.hr_levels == whole.hr_levels[:, 12:28, 14:34]).all()
    assert fit_pair(whole, (30, 10), 2).hr_levels.shape == (3, 60, 20)
    assert fit_pair(whole, None, 2) is whole
