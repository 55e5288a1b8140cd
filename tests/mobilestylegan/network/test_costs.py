"""The costs of generators, against the published figures."""

import pytest
import torch

from mfagan.mobilestylegan.network import Mapping, MobileStyleGAN, StyleGAN2, Synthesis, standard_channels
from mfagan.mobilestylegan.network.costs import count_costs


def test_the_published_network_costs_what_articles_print():
    with torch.device("meta"):
        teacher = StyleGAN2(Mapping(), Synthesis(standard_channels(1024)))
        student = MobileStyleGAN(
            Mapping(), MobileStyleGAN._synthesis(channels=standard_channels(1024)[:-1], style_dim=512)
        )
    large, small = count_costs(teacher), count_costs(student)
    assert (large.params_training, large.params_deployed) == (28_268_812, 28_268_812)
    assert (small.params_training, small.params_deployed) == (8_852_079, 7_306_395)
    assert large.params_mapping == small.params_mapping == 2_101_248
    assert large.convolution_macs["input"] / 1e9 == pytest.approx(74.260, abs=5e-4)
    assert large.convolution_macs["output"] / 1e9 == pytest.approx(141.868, abs=5e-4)
    assert small.convolution_macs["input"] == small.convolution_macs["output"]
    assert small.convolution_macs["input"] / 1e9 == pytest.approx(7.281, abs=5e-4)
    assert 142.9e9 < large.macs["output"] < 143.15e9  # with filters and affines: the paper's figure


def test_every_row_says_what_it_counts_and_has_another_name():
    small = StyleGAN2(Mapping(8, 2), Synthesis((16, 16, 8, 8), 8))
    costs = count_costs(small)
    assert (costs.params_deployed, costs.params_mapping) == (11_515, 144)
    rows, facts = costs.as_rows(), costs.as_dict()
    assert list(rows.values()) == list(facts.values())
    assert (
        rows[
            "convolutions' MACs with transposed convolutions at their input's resolution, as they are computed"
        ]
        == (facts["convolution_macs_transposed_at_input"])
    )
    assert facts["macs_transposed_at_output"] > facts["macs_transposed_at_input"]
