import torch

from mfagan.coronetgan.network import ResnetTranslator
from mfagan.coronetgan.network.slices import extract, narrowest
from mfagan.coronetgan.training.draws.slices import draw_gates, draw_widths

CPU = torch.device("cpu")


def test_the_full_network_the_narrowest_and_one_at_random_take_turns():
    network = ResnetTranslator.full(8, 2)
    turns = [draw_gates(network, "in_turn", 0, number, CPU) for number in range(3)]
    assert [len(one) for one in turns] == [1, 1, 1]
    assert turns[0][0] == {}
    left = {name: int(gate.sum()) for name, gate in turns[1][0].items()}
    assert left == dict(narrowest(network))
    assert len(draw_gates(network, "all", 0, 7, CPU)) == 3


def test_widths_are_drawn_by_seed_and_step_from_the_options():
    network = ResnetTranslator.full(8, 2)
    drawn = [draw_widths(network, 0, number) for number in range(40)]
    assert drawn[3] == draw_widths(network, 0, 3)
    assert {one["stem"] for one in drawn} == {8, 6, 4}
    assert {one["res"] for one in drawn} == {32, 24, 16}
    assert drawn != [draw_widths(network, 1, number) for number in range(40)]


def test_gates_make_what_the_slice_makes():
    torch.manual_seed(0)
    network = ResnetTranslator.full(8, 2).eval()
    x = torch.randn(2, 3, 16, 16)
    (gates,) = draw_gates(network, "in_turn", 0, 2, CPU)
    with torch.no_grad():
        made = network(x, gates)
        cut = extract(network, draw_widths(network, 0, 2))(x)
    assert (made - cut).abs().max() < 1e-5
