"""minigrad.checkpoint: damaged and hostile files are refused, and cost neither time nor memory."""

import json
import random
import re
import signal
import subprocess
import sys
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from minigrad.checkpoint import load, load_checkpoint, save, save_checkpoint
from minigrad.errors import CheckpointError
from minigrad.tensor import Tensor

TENSORS = {
    "encoder.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "mask": np.array([True, False, True]),
    "step": np.array(7),
    "empty": np.zeros((0, 5), np.float16),
    "한글": np.arange(4, dtype=np.uint8),
}
SMALL = 2**17  # bytes that a load may take beyond those of the file
# Why a file is refused that the reference reads: its own text asks for the brace, the rest is ours.
STRICTER = r"appears twice|header: got .* expected b'\{'|a byte above 1, expected BOOL|at most 4,096"
NUMBERS = [
    "-1",
    "0",
    "1",
    "1e3",
    "2.0",
    "NaN",
    str(2**31),
    str(2**63),
    str(2**64 - 1),
    "00",
    "9" * 5000,
    "null",
]
WORDS = [
    '"F16"',
    '"BOOL"',
    '"F8"',
    '""',
    '"../../x"',
    r'"\u0000"',
    r'"\ud800"',
    "{}",
    "[]",
    "[[[[",
    '"dtype":"F32",',
]


def flip_bits(content, choose):
    damaged = bytearray(content)
    for _ in range(choose.choice([1, 1, 2, 8])):
        damaged[choose.randrange(len(damaged))] ^= 1 << choose.randrange(8)
    return bytes(damaged)


def truncate(content, choose):
    return content[: choose.randrange(len(content))]


def lengthen(content, choose):
    return content + choose.randbytes(choose.randint(1, 20))


def change_length(content, choose):
    length = int.from_bytes(content[:8], "little")
    found = choose.choice([0, 1, 7, length - 1, length + 1, 2 * length, 2**31, 2**63, 2**64 - 1])
    return found.to_bytes(8, "little") + content[8:]


def edit_header(content, choose):
    """Change tokens of the JSON, and set the length to fit."""
    length = int.from_bytes(content[:8], "little")
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[0-9]+|.', content[8 : 8 + length].decode(), re.DOTALL)
    for _ in range(choose.randint(1, 3)):
        at = choose.randrange(len(tokens))
        edit = choose.randrange(5)
        if edit == 0:
            tokens[at] = choose.choice(NUMBERS)
        elif edit == 1:
            tokens[at] = choose.choice(WORDS)
        elif edit == 2:
            del tokens[at]
        elif edit == 3:
            tokens.insert(at, choose.choice(tokens))
        else:
            other = choose.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        tokens = tokens or [" "]
    header = "".join(tokens).encode()
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def rename(content, choose):
    """Give a tensor, or a key of the metadata, an odd name, or one that is there already."""
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length]
    old = choose.choice(re.findall(rb'"([^"]*)":', header))
    new = choose.choice([*NAMES, *re.findall(rb'"([^"]*)":', header)])
    header = header.replace(b'"' + old + b'":', b'"' + new + b'":')
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


NAMES = [
    *(b"__proto__", b"../x", b"/etc/passwd", b"", b"__metadata__", b"$tensor", b"a/b\\\\c", b"w" * 5000),
    *(b"\\u0000", b"\x00", b"\xff\xfe", b"\\ud800", b"\\ud83d\\ude00", b"\xed\xa0\x80", b"\xc0\xaf"),
]
MUTATIONS = [flip_bits, truncate, lengthen, change_length, edit_header, edit_header, rename]


