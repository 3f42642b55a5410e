"""Images as arrays, and folders of them: one folder for each class.

Shapes: C channels (1 grey, 3 red, green and blue), H rows, W columns.
"""

import re
from pathlib import Path
from types import ModuleType

import numpy as np

from .dataset import Dataset
from .errors import DataError
from .text_file import file_bytes

ENDINGS = (".png", ".ppm", ".pgm", ".pnm", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601: how bright red, green and blue are

_NETPBM = re.compile(rb"P([56])(?:\s|#[^\n]*\n)+(\d{1,6})\s+(\d{1,6})\s+(\d{1,5})\s")


class ImageFolder(Dataset[tuple[np.ndarray, int]]):
    """Item i is (image, class): `root/cat/1.png` is of the class "cat".

    An image is read when it is asked for. `classes` are the names of the folders in alphabetical order,
    `paths` and `labels` say where each item lies and the number of its class. Files with other endings than
    those of images are passed over.

    DataError for a folder that is missing, has no folders, or a class without images.
    """

    def __init__(self, root: str | Path, *, grey: bool = False) -> None:
        self.root = Path(root)
        self.grey = grey
        try:
            folders = sorted(path for path in self.root.iterdir() if path.is_dir())
        except (OSError, ValueError) as error:
            raise DataError(f"ImageFolder(): {root} cannot be read ({error}), expected a folder") from error
        if not folders:
            raise DataError(f"ImageFolder(): {root} has no folders in it, expected one for each class")
        self.classes = [folder.name for folder in folders]
        self.paths: list[Path] = []
        self.labels: list[int] = []
        for label, folder in enumerate(folders):
            images = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
            if not images:
                raise DataError(f"ImageFolder(): {folder} has no image in it, expected {', '.join(ENDINGS)}")
            self.paths += images
            self.labels += [label] * len(images)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return read_image(self.paths[index], grey=self.grey), self.labels[index]

    def __len__(self) -> int:
        return len(self.paths)


def read_image(path: str | Path, *, grey: bool = False) -> np.ndarray:
    """Read one image as float32 in [0, 1], of shape (C, H, W): C is 1 for grey ones, or if `grey`, else 3.

    PPM and PGM (P5 and P6) are read here, PNG and other formats by Pillow: ImportError without it. DataError,
    with the file, for what is no image.
    """
    data = file_bytes("read_image()", path)
    pixels = _netpbm(path, data) if data[:2] in (b"P5", b"P6") else _by_pillow(path)
    if grey and pixels.shape[2] == 3:
        pixels = pixels @ LUMA[:, None]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))  # (C, H, W)


def _netpbm(path: str | Path, data: bytes) -> np.ndarray:
    """The pixels of a PGM or PPM image, as (H, W, C)."""
    header = _NETPBM.match(data)
    if header is None:
        raise DataError(
            f"read_image(): {path} begins like a PPM image, expected width, height and maximum next"
        )
    kind, width, height, maximum = map(int, header.groups())
    if not 0 < maximum < 65536 or not width or not height:
        raise DataError(
            f"read_image(): {path} has width {width}, height {height}, maximum {maximum}, expected each of "
            "them above 0, and the maximum below 65536"
        )
    shape = (height, width, 3 if kind == 6 else 1)
    dtype = np.dtype(">u2" if maximum > 255 else "u1")
    body, expected = data[header.end() :], height * width * shape[2] * dtype.itemsize
    if len(body) < expected:
        raise DataError(
            f"read_image(): {path} has {len(body):,} bytes of pixels, expected {expected:,} for {width} x "
            f"{height}; is it whole?"
        )
    return np.frombuffer(body[:expected], dtype).reshape(shape).astype(np.float32) / np.float32(maximum)


def _by_pillow(path: str | Path) -> np.ndarray:
    """The pixels of an image in any format that Pillow knows, as (H, W, C)."""
    pillow = _pillow(path)
    try:
        with pillow.open(path) as image:
            is_grey = image.mode in {"1", "L", "LA"}
            pixels = np.asarray(image.convert("L" if is_grey else "RGB"), dtype=np.float32)
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:  # Syntax: a broken PNG
        raise DataError(
            f"read_image(): {path} is no image that Pillow can read ({type(error).__name__}), expected PNG, "
            "PPM or another common format; is it whole?"
        ) from error
    return pixels.reshape(*pixels.shape[:2], -1) / np.float32(255)


def _pillow(path: str | Path) -> ModuleType:
    """Give Pillow's module of images, imported when it is first needed; ImportError that names the remedy."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            f"read_image(): {path} is no PPM or PGM image, and others need the package Pillow: pip install "
            '"minigrad[images]"'
        ) from error
    return Image
