"""Picture files in and out with all that belongs to them: 16 bits, grey, transparency, profile, metadata.

libvips reads and writes them in strips, so that a large picture need not be in memory. `mfagan.data.images` reads
pictures for training instead, as 8-bit RGB.
"""

import contextlib
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mfagan.errors import InputError
from mfagan.files import replacing, temporary_beside
from mfagan.packages import refuse_import

__all__ = ["SUFFIXES", "Picture", "read_picture", "require_format", "write_picture"]

MAX_MEGAPIXELS = 200
"""Pictures with more pixels are refused unless allowed: a small file may decode to one that fills the memory."""
_JPEG_QUALITY = 95
_LIMITS_PX = {"JPEG": 65_535, "WebP": 16_383}
"""Largest side that a format can hold."""
_FORMATS: Mapping[str, str] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WebP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
SUFFIXES = tuple(_FORMATS)
"""Endings of the files that are written."""
_DEEP_FORMATS = ("PNG", "TIFF")
"""Those that hold 16 bits a channel."""
_GREY = ("b-w", "grey16")
_KEPT = ("icc-profile-data", "exif-data", "xmp-data", "iptc-data")

PutPixels = Callable[[slice, slice, np.ndarray], None]
"""Takes rows and columns of the enlarged picture, and the levels there: (h, w, 3 or 1), of the picture's dtype."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture."""

    colours: np.ndarray
    """(H, W, 3), or (H, W, 1) for grey, uint8 or uint16."""
    alpha: np.ndarray | None
    """(H, W) of the same dtype, or None if the picture is opaque."""
    metadata: Mapping[str, bytes]
    """Colour profile, EXIF, XMP and IPTC by libvips's names."""
    resolution: tuple[float, float]
    """Horizontal and vertical px per mm."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in px."""
        return self.colours.shape[0], self.colours.shape[1]

    @property
    def is_grey(self) -> bool:
        """Whether it has one channel besides transparency."""
        return self.colours.shape[2] == 1