def same_bits(a, b):
    if isinstance(a, Tensor | np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same_bits(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


def damage(content, seed):
    choose = random.Random(seed)  # noqa: S311 (a seed, not a secret)
    return choose.choice(MUTATIONS)(content, choose)


def refusal(read, path):
    """The message of the CheckpointError that `read(path)` raises, or None, and what it returns, or None."""
    try:
        return None, read(path)
    except CheckpointError as error:
        return str(error), None


@contextmanager
def killing_time_out():
    """An error after ten seconds, wherever the program then is."""

    def give_up(*_):
        raise TimeoutError("ten seconds for one file")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(10)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def memory_of_a_file(path):
    """The block may not take more memory, for itself and what it returns, than the file has bytes."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    yield
    assert tracemalloc.get_traced_memory()[1] - before <= path.stat().st_size + SMALL


@pytest.fixture
def traced():
    tracemalloc.start()
    yield
    tracemalloc.stop()


def opinion(content):
    """The tensors that the reference implementation finds, or None where it refuses the file."""
    import safetensors

    try:
        return dict(safetensors.deserialize(content))
    except safetensors.SafetensorError:
        return None


counts = pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])


@counts
def test_a_damaged_file_of_tensors_is_refused_or_is_what_the_reference_reads(tmp_path, count, traced):
    path = tmp_path / "file"
    save(TENSORS, path, {"made by": "a test"})
    content, refused = path.read_bytes(), 0
    for seed in range(count):
        damaged = damage(content, seed)
        path.write_bytes(damaged)
        theirs = opinion(damaged)
        with killing_time_out(), memory_of_a_file(path):
            message, loaded = refusal(load, path)
        if message is None:
            assert loaded.keys() == theirs.keys(), seed
            for name, tensor in loaded.items():
                assert (list(tensor.shape), tensor.array.tobytes()) == (
                    theirs[name]["shape"],
                    bytes(theirs[name]["data"]),
                ), seed
        else:
            assert message.startswith(f"{path}: byte "), seed
            assert theirs is None or re.search(STRICTER, message), (seed, message)
            refused += 1
    assert refused > count // 2


@counts
def test_a_damaged_training_state_is_refused_or_is_what_was_saved(tmp_path, count, traced):
    path = tmp_path / "file"
    state = {"model": {name: Tensor(array) for name, array in TENSORS.items()}, "step": 7, "lr": 0.1}
    save_checkpoint(state, path)
    content, refused = path.read_bytes(), 0
    for seed in range(count):
        path.write_bytes(damage(content, seed))
        with killing_time_out(), memory_of_a_file(path):
            message, loaded = refusal(load_checkpoint, path)
        if message is None:
            assert same_bits(loaded, state), seed
        else:
            assert message.startswith(f"{path}: byte "), seed
            refused += 1
    assert refused > count // 2


def test_a_file_cut_off_anywhere_is_refused(tmp_path):
    path = tmp_path / "file"
    save(TENSORS, path)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            load(path)


def entries(count):
    """A valid header of many empty tensors: the most objects that a byte of a header can ask for."""
    return json.dumps(
        {str(i): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(count)}
    ).encode()


HOSTILE = {
    "a terabyte claimed": b'{"w":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}',
    "brackets": b'{"w":' + b"[" * 30_000_000,
    "lists in a shape": b'{"w":{"shape":[' + b"[]," * 10_000_000,
    "numbers in a shape": b'{"w":{"shape":[' + b"0," * 10_000_000,
    "a name of 30 MB": b'{"' + b"w" * 30_000_000 + b'":{}}',
    "a string of 30 MB without end": b'{"' + b"\\n" * 15_000_000,
    "objects in the metadata": b'{"__metadata__":{"a":' + b'{"a":' * 5_000_000,
    "many keys in the metadata": b'{"__metadata__":{%s' % b",".join(b'"%x":""' % i for i in range(2_000_000)),
    "as many tensors as may be": entries(30_000),
    "more tensors than may be": entries(300_000),
}
OFTEN = {"a terabyte claimed", "numbers in a shape", "as many tensors as may be"}
CHILD = """
import resource, sys
from minigrad.checkpoint import load
from minigrad.errors import CheckpointError
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    print(len(load(sys.argv[1])), "tensors")
except CheckpointError as error:
    print("refused:", error)
"""


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the limit is set by what Linux tells of a process"
)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in OFTEN else [pytest.mark.slow]) for name in HOSTILE]
)
def test_a_hostile_header_costs_no_more_than_the_file_and_64_megabytes(tmp_path, name):
    header, path = HOSTILE[name], tmp_path / "file"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    command = [sys.executable, "-c", CHILD, path, str(path.stat().st_size + 64 * 2**20)]
    root = Path(__file__).resolve().parent.parent.parent
    child = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, cwd=root)
    expected = "30000 tensors" if name == "as many tensors as may be" else f"refused: {path}: byte "
    assert child.stdout.startswith(expected), child.stdout[-300:] + child.stderr[-300:]
