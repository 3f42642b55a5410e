"""Floor 7: what is saved is never lost and never runs code.

    save({"w": w}, "weights.safetensors")             # tensors by name: any safetensors reader opens the file
    weights = load("weights.safetensors")

    save_checkpoint({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 7}, path)
    state = load_checkpoint(path)  # the same dict, bit for bit; training_state.py makes a whole run's

A file is written beside its final name, forced to the disk, and only then takes that name: a crash at any
moment leaves either the previous file or the new one, whole.  (A process that is killed can leave a hidden
`*.part` file behind, which may be deleted.)  The state of a training run is a tree of dicts, lists, tuples,
numbers, text and tensors.  The tensors become the tensors of a safetensors file, named by their place in the
tree (`model.w`); the tree becomes JSON in the file's metadata, with a checksum over both.
"""

import json
import math
import os
import secrets
import stat
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from . import safetensors
from .backend import is_array, to_device, to_numpy
from .errors import CheckpointError
from .tensor import Tensor
from .training_state import random_state, restore, set_random_state, training_state

__all__ = [
    "CHECKSUM",
    "MAX_STATE",
    "STATE",
    "atomic_file",
    "load",
    "load_checkpoint",
    "load_with_metadata",
    "random_state",
    "restore",
    "save",
    "save_checkpoint",
    "set_random_state",
    "training_state",
]

STATE, CHECKSUM = "minigrad.state", "minigrad.crc32"  # where a training state lies in the metadata
MAX_STATE = 2**21  # characters of the JSON; parsed, it takes at most some twenty times its length
MAX_DEPTH = 100

# -------------------------------------------------------------------------------- tensors by name


def save(
    tensors: Mapping[str, Any],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write named tensors, and texts about them, to `path` in the safetensors layout, whole or not at all.

    Of dicts in the dict the names are joined by dots, {"encoder": {"w": w}} to {"encoder.w": w}.
    Types: float64, float32, float16, bfloat16 (of ml_dtypes), bool, and signed and unsigned integers of 8 to
    64 bits; TypeError for others.  Tensors that share memory are written once each.  If the disk refuses, its
    OSError is raised, and the file that was there before is untouched.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, value in _flat(tensors):
        if name in arrays:
            raise ValueError(f"save(): two tensors would be named {name[:100]!r}; rename one of them")
        arrays[name] = _host_array(value, f"tensors[{name!r}]")
    with atomic_file(path) as file:
        safetensors.write(file, arrays, metadata or {})


def load(path: str | os.PathLike[str], map_location: str | None = None) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name; CheckpointError for a bad file.

    Wherever they were saved from, they come into main memory, or to the device `map_location`. bfloat16,
    which NumPy lacks, becomes float32: exactly the same numbers, in twice the memory.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"w": np.array([1.0, 2.0])}, folder + "/w.safetensors")
    ...     load(folder + "/w.safetensors")["w"].tolist()
    [1.0, 2.0]
    """
    return load_with_metadata(path, map_location)[0]


def load_with_metadata(
    path: str | os.PathLike[str], map_location: str | None = None
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, and the texts that were saved with them."""
    arrays, metadata = safetensors.read(path)
    place = map_location or "cpu"
    return {name: Tensor(to_device(array, place)) for name, array in arrays.items()}, metadata


