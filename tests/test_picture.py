import torch

from mfagan.picture import side_by_side


def test_tiles_stand_in_order_with_the_busiest_detail():
    torch.manual_seed(0)
    plain = torch.zeros(3, 60, 80)
    busy = plain.clone()
    busy[:, 30:50, 40:60] = torch.rand(3, 20, 20)
    red = torch.zeros(3, 60, 80)
    red[0] = 1
    sheet = side_by_side({"red": red, "original": busy}, detail_px=20, zoom=2)
    assert sheet.shape == (3, 40 + 28, 2 * 40 + 8)
    assert sheet[:, :40, :40].amax((1, 2)).tolist() == [1, 0, 0]
    assert sheet[:, :40, 48:88].std() > 0.15
    assert sheet[:, 40:].amin() < 0.5  # the names


def test_images_smaller_than_the_detail_are_shown_whole():
    assert side_by_side({"a": torch.rand(3, 16, 20)}, detail_px=256).shape == (3, 32 + 28, 32)
