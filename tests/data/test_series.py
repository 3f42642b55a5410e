"""Series: a sine in noise, and columns of a table, with what is refused and in which words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import DataError, noisy_sine, read_series

STOCKS = "symbol,date,price\nMSFT,Jan 1 2000,39.81\nIBM,Jan 1 2000,100.52\nMSFT,Feb 1 2000,36.35\n"


@pytest.fixture
def write(tmp_path):
    def write_text(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_text


def test_a_sine_without_noise_is_a_sine():
    t = np.arange(60)
    np.testing.assert_allclose(noisy_sine(0, 60, 0.0), np.sin(2 * np.pi * t / 25), atol=1e-6)
    np.testing.assert_allclose(noisy_sine(0, 60, 0.0, period=7), np.sin(2 * np.pi * t / 7), atol=1e-6)


def test_noise_has_the_deviation_asked_for_and_comes_from_the_seed():
    rest = noisy_sine(1, 5000, 0.3) - noisy_sine(1, 5000, 0.0)
    assert abs(rest.std() - 0.3) < 0.01
    assert abs(rest.mean()) < 0.02
    assert (noisy_sine(1, 9) == noisy_sine(1, 9)).all()
    assert (noisy_sine(1, 9) != noisy_sine(2, 9)).any()
    assert noisy_sine(1, 9).dtype == np.float32


@pytest.mark.parametrize(
    "options", [{"length": -1}, {"noise": -0.1}, {"noise": np.nan}, {"period": 0}, {"period": np.inf}]
)
def test_a_sine_that_cannot_be_drawn_is_refused(options):
    with pytest.raises(ValueError, match=r"expected the first two at least 0, the last above it"):
        noisy_sine(**{"seed": 0, "length": 3, **options})


def test_a_column_is_read_from_the_top_down(write):
    assert read_series(write("month,a,b\n1,2,3\n4,-5e1,6\n"), "a").tolist() == [2, -50]


def test_lines_are_chosen_by_what_stands_in_another_column(write):
    path = write(STOCKS)
    assert read_series(path, "price", where={"symbol": "MSFT"}).tolist() == [39.81, 36.35]
    one = {"symbol": "MSFT", "date": "Feb 1 2000"}
    assert read_series(path, "price", where=one).tolist() == [36.35]


@pytest.mark.parametrize(
    "content",
    ["a,b\r\n1,2\r\n", "\ufeffa,b\n1,2", "a,b\n\n1,2\n\n", ' a , b \n"x, y", 2 \n', '"a","b"\n"","2"\n'],
)
def test_tables_are_written_in_many_ways(write, content):
    assert read_series(write(content), "b").tolist() == [2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"table\.csv has no line of numbers, expected CSV: the names of the columns on the first line"),
        ("a,b\n", r"table\.csv has no line of numbers"),
        ("x,y\n1,2\n", r"table\.csv has 0 columns 'b', expected one of 'x, y'"),
        ("b,b\n1,2\n", r"table\.csv has 2 columns 'b'"),
        ("a,b\n1,2\n3\n", r"table\.csv, line 3: got 1 cells, expected 2, as many as columns"),
        ("a,b\n1,2,3\n", r"table\.csv, line 2: got 3 cells"),
        ("a,b\n1,2\n\n1,\n", r"table\.csv, line 4: b is '', expected a finite number; complete the line"),
        ("a,b\n1,much\n", r"table\.csv, line 2: b is 'much'"),
        ("a,b\n1,nan\n", r"table\.csv, line 2: b is 'nan'"),
        ("a,b\n1,inf\n", r"table\.csv, line 2: b is 'inf'"),
        ('a,b\n1,"2\n', r"table\.csv, line 2: .* in '1,\"2', expected CSV"),
        (b"a,b\n1,\xff\n", r"table\.csv holds byte 0xff, which is not UTF-8 at byte 6, line 2"),
        (b"a,b\n1,\0\n", r"table\.csv holds a NUL byte"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_place(write, content, message):
    with pytest.raises(DataError, match=message):
        read_series(write(content), "b")


def test_a_choice_that_leaves_nothing_is_refused(write):
    with pytest.raises(DataError, match=r"has no line with {'symbol': 'SUN'}, expected one or more"):
        read_series(write(STOCKS), "price", where={"symbol": "SUN"})
    with pytest.raises(DataError, match=r"has 0 columns 'name', expected one of 'symbol, date, price'"):
        read_series(write(STOCKS), "price", where={"name": "SUN"})


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.csv cannot be read"):
        read_series(tmp_path / "nowhere.csv", "b")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_as_data(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"b\n" + content)
    try:
        series = read_series(path, "b")
    except DataError as error:
        assert "any.csv" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert np.isfinite(series).all()
        assert len(series)
