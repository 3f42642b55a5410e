"""`minigrad` as a whole: help, statuses, and what becomes of its output."""

import os
import pty
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from commands import SMALL, done, minigrad, program, refusal, started
from minigrad.tools.cli import main

COMMANDS = ["", "train", "translate", "generate", "evaluate", "compare", "graph", "figure"]
FULL = Path("/dev/full")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command, tmp_path):
    text = done(minigrad(*command.split(), "--help", cwd=tmp_path))
    example = text.partition("example")[2]
    assert f"minigrad {command}" in example
    assert max(map(len, text.splitlines())) <= 100


def test_help_is_printed_in_a_terminal_of_plain_ascii(tmp_path):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "2026년 11월 21일" in done(minigrad("translate", "--help", cwd=tmp_path, env=plain))


def test_the_version_is_printed(tmp_path):
    assert done(minigrad("--version", cwd=tmp_path)).startswith("minigrad 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "required: COMMAND"),
        ("fly", "invalid choice: 'fly'"),
        ("train dates --fast", "unrecognised: --fast"),
        ("translate", "required: RUN"),
        ("translate runs/dates --beam 0", "--beam: got '0', expected a whole number from 1"),
        ("translate runs/dates --checkpoint first", "invalid choice: 'first'"),
        ("graph x + y", "unrecognised: + y"),
        ("train dates --epochs 0", "--epochs: got '0', expected a whole number from 1"),
        ("train dates --epochs -1", "--epochs: got '-1'"),
        ("train dates --epochs 1e3", "--epochs: got '1e3'"),
        ("train dates --batch-size 2.5", "--batch-size: got '2.5'"),
        ("train dates --hidden-size 0", "--hidden-size: got '0'"),
        ("train dates --learning-rate 0", "--learning-rate: got '0', expected a number above 0"),
        ("train dates --learning-rate nan", "--learning-rate: got 'nan'"),
        ("train dates --learning-rate inf", "--learning-rate: got 'inf'"),
        ("train dates --clip -1", "--clip: got '-1'"),
        ("train dates --dropout 2", "--dropout: got '2', expected a number from 0 to 1"),
        ("train dates --dropout 1", "--dropout: got '1'"),
        ("train dates --dropout nan", "--dropout: got 'nan'"),
        ("train dates --label-smoothing -0.1", "--label-smoothing: got '-0.1'"),
        ("train dates --seed -1", "--seed: got '-1'"),
        ("train dates --seed 18446744073709551616", "--seed: got '18446744073709551616'"),
        ("train dates --tokeniser syllable", "--tokeniser: got 'syllable', expected one of character, word"),
        ("train dates --optimizer newton", "--optimizer: got 'newton', expected one of adam, adamw, sgd"),
        ("train dates --schedule steps", "--schedule: got 'steps', expected one of one-cycle, noam"),
        ("train dates --heldout 0", "--heldout: got '0'"),
    ],
)
def test_a_mistake_in_the_arguments_is_said_in_two_lines(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert message in err
    assert err.splitlines()[1].startswith("try: minigrad")
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize(
    "order",
    [
        ("RUN", "3 mai 2020", "4 mai 2020", "--attention", "a.png"),
        ("RUN", "--attention", "a.png", "3 mai 2020", "4 mai 2020"),
        ("--attention", "a.png", "RUN", "3 mai 2020", "4 mai 2020"),
        ("RUN", "3 mai 2020", "--attention", "a.png", "4 mai 2020"),
        ("RUN", "--attention", "a.png", "--", "3 mai 2020", "4 mai 2020"),
    ],
)
def test_texts_stand_before_or_behind_an_option(order, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = []
    monkeypatch.setattr(
        "minigrad.tools.translate.run_command", lambda arguments: found.append(arguments) or 0
    )
    assert main(["translate", *order]) == 0
    assert (found[0].folder, found[0].texts) == ("RUN", ["3 mai 2020", "4 mai 2020"])
    assert str(found[0].attention) == "a.png"


def test_output_may_end_early_as_in_head(trained, tmp_path):
    lines = tmp_path / "lines"
    lines.write_text("\n" * 200_000, encoding="utf-8")
    with lines.open("rb") as file:
        run = started(
            *("translate", trained.folder),
            cwd=tmp_path,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert run.stdout.readline() == b"\n"
        run.stdout.close()
        assert (run.stderr.read(), run.wait(60)) == (b"", 0)
    run.stderr.close()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no file that is always full")
def test_output_that_cannot_be_written_is_said(tmp_path):
    with FULL.open("wb") as full:
        run = started("graph", "x", cwd=tmp_path, stdout=full, stderr=subprocess.PIPE)
        assert (run.stderr.read(), run.wait(60)) == (b"minigrad: output: No space left on device\n", 2)
    run.stderr.close()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_stream_is_nothing_to_read_or_write(closed, trained, tmp_path):
    command = shlex.join([*program(), "translate", str(trained.folder)])
    run = subprocess.run(
        ["/bin/sh", "-c", f"{command} {closed}"],
        cwd=tmp_path,
        input=b"3 mai 2020\n",
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.count(b"\n") == (closed == "2>&-")


def test_ctrl_c_ends_a_command_with_130(trained, tmp_path):
    ours, theirs = pty.openpty()
    run = started("translate", trained.folder, cwd=tmp_path, stdin=theirs, stderr=subprocess.PIPE)
    assert run.stderr.readline() == b"reading lines from the keyboard; end with Ctrl-D\n"
    run.send_signal(signal.SIGINT)
    assert (run.stderr.read(), run.wait(60)) == (b"minigrad: interrupted\n", 130)
    run.stderr.close()
    os.close(ours)
    os.close(theirs)


def test_too_little_memory_is_said(tmp_path):
    run = minigrad("train", "dates", *SMALL, "--hidden-size", 10**8, cwd=tmp_path)
    assert "not enough memory" in refusal(run)
    assert not (tmp_path / "runs").exists()
