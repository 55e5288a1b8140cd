from search.description import Box, Drawing, Picture, PointDescription, Scene, StudyDescription
from search.problem import Objective
from search.report.page.points import Album, PointView, SceneView, view_points, view_scenes

OBJECTIVES = (Objective("psnr", "maximize", "dB"), Objective("latency", "minimize", "ms"))


def test_pictures_are_kept_once():
    red, blue = Picture("image/png", b"red"), Picture("image/webp", b"blue")
    drawing = Drawing([Box("trunk", "48", 0, 0, 1, 1)])
    description = StudyDescription(
        [Scene("eye", {"original": red}), Scene("roof")],
        {
            3: PointDescription(
                {"eye": red}, {"latency": [("head", 1.23456789)]}, drawing, [("Pick", "pick 3")]
            ),
            4: PointDescription({"roof": blue}),
            9: PointDescription({"roof": blue}),
        },
    )
    album = Album()
    assert view_scenes(description, album) == [SceneView("eye", [("original", 0)]), SceneView("roof", [])]
    assert view_points(description, OBJECTIVES, {3: 0, 4: 1}, album) == {
        0: PointView([0, None], [[], [("head", 1.23457)]], drawing, [("Pick", "pick 3")]),
        1: PointView([None, 1], [[], []]),
    }
    assert album.urls == ["data:image/png;base64,cmVk", "data:image/webp;base64,Ymx1ZQ=="]
