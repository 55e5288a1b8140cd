from mfagan.data.pairs import Pair
from mfagan.data.splits import read_pairs
from mfagan.evaluation.scores import as_method, mean_scores, score_methods
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.pictures import front_quality
from mfagan.sr.study.pictures.front_quality import choose_images, measure_quality

CHOICES = [Widths.parse("48,24,24,24,32,48,48,24"), Widths.uniform(24)]


def distance(one, other):
    return (one - other).abs().mean((1, 2, 3))


def test_they_are_the_figures_of_the_networks(trained):
    network = load_supernet(trained / "supergenerator.safetensors")
    pairs = read_pairs(trained / "photos", max_images=2)
    found = measure_quality(network, pairs, CHOICES, distance)
    assert found.n_images == 2
    for widths, one, attributes in zip(CHOICES, found.scores, found.attributes(), strict=True):
        alone = score_methods({"own": as_method(network.extract(widths))}, pairs, distance)["own"]
        wanted = mean_scores(alone)
        assert abs(one.ssim - wanted.ssim) < 1e-6
        assert one.lpips is not None
        assert wanted.lpips is not None
        assert abs(one.lpips - wanted.lpips) < 1e-6
        assert attributes == {"ssim": one.ssim, "mean_lpips": one.lpips}
    assert found.titles() == {"ssim": "SSIM, 2 images", "mean_lpips": "LPIPS, 2 images"}
    without = measure_quality(network, pairs[:1], CHOICES)
    assert [set(one) for one in without.attributes()] == [{"ssim"}, {"ssim"}]
    assert without.titles()["ssim"] == "SSIM, 1 image"


def test_as_many_images_as_take_half_a_minute(monkeypatch, trained):
    (pair,) = read_pairs(trained / "photos", max_images=1)
    pairs = [Pair(str(i), pair.lr_levels, pair.hr_levels) for i in range(5)]
    lr_px = pair.lr_levels[0].size
    monkeypatch.setattr(front_quality, "_BUDGET_LR_PX", 6 * lr_px)
    assert [one.name for one in choose_images(pairs, 2)] == ["0", "1", "2"]
    assert [one.name for one in choose_images(pairs, 1)] == ["0", "1", "2", "3", "4"]
    assert [one.name for one in choose_images(pairs, 100)] == ["0"]
    assert choose_images([], 3) == []