def _flat(tensors: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(name, value) for each value of a dict and of the dicts in it."""
    if depth > MAX_DEPTH:
        raise ValueError(f"save(): {prefix[:100]}... is nested too deeply; does it contain itself?")
    for name, value in tensors.items():
        if not isinstance(name, str):
            raise TypeError(f"save(): names must be str, got {name!r}; for other keys use save_checkpoint()")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.", depth + 1)
        else:
            yield prefix + name, value


def _host_array(value: Any, field: str) -> np.ndarray:
    """The array of a Tensor, or an array itself, in main memory."""
    array = value.array if isinstance(value, Tensor) else value
    if not is_array(array):
        raise TypeError(f"save(): {field} is a {type(value).__name__}, expected a Tensor or an array")
    return to_numpy(array)


# -------------------------------------------------------------------------------- files, atomically


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new binary file that takes the place of `path` when the block ends well, and is removed otherwise.

    The content is on the disk before the name changes, and the name before the block returns.  The file that
    is replaced passes its permission bits on.
    """
    target = Path(os.path.realpath(path))  # of a symbolic link, what it points to
    temporary = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            if target.is_file():
                _copy_permissions(target, temporary)  # before a byte is there to be read
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _copy_permissions(old: Path, new: Path) -> None:
    """Give `new` the permission bits of `old`, where they differ."""
    mode = stat.S_IMODE(old.stat().st_mode) & 0o777
    if stat.S_IMODE(new.stat().st_mode) != mode:
        new.chmod(mode)


# -------------------------------------------------------------------------------- trees of a run's state


def save_checkpoint(state: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a tree of dicts, lists, tuples, numbers, texts, None, tensors and arrays to `path`, or nothing.

    Keys are str or int.  Numbers are Python's own; floats keep every bit, infinities and NaN included.
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_packed(state, "state", arrays), ensure_ascii=False, allow_nan=False)
    if len(text) > MAX_STATE:
        raise ValueError(
            f"save_checkpoint(): all but the tensors makes {len(text):,} characters of JSON, expected "
            f"at most {MAX_STATE:,}; put long lists of numbers in an array"
        )
    save(arrays, path, {STATE: text, CHECKSUM: _checksum(text, arrays)})


def load_checkpoint(path: str | os.PathLike[str], map_location: str | None = None) -> dict[str, Any]:
    """The tree that `save_checkpoint` wrote: same types, same bits.  CheckpointError for any other file.

    Its tensors come into main memory, or to the device `map_location`; its arrays always into main memory.
    """
    arrays, metadata = safetensors.read(path)
    where = f"{path}: byte 8: {safetensors.METADATA}"
    if set(metadata) != {STATE, CHECKSUM}:
        raise CheckpointError(
            f"{where}: got the keys {sorted(metadata)[:5]}, expected {STATE} and {CHECKSUM}; "
            "for a file of tensors alone use load()"
        )
    text, expected = metadata[STATE], _checksum(metadata[STATE], arrays)
    if metadata[CHECKSUM] != expected:
        raise CheckpointError(
            f"{where}[{CHECKSUM!r}]: got {metadata[CHECKSUM][:20]!r}, expected {expected!r} for what the "
            "file holds; it was damaged, or changed after it was saved"
        )
    try:
        return _tree(text, arrays, map_location or "cpu")
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{where}[{STATE!r}]: {error}") from None


def _tree(text: str, arrays: dict[str, np.ndarray], place: str) -> dict[str, Any]:
    """The tree that the JSON describes; ValueError if it is none, or does not use every tensor once."""
    if len(text) > MAX_STATE:
        raise ValueError(f"got {len(text):,} characters, expected at most {MAX_STATE:,}")
    state = _unpacked(json.loads(text), arrays, place)
    if arrays or not isinstance(state, dict):
        raise ValueError(f"expected a dict that names every tensor; left over: {sorted(arrays)[:5]}")
    return state


def _packed(value: Any, place: str, arrays: dict[str, np.ndarray], depth: int = 0) -> Any:
    """`value` as JSON; its tensors go into `arrays`, and what JSON has no word for becomes {"$word": ...}."""
    if depth > MAX_DEPTH:
        raise ValueError(f"save_checkpoint(): {place[:100]}... is nested too deeply; does it contain itself?")
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, Tensor) or is_array(value):
        array = _host_array(value, place)
        if safetensors.code_of(place, array) == "BF16":
            raise TypeError(
                f"save_checkpoint(): {place} is bfloat16, which reads back as float32; convert it"
            )
        name = place.removeprefix("state.")
        while name in arrays:  # {"a": {"b": x}, "a.b": y}
            name += "+"
        arrays[name] = array
        return {"$tensor" if isinstance(value, Tensor) else "$array": name}
    if isinstance(value, list | tuple):
        items = [_packed(item, f"{place}.{i}", arrays, depth + 1) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, Mapping):
        if not all(type(key) in (str, int) for key in value):
            raise TypeError(
                f"save_checkpoint(): the keys of {place} must be str or int, got {list(value)[:5]}"
            )
        pairs = [(key, _packed(item, f"{place}.{key}", arrays, depth + 1)) for key, item in value.items()]
        plain = all(type(key) is str and not key.startswith("$") for key in value)
        return dict(pairs) if plain else {"$dict": pairs}
    raise TypeError(
        f"save_checkpoint(): {place} is a {kind.__module__}.{kind.__qualname__}, expected a dict, list, "
        "tuple, Python number, str, None, Tensor or array; call .item() on a NumPy scalar"
    )


def _unpacked(node: Any, arrays: dict[str, np.ndarray], place: str) -> Any:
    """The inverse of `_packed`: takes from `arrays` what it names; ValueError for anything else."""
    if isinstance(node, list):
        return [_unpacked(item, arrays, place) for item in node]
    if not isinstance(node, dict):
        return node
    if not any(key.startswith("$") for key in node):
        return {key: _unpacked(item, arrays, place) for key, item in node.items()}
    match list(node.items()):
        case [("$tuple", list(items))]:
            return tuple(_unpacked(item, arrays, place) for item in items)
        case [("$float", "inf" | "-inf" | "nan" as word)]:
            return float(word)
        case [("$tensor", str(name))] if name in arrays:
            return Tensor(to_device(arrays.pop(name), place))
        case [("$array", str(name))] if name in arrays:
            return arrays.pop(name)
        case [("$dict", list(pairs))] if all(_is_pair(pair) for pair in pairs):
            return {key: _unpacked(item, arrays, place) for key, item in pairs}
    raise ValueError(f"got {node!r}"[:100] + ", which save_checkpoint does not write")


def _is_pair(pair: Any) -> bool:
    """Is this [key, value] with a key that a state can have?"""
    return isinstance(pair, list) and len(pair) == 2 and type(pair[0]) in (str, int)


def _checksum(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    """CRC-32 over the JSON and over each array's name, type, shape and bytes, in eight hexadecimal digits."""
    crc = zlib.crc32(text.encode())
    for name in sorted(arrays):
        code = safetensors.code_of(name, arrays[name])
        crc = zlib.crc32(f"{name} {code} {arrays[name].shape}".encode(), crc)
        crc = zlib.crc32(safetensors.stored_bytes(arrays[name], code).data, crc)
    return f"{crc:08x}"
