"""What is installed is what stands on disk, and nothing of it under a bare name."""

import ast
import subprocess
import sys
import tomllib

import pytest

from source_tree import LIBRARY, ROOT, TOP_LEVEL

SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
LINKED = [top for top in TOP_LEVEL if top != "minigrad"]

REFUSAL = "import it as minigrad.{0}, not as the top-level {0}"
GUARD = 'if __name__ != "minigrad.{0}":\n    raise ImportError("' + REFUSAL + '")'


def test_the_package_list_names_every_folder_on_disk():
    packages = [source for source in LIBRARY if source.is_package]
    on_disk = {package.module: package.path.removesuffix("/__init__.py") for package in packages}
    assert SETUPTOOLS["package-dir"] == on_disk
    assert sorted(SETUPTOOLS["packages"]) == sorted(on_disk)


def test_every_file_lies_in_a_package():
    packages = set(SETUPTOOLS["packages"])
    assert not [
        source.path
        for source in LIBRARY
        if not source.is_package and source.module.rpartition(".")[0] not in packages
    ]


@pytest.mark.parametrize("top", LINKED)
def test_a_link_under_minigrad_leads_to_the_folder(top):
    link = ROOT / "minigrad" / top
    assert link.is_symlink()
    assert link.readlink().as_posix() == f"../{top}"
    assert link.resolve() == ROOT / top


@pytest.mark.parametrize("top", LINKED)
def test_a_linked_package_opens_with_its_guard(top):
    tree = next(source for source in LIBRARY if source.path == f"{top}/__init__.py").tree
    first = tree.body[1] if ast.get_docstring(tree) else tree.body[0]
    assert ast.unparse(first) == ast.unparse(ast.parse(GUARD.format(top)))


@pytest.mark.parametrize("top", LINKED)
def test_a_stray_import_by_the_bare_name_is_refused(top):
    stray = subprocess.run(
        [sys.executable, "-c", f"import {top}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert stray.returncode == 1
    assert REFUSAL.format(top) in stray.stderr
