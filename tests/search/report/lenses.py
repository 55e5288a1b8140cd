"""Studies of toy lenses with pictures, scores and descriptions, for the tests of the page."""

import random
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from search.description import Box, Drawing, Picture, PointDescription, Scene, StudyDescription
from search.problem import Case, Objective, Point
from search.study import StudyRecord

GLASSES = {"crown": 9.0, "flint": 14.0, "fused silica": 11.5}
OBJECTIVES = (
    Objective("sharpness", "maximize", "lp/mm", "Sharpness"),
    Objective("weight_g", "minimize", "g", "Weight"),
)
TITLES = {"elements": "Elements", "glass": "Glass", "surface_mm2": "Surface (mm²)"}
N_CASES = 24


@cache
def picture(blur: int, size: int = 48) -> Picture:
    """A PNG of rings, the more blurred the paler."""
    rows = []
    for y in range(size):
        row = bytearray([0])
        for x in range(size):
            squared = (x - size / 2) ** 2 + (y - size / 2) ** 2
            level = 128 + (100 - 10 * blur) * (1 if int(squared / 60) % 2 else -1)
            row += bytes([level, level, min(255, level + 4 * blur)])
        rows.append(bytes(row))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    packed = zlib.compress(b"".join(rows), 9)
    return Picture(
        "image/png",
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b""),
    )


def study(
    n: int = 90, name: str = "lenses", seed: int = 0, extra: int = 0, scored: bool = True
) -> StudyRecord:
    """A study of `n` distinct lenses out of 8 x 9 x 3 x 30 and of as many more coatings as are asked for."""
    rng = random.Random(seed)
    choices = {
        "elements": tuple(range(1, 9)),
        "diameter_mm": (10.0, 12.5, 15.0, 17.5, 20.0, 25.0, 30.0, 40.0, 50.0),
        "glass": tuple(GLASSES),
        **{f"coating_{i}": (0, 1, 2, 3) for i in range(1, 4 + extra)},
    }
    hard = [rng.gauss(0, 6) for _ in range(N_CASES)]
    points: list[Point] = []
    seen: set[tuple] = set()
    while len(points) < n:
        choice = {key: rng.choice(options) for key, options in choices.items()}
        if tuple(choice.values()) in seen:
            continue
        seen.add(tuple(choice.values()))
        elements, diameter = float(choice["elements"]), float(choice["diameter_mm"])
        coats = sum(int(choice[f"coating_{i}"]) for i in range(1, 4))
        grams = elements * GLASSES[str(choice["glass"])] * (diameter / 10) ** 2 / 4 + coats
        quality = 100 * (1 - 0.7**elements) * (1 - 3 / diameter) + 0.5 * coats
        scores = tuple(quality + easy + rng.gauss(0, 1.5) for easy in hard)
        points.append(
            Point(
                len(points),
                choice,
                (sum(scores) / N_CASES, grams),
                {"params": round(grams * 4321), "surface_mm2": round(grams * 17.3, 2), "maker": "toy works"},
                feasible=grams < 160,
                scores={"sharpness": scores} if scored else {},
            )
        )
    return StudyRecord(
        name,
        OBJECTIVES,
        choices,
        {"table_sha256": "0123456789abcdef" * 4},
        tuple(points),
        cases=tuple(Case(f"photo {i}") for i in range(N_CASES)) if scored else (),
    )


def describe(record: StudyRecord, points: Sequence[Point] | None = None) -> StudyDescription:
    """Pictures of two scenes, a drawing, parts of the weight and two commands for some points or all."""
    described = {}
    for point in record.points if points is None else points:
        elements = int(point.choice["elements"])
        share = point.values[1] / (elements + 1)
        described[point.number] = PointDescription(
            {"rings": picture(9 - elements), "wide": picture(8 - elements // 2, 64)},
            {"weight_g": [("mount", share), *((f"element {i + 1}", share) for i in range(elements))]},
            Drawing(
                [
                    Box(f"element {i + 1}", str(i + 1), 30 * i, 20 - 2 * i, 20, 20 + 4 * i)
                    for i in range(elements)
                ],
                [(i, i + 1) for i in range(elements - 1)],
            ),
            [
                ("Grind it", f"lens grind --study {record.name} --trial {point.number} --out lens.json"),
                ("Polish it", "lens polish lens.json --out lens.done"),
            ],
        )
    references = {"blurred": picture(10), "original": picture(0)}
    scenes = [Scene("rings", references), Scene("wide", {"original": picture(0, 64)})]
    return StudyDescription(scenes, described, TITLES, ["Lenses are made of glass."])


def hostile() -> StudyRecord:
    """A study in which every text is markup."""
    record = study(40, "<img src=x onerror=document.title='owned'>")
    evil = "</script><img src=x onerror=document.title='owned'>"
    points = tuple(
        replace(
            point,
            choice={
                **{k: v for k, v in point.choice.items() if k != "glass"},
                evil: evil + str(point.number % 3),
            },
            attributes={evil: evil + str(point.number), **point.attributes},
        )
        for point in record.points
    )
    choices = {k: v for k, v in record.choices.items() if k != "glass"} | {
        evil: tuple(evil + str(i) for i in range(3))
    }
    objectives = (
        Objective("sharpness", "maximize", evil, evil),
        Objective("weight_g", "minimize", "<b>g</b>", "<u>Weight</u>"),
    )
    return replace(record, points=points, choices=choices, objectives=objectives, identity={evil: evil})
