"""`minigrad figure`: the ideas between the RNN and the Transformer, measured, printed and drawn."""

import re

import numpy as np
import pytest

from commands import done, minigrad
from minigrad.tools.cli import main
from minigrad.tools.figure_command import FIGURES
from minigrad.tools.figures import optimisers, positions, recall, steps, told_apart, triangle, vanishing
from source_tree import ROOT

DRAWN = [name for name, figure in FIGURES.items() if figure.draw]
PAGE = ROOT / "docs" / "attention.md"


@pytest.fixture(scope="module")
def costs():
    return steps.measure((4, 8, 16))


@pytest.fixture(scope="module")
def found():
    """The numbers of the page, with next to no training."""
    return told_apart.measure(distances=(1,), training=1)


def measured(name, costs):
    """The numbers of a figure; those of `steps`, which take longest, are measured once."""
    return costs if name == "steps" else FIGURES[name].measure()


# ---------------------------------------------------------------------------- the command


def test_without_a_name_all_figures_are_listed_a_line_each(tmp_path):
    out = done(minigrad("figure", cwd=tmp_path))
    assert [line.split()[0] for line in out.splitlines()] == list(FIGURES)
    assert max(map(len, out.splitlines())) <= 100


def test_a_figure_is_printed_and_drawn_where_it_is_asked_for(tmp_path):
    out = done(minigrad("figure", "triangle", "--out", "triangle.png", cwd=tmp_path)).splitlines()
    assert out[0].split() == list(triangle.WORDS)
    assert out[-1] == "triangle.png"
    assert (tmp_path / "triangle.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_a_table_and_a_picture(name, costs, tmp_path):
    from matplotlib.image import imread

    numbers = measured(name, costs)
    table = FIGURES[name].table(numbers)
    assert len(table.splitlines()) > 3
    assert re.search(r"\d", table)
    FIGURES[name].draw(numbers, tmp_path / "figure.png")
    assert imread(tmp_path / "figure.png")[:, :, :3].std() > 0.05


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("figure optimizers", "no figure is called 'optimizers'; did you mean optimisers?"),
        ("figure told-apart --out a.png", "told-apart is a table, without a picture; leave --out out"),
        ("figure --out a.png", "--out needs the NAME of a figure"),
    ],
)
def test_a_figure_that_is_not_there_is_refused(words, message, capsys):
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)


@pytest.mark.parametrize("words", ["figure triangle --out a.svg", "figure triangle --out nowhere/a.png"])
def test_a_file_that_cannot_be_a_picture_is_refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words.split())
    assert end.value.code == 2
    assert "--out" in capsys.readouterr().err


def test_without_matplotlib_the_numbers_are_printed_and_the_remedy_for_a_picture(tmp_path):
    away = ["matplotlib", "matplotlib.figure"]
    assert "Adagrad" in done(minigrad("figure", "optimisers", cwd=tmp_path, without=away))
    run = minigrad("figure", "optimisers", "--out", "a.png", cwd=tmp_path, without=away)
    assert (run.returncode, run.stdout) == (2, "")
    assert 'pip install "minigrad[viz]"' in run.stderr


# ---------------------------------------------------------------------------- what they show


def test_the_steps_of_recurrent_networks_grow_with_the_text_and_those_of_the_transformer_do_not(costs):
    for name, by_length in costs.items():
        few, more, most = (cost.steps for cost in by_length.values())
        if name == "Transformer":
            assert few == more == most
        else:
            assert most - more == 2 * (more - few) > 0
        assert all(cost.speed > 0 for cost in by_length.values())
    assert list(costs) == ["RNN", "LSTM", "attention", "Transformer"]


def test_on_every_surface_each_optimiser_comes_nearer_to_a_minimum():
    for name, passed in optimisers.measure().items():
        surface = optimisers.SURFACES[name]
        for points in passed.values():
            assert optimisers.distance(surface, points[-1]) < optimisers.distance(surface, points[0])


