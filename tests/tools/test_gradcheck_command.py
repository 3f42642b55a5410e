"""`minigrad gradcheck` as its user has it: the table, its end, and what it says of a mistake."""

import pytest

import minigrad as mg
from commands import minigrad, refusal
from minigrad.primitive import primitive
from minigrad.testing import Card, card, cards, unary
from minigrad.tools import cli


@primitive
class wrong_square:  # noqa: N801
    """y = x²"""

    def forward(xp, x):  # noqa: N805
        return x * x

    def d_x(g, x):  # noqa: N805
        return g * x


def test_each_operation_has_a_line_and_the_last_line_counts_them(capsys):
    assert cli.main(["gradcheck", "tanh", "bitwise_*", "--examples", "3"]) == 0
    head, *lines, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["operation", "value", "first", "second", "worst"]
    (tanh,) = [line.split() for line in lines if line.startswith("tanh")]
    assert tanh[:4] == ["tanh", "ok", "ok", "ok"]
    assert 0 < float(tanh[4]) < 1e-6
    assert [line.split()[1:] for line in lines if line.startswith("bitwise")] == [["ok", "-", "-", "-"]] * 3
    assert last == f"{len(lines)} operations on cpu, {len(lines)} passed, 0 failed"


def test_a_wrong_rule_ends_with_1_and_its_numbers(capsys, monkeypatch):
    suspect = Card("wrong square", wrong_square, unary(), lambda x: x * x, None)
    monkeypatch.setattr(cards, "CARDS", [suspect])
    assert cli.main(["gradcheck"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:5] == ["wrong", "square", "ok", "FAILED", "ok"]
    assert "first: the rule gives" in lines[2]
    assert lines[-1] == "1 operations on cpu, 0 passed, 1 failed"


def test_a_wrong_value_is_seen(capsys, monkeypatch):
    suspect = Card("tanh", mg.tanh, unary(), lambda x: x * 1.5, None)
    monkeypatch.setattr(cards, "CARDS", [suspect])
    assert cli.main(["gradcheck"]) == 1
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["tanh", "FAILED", "ok", "ok"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tahn"], "no operation is called 'tahn'; `minigrad gradcheck` lists them all"),
        (["--device", "cuda:0"], "--device cuda:0: "),
        (["--device", "gpu"], "--device gpu: "),
    ],
)
def test_a_mistake_is_named(arguments, message, capsys):
    assert cli.main(["gradcheck", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_without_hypothesis_it_says_what_to_install(tmp_path):
    found = minigrad("gradcheck", "tanh", cwd=tmp_path, without=["hypothesis"])
    assert 'hypothesis is missing; install it by: pip install "minigrad[test]"' in refusal(found)


def test_the_table_of_declarations_is_the_one_the_tests_use():
    assert cards.CARDS
    assert all(isinstance(declared, card.Card) for declared in cards.CARDS)