def read_picture(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> Picture:
    """Read a picture upright, with what belongs to it. Of several frames or pages the first is read.

    Args:
        path: a PNG, JPEG, WebP, TIFF or another file that libvips knows.
        max_megapixels: pictures with more pixels are refused before they are decoded.

    Returns:
        The picture; palettes become colours, CMYK and Lab become sRGB.

    Raises:
        InputError: no such file, no regular file, not a picture, damaged, too many pixels, or pixels whose range is
            not known (floating point, 32-bit integers).
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"cannot read image {path}: it is not a file; give a picture's file")
    except OSError as error:
        raise InputError(f"cannot read image {path}: {error.strerror or error}; check the path") from None
    vips = _import_vips()
    with _refusing(f"cannot read image {path}", "give a whole, readable picture"):
        image = vips.Image.new_from_file(str(path), access="sequential", fail_on="truncated")
        megapixels = image.width * image.height / 1e6
        if megapixels > max_megapixels:
            raise InputError(
                f"image {path} has {megapixels:,.0f} megapixels, over {max_megapixels:g}: if that is right, "
                f"allow it with --max-megapixels {-(-megapixels // 1):.0f}"
            )
        return _decode(image, path)


def _decode(image: Any, path: Path) -> Picture:
    metadata = {name: image.get(name) for name in _KEPT if image.get_typeof(name)}
    image = image.autorot()
    if image.format not in ("uchar", "ushort"):
        raise InputError(
            f"cannot read image {path}: pixels of the type {image.format} have no agreed range; "
            "save it with 8 or 16 bits"
        )
    deep = image.format == "ushort"
    if image.interpretation == "cmyk":
        image = image.icc_transform("srgb", embedded=True, input_profile="cmyk", depth=8)
        metadata.pop("icc-profile-data", None)
    elif image.interpretation not in ("srgb", "rgb", "rgb16", *_GREY, "multiband"):
        image = image.colourspace("rgb16" if deep else "srgb")
        metadata.pop("icc-profile-data", None)
    levels = image.numpy()
    levels = levels[:, :, None] if levels.ndim == 2 else levels
    n_colours = {1: 1, 2: 1, 3: 3, 4: 3}.get(levels.shape[2])
    if n_colours is None:
        raise InputError(
            f"cannot read image {path}: it has {levels.shape[2]} channels; save it as RGB or grey"
        )
    alpha = levels[:, :, n_colours] if levels.shape[2] > n_colours else None
    return Picture(levels[:, :, :n_colours], alpha, metadata, (image.xres, image.yres))


def require_format(path: Path, picture: Picture, scale: int) -> None:
    """Check before long work that a format can hold the enlarged picture.

    Args:
        path: the file to write.
        picture: the picture that is enlarged.
        scale: by how much.

    Raises:
        InputError: an unknown ending, transparency in JPEG, or a side that is too long.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(
            f"cannot write {path}: unknown ending {path.suffix!r}; give one of {', '.join(SUFFIXES)}"
        )
    if kind == "JPEG" and picture.alpha is not None:
        raise InputError(f"cannot write {path}: JPEG holds no transparency; give .png, .webp or .tif")
    side = scale * max(picture.size)
    if side > _LIMITS_PX.get(kind, side):
        raise InputError(
            f"cannot write {path}: a side of {side} px, {kind} holds {_LIMITS_PX[kind]}; give .png or .tif"
        )


@contextlib.contextmanager
def write_picture(path: Path, picture: Picture, scale: int) -> Iterator[PutPixels]:
    """Write an enlarged picture whole or not at all, with what belongs to the small one.

    Args:
        path: the file; its ending, one of `SUFFIXES`, chooses the format.
        picture: the small picture, whose transparency is enlarged here (bicubic).
        scale: enlargement.

    Returns:
        A context that gives what takes the pixels, which wait on disk; when it ends they are encoded. 16 bits become 8
        in a format without them; TIFF gets no EXIF data from libvips.

    Raises:
        InputError: as `require_format`, or it cannot be written.
    """
    require_format(path, picture, scale)
    height, width = (scale * side for side in picture.size)
    shape = (height, width, picture.colours.shape[2])
    refusal = f"cannot write {path}", "choose a place that can be written and has room"
    with temporary_beside(path) as raw:

        def put(rows: slice, columns: slice, levels: np.ndarray) -> None:
            # Mapped for this tile alone: what stays mapped counts as the process's memory.
            np.memmap(raw, picture.colours.dtype, "r+", shape=shape)[rows, columns] = levels

        with _refusing(*refusal):
            row = bytes(width * shape[2] * picture.colours.itemsize)
            with open(
                raw, "xb"
            ) as file:  # all of it, so that a full disk is an error here and no signal later
                for _ in range(height):
                    file.write(row)
        yield put
        with replacing(path) as encoded, _refusing(*refusal):
            _encode(raw, encoded, path, picture, scale)


def _encode(raw: Path, encoded: Path, path: Path, picture: Picture, scale: int) -> None:
    vips = _import_vips()
    height, width = (scale * side for side in picture.size)
    n_colours, deep = picture.colours.shape[2], picture.colours.dtype == np.uint16
    kind = _FORMATS[path.suffix.lower()]
    image = vips.Image.rawload(
        str(raw),
        width,
        height,
        n_colours,
        format="ushort" if deep else "uchar",
        interpretation=("grey16" if deep else "b-w") if n_colours == 1 else ("rgb16" if deep else "srgb"),
    )
    if picture.alpha is not None:
        alpha = vips.Image.new_from_array(np.ascontiguousarray(picture.alpha[:, :, None]))
        image = image.bandjoin(alpha.resize(scale, kernel="cubic").cast(image.format))
    if deep and kind not in _DEEP_FORMATS:
        image = image.colourspace("b-w" if n_colours == 1 else "srgb")
    image = image.copy(xres=picture.resolution[0], yres=picture.resolution[1])
    for name, value in picture.metadata.items():
        image.set_type(vips.GValue.blob_type, name, value)
    image.set_type(
        vips.GValue.gint_type, "orientation", 1
    )  # upright already, whatever the EXIF data of the source say
    save: dict[str, Callable[[], None]] = {
        "PNG": lambda: image.pngsave(str(encoded)),
        "JPEG": lambda: image.jpegsave(str(encoded), Q=_JPEG_QUALITY, subsample_mode="off"),
        "WebP": lambda: image.webpsave(str(encoded), Q=_JPEG_QUALITY, exact=True),
        "TIFF": lambda: image.tiffsave(
            str(encoded), compression="deflate", predictor="horizontal", bigtiff=True
        ),
    }
    save[kind]()


def _import_vips() -> Any:
    try:
        import pyvips
    except (ImportError, OSError) as error:  # OSError: the package without the library
        raise refuse_import("pyvips[binary]", error) from None
    return pyvips


@contextlib.contextmanager
def _refusing(what: str, remedy: str) -> Iterator[None]:
    vips = _import_vips()
    try:
        yield
    except vips.Error as error:
        raise InputError(f"{what}: {' '.join((error.detail or error.message).split())}; {remedy}") from None
    except OSError as error:
        raise InputError(f"{what}: {error.strerror or error}; {remedy}") from None
