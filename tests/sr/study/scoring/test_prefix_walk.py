import random
import weakref
from collections import Counter

import pytest
import torch

from mfagan.sr.network.aggregation import Tail
from mfagan.sr.network.layers import Conv, Residual
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths, every_choice, random_choice
from mfagan.sr.study.scoring.one_pass import OnePassCFAB
from mfagan.sr.study.scoring.prefix_walk import PrefixWalk

N_CFABS = len(Widths.uniform(48).cfabs)


def build(residual: Residual = "none") -> SuperGenerator:
    torch.manual_seed(0)
    network = SuperGenerator(Widths.uniform(48), residual=residual)
    torch.nn.init.normal_(network.fusion.reconstruct.weight, std=0.1)
    return network.eval()


def some_choices(n: int) -> list[Widths]:
    generator = random.Random(3)
    return [random_choice(generator) for _ in range(n)]


@pytest.mark.parametrize("residual", ["none", "bicubic"])
def test_outputs_are_those_of_the_extracted_networks(residual: Residual):
    network = build(residual)
    choices = some_choices(60) + [Widths.uniform(width) for width in (48, 32, 24)]
    choices += [
        choices[5],
        Widths.parse("48,48,48,48,48,48,48,24"),
    ]  # one twice, one that differs at the very end
    x = torch.rand(1, 3, 8, 9)
    found = dict(PrefixWalk(network).run(x, choices))
    assert sorted(found) == list(range(len(choices)))
    with torch.inference_mode():
        for i, widths in enumerate(choices):
            expected = network.extract(widths)(x)
            torch.testing.assert_close(found[i], expected, atol=1e-5, rtol=1e-5)


def test_a_walk_can_be_used_again_with_another_image():
    network = build()
    walk = PrefixWalk(network)
    for seed in range(2):
        torch.manual_seed(seed)
        x = torch.rand(1, 3, 5 + seed, 6)
        for i, output in walk.run(x, some_choices(4)):
            torch.testing.assert_close(output, network.extract(some_choices(4)[i])(x), atol=1e-5, rtol=0)


def test_shared_prefixes_are_computed_once(monkeypatch: pytest.MonkeyPatch):
    """Over the whole space 3,276 CFAB calls instead of 39,366, a squeeze for 2,187 prefixes (docs/search_widths.md).

    And of all the activations that CFABs gave, those of one prefix are held at a time.
    """
    held: list[weakref.ref[torch.Tensor]] = []
    calls = Counter[str]()

    def cfab(self, x):
        calls["cfab"] += 1
        held[:] = [activation for activation in held if activation() is not None]
        assert len(held) <= N_CFABS
        output = x + 1
        held.append(weakref.ref(output))
        return output

    def conv(self, x):
        calls[f"to {self.writes[0].name}"] += 1
        return x[:, :1].expand(-1, self.out_channels, -1, -1)

    monkeypatch.setattr(OnePassCFAB, "forward", cfab)
    monkeypatch.setattr(Tail, "forward", lambda self, x, skip: x)
    monkeypatch.setattr(Conv, "forward", conv)
    choices = list(every_choice())
    random.Random(0).shuffle(choices)
    n_outputs = sum(1 for _ in PrefixWalk(build()).run(torch.rand(1, 3, 4, 4), choices))
    assert n_outputs == len(choices) == 6561
    assert calls == {"to trunk": 3, "cfab": 3276, "to fusion": 2187, "to pixels": 6561}


def test_no_choices_no_outputs():
    assert list(PrefixWalk(build()).run(torch.rand(1, 3, 4, 4), [])) == []


def test_widths_that_are_no_options_are_run_too():
    network = build()
    choices = [Widths.parse(f"48,40,20,48,24,32,48,{fusion}") for fusion in (20, 24, 40, 48)]
    x = torch.rand(1, 3, 6, 6)
    found = dict(PrefixWalk(network).run(x, choices))
    with torch.inference_mode():
        for i, widths in enumerate(choices):
            torch.testing.assert_close(found[i], network.extract(widths)(x), atol=1e-5, rtol=0)
