"""One small run, trained once, which the tests of the command line look at and do not change."""

import shutil
from types import SimpleNamespace

import pytest

from commands import SMALL, minigrad


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The run that `minigrad train dates` made: its folder, and what it printed."""
    home = tmp_path_factory.mktemp("home")
    run = minigrad("train", "dates", *SMALL, cwd=home)
    return SimpleNamespace(folder=home / "runs" / "dates", run=run)


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of that run, to be changed."""
    return shutil.copytree(trained.folder, tmp_path / "copied")