def test_gradients_vanish_explode_or_stay():
    norms = vanishing.measure()
    shares = {name: {r: norm[0] / norm[-1] for r, norm in of.items()} for name, of in norms.items()}
    back = vanishing.STEPS - 1
    for radius in vanishing.RADII:
        assert shares["relu"][radius] == pytest.approx(radius**back, rel=1e-3)
        assert shares["sigmoid"][radius] < (radius / 4) ** back * 1.01
    assert shares["tanh"][0.8] < 1.01 * 0.8**back
    assert shares["tanh"][1.25] > 1
    assert 0.1 < shares["LSTM"][1.0] < 10


def test_the_triangle_has_no_weight_above_its_diagonal_and_rows_that_sum_to_one():
    weights = triangle.measure()
    assert triangle.WORDS == ("자연어", "처리", "아주", "좋아요")
    assert (weights[np.triu_indices(4, 1)] == 0).all()
    assert (weights[np.tril_indices(4)] > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    assert triangle.table(weights).count("·") == 6


def test_the_heat_map_is_the_formula_and_its_products_depend_on_the_distance_alone():
    P = positions.measure()
    t, i = np.meshgrid(np.arange(64), np.arange(0, 128, 2), indexing="ij")
    np.testing.assert_allclose(P[:, ::2], np.sin(t / 10_000 ** (i / 128)), atol=1e-5)
    np.testing.assert_allclose(P[:, 1::2], np.cos(t / 10_000 ** (i / 128)), atol=1e-5)
    for line in positions.table(P).splitlines()[1:]:
        _, smallest, largest = line.split()
        assert smallest == largest


# ---------------------------------------------------------------------------- told apart


def test_attention_asks_elsewhere_and_self_attention_asks_itself(found):
    crossed, own = found.asked["crossed"], found.asked["own"]
    assert crossed == (told_apart.TARGET, told_apart.SOURCE, told_apart.SOURCE, 2, 40)
    assert own == (told_apart.SOURCE, told_apart.SOURCE, told_apart.SOURCE, 1, 64)


def test_a_way_grows_with_the_distance_where_states_lie_between():
    ways = {
        "states": told_apart.way_through_states,
        "last state": told_apart.way_by_last_state,
        "attention": told_apart.way_by_attention,
        "self-attention": told_apart.way_by_self_attention,
        "Transformer": told_apart.way_through_transformer,
    }
    found = {name: [way(length) for length in (2, 4, 8)] for name, way in ways.items()}
    for name in ("attention", "self-attention", "Transformer"):
        assert len(set(found.pop(name))) == 1
    for near, middle, far in found.values():
        assert far - middle == 2 * (middle - near) > 0


def test_the_page_has_a_number_in_every_measured_cell(found):
    page = told_apart.table(found)
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")][1:8]
    assert len(rows) == 7
    for row in rows:
        assert all(re.search(r"\d", row[place]) for place in (2, 4))
    assert "{" not in page


def test_the_committed_page_is_what_the_command_writes_but_for_what_was_learned(found):
    """A share of right answers may differ from machine to machine."""

    def without_shares(page):
        return [
            line
            for line in page.splitlines()
            if not re.match(r"\| (places|\w.* \| [01]\.\d\d)|\|---\|", line)
        ]

    assert without_shares(PAGE.read_text("utf-8")) == without_shares(told_apart.table(found))


def test_the_committed_shares_say_what_the_page_says():
    rows = re.findall(r"^\| ([\w-]+) \| ([\d. |]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    shares = {name: [float(share) for share in cells.split(" | ")] for name, cells in rows}
    assert set(shares) == set(recall.NETWORKS)
    for name, found in shares.items():
        assert len(found) == len(recall.DISTANCES)
        assert found[0] > 0.9
        assert found[-1] > 0.95 if "attention" in name else found[-1] < 0.3


@pytest.mark.parametrize("name", recall.NETWORKS)
def test_a_token_one_place_back_is_learned_by_all(name):
    assert recall.recalled(name, distance=1, steps=60) > 0.5


@pytest.mark.parametrize("name", ["attention", "self-attention"])
def test_with_attention_a_token_of_long_ago_is_in_reach(name):
    assert recall.recalled(name, distance=31, steps=120) > 0.5
