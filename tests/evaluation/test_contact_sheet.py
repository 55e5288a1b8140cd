import torch

from mfagan.evaluation.contact_sheet import (
    busiest_square,
    captioned_sheet,
    comparison_row,
    side_by_side,
    stack,
)


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


def test_a_comparison_row_marks_the_detail_and_shows_it_of_each():
    torch.manual_seed(0)
    original = torch.full((3, 60, 90), 0.5)
    original[:, 20:50, 40:70] = torch.rand(3, 30, 30)
    blue = torch.zeros(3, 60, 90)
    blue[2] = 1
    row = comparison_row(original, [("a\n1 dB", blue), ("b", original)], detail_px=20, zoom=3)
    assert row.dtype == torch.uint8
    assert row.shape == (3, 60 + 2 * 20 + 8, 90 + 2 * (8 + 60))
    assert row[:, 0, 98].tolist() == [0, 0, 255]  # the first detail begins after the whole picture
    square = busiest_square(original, 20)
    tile = row[:, :60, 166:226].float() / 255
    expected = square.cut(original).repeat_interleave(3, 1).repeat_interleave(3, 2)
    torch.testing.assert_close(tile, expected, rtol=0, atol=0.003)
    red = (row[0, :60, :90] == 224) & (row[1, :60, :90] == 49)  # the frame, at the whole picture's scale 1
    places = red.nonzero()
    assert places.amin(0).tolist() == [square.top, square.left]
    assert places.amax(0).tolist() == [square.top + 20, square.left + 20]
    assert row[:, 60:, 98:158].amin() < 100  # the names
    assert row[:, 60:, :90].amin() == 255


def test_long_names_are_cut_to_their_tile():
    image = torch.rand(3, 40, 40)
    row = comparison_row(image, [("x" * 100, image), ("b", image)], detail_px=20, zoom=3)
    assert row[:, 60:, 156:166].amin() == 255  # between the captions


def test_rows_of_one_number_of_images_have_one_size_and_stack():
    rows = []
    for height, width in ((60, 90), (90, 30), (16, 16)):
        image = torch.rand(3, height, width)
        rows.append(comparison_row(image, [("a", image)], detail_px=20, zoom=2))
    sheet = stack([*rows, torch.zeros(3, 5, 10, dtype=torch.uint8)])
    height, width = rows[0].shape[1:]
    assert sheet.shape == (3, 3 * height + 5, width)
    assert torch.equal(sheet[:, height : 2 * height], rows[1] / 255)
    assert sheet[:, -5:, :10].amax() == 0
    assert sheet[:, -5:, 10:].amin() == 1


def test_a_sheet_has_pictures_in_columns_and_those_of_a_caption_below_one_another():
    red, blue = (
        torch.tensor(colour).float().view(3, 1, 1).expand(3, 32, 32) for colour in ([1, 0, 0], [0, 0, 1])
    )
    sheet = captioned_sheet("psi 0.7", [(f"seed {i}", [red, blue]) for i in range(3)], columns=2)
    tile, line = 96, 28
    assert sheet.shape == (3, line + 2 * (2 * tile + line), 2 * tile + 8)
    assert sheet[:, :line].amin() < 0.5  # the title
    for row, column in ((0, 0), (0, 1), (1, 0)):
        top, left = line + row * (2 * tile + line), column * (tile + 8)
        assert (sheet[:, top : top + tile, left : left + tile] == red[:, :1, :1]).all()
        assert (sheet[:, top + tile : top + 2 * tile, left : left + tile] == blue[:, :1, :1]).all()
        assert (
            sheet[:, top + 2 * tile : top + 2 * tile + line, left : left + tile].amin() < 0.5
        )  # its caption
    assert (sheet[:, line + 2 * tile + line :, tile + 8 :] == 1).all()
    large = captioned_sheet("", [("", [torch.rand(3, 512, 512)])])
    assert large.shape == (3, 28 + 256 + 28, 256)
