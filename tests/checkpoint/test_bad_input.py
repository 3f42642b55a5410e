"""minigrad.checkpoint: each mistake with files and states has an error that names it, and changes nothing."""

import os
import pickle  # what is refused
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import minigrad as mg
from minigrad.checkpoint import load_checkpoint, restore, save_checkpoint, training_state
from minigrad.errors import CheckpointError

readers = pytest.mark.parametrize("read", [mg.load, load_checkpoint])

# ---------------------------------------------------------------- files


@readers
def test_a_file_that_is_missing_is_named(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors"):
        read(tmp_path / "nothing.safetensors")


@readers
def test_a_folder_is_named(tmp_path, read):
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        read(tmp_path)


@readers
def test_an_empty_file_is_refused(tmp_path, read):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CheckpointError, match="file is 0 bytes, expected 8"):
        read(tmp_path / "file")


@readers
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="this is a pipe, expected a file"):
        read(tmp_path / "pipe")


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"w": 1}))


def an_empty_zip(path):
    zipfile.ZipFile(path, "w").close()


KINDS = {
    **{
        f"a pickle of protocol {n}": (lambda p, n=n: p.write_bytes(pickle.dumps([1], n)), "a Python pickle")
        for n in (2, 3, 4, 5)
    },
    "what torch.save writes": (zipped, "a zip archive, such as torch.save writes"),
    "an empty zip": (an_empty_zip, "a zip archive"),
    "npz": (lambda p: np.savez(p.open("wb"), w=np.ones(2)), r"or numpy\.savez"),
    "npy": (lambda p: np.save(p.open("wb"), np.ones(2)), r"an \.npy file; read it with numpy\.load"),
}


@readers
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:unclosed file")
def test_a_file_that_may_run_code_is_refused_with_the_reason_and_a_remedy(tmp_path, read, kind):
    write, words = KINDS[kind]
    write(tmp_path / "file")
    with pytest.raises(CheckpointError, match=f"byte 0: this is .*{words}") as refusal:
        read(tmp_path / "file")
    assert kind == "npy" or "where you trust it, load it" in str(refusal.value)


class Writer:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@readers
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_not_run(tmp_path, read, protocol):
    (tmp_path / "file").write_bytes(pickle.dumps(Writer(str(tmp_path / "was run")), protocol))
    with pytest.raises(CheckpointError):
        read(tmp_path / "file")
    assert not (tmp_path / "was run").exists()


# ---------------------------------------------------------------- saving


@pytest.mark.parametrize("name", ["nowhere/file", "file/file"])
def test_a_folder_that_is_missing_or_is_none_is_an_oserror(tmp_path, name):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError, match=r"nowhere|file/"):
        mg.save({"w": mg.ones(2)}, tmp_path / name)
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_folder_in_the_place_of_the_file_is_an_oserror_and_nothing_stays(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        mg.save({"w": mg.ones(2)}, tmp_path / "file")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def read_only():
    """A folder with a file, in which this process, even the administrator's, may not write."""
    administrator = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mg.save({"w": mg.ones(2)}, folder / "file")
        folder.chmod(0o555)
        if administrator:
            os.seteuid(65534)
        yield folder
        if administrator:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has no such bits")
@pytest.mark.parametrize("name", ["file", "another"])
def test_a_folder_that_is_read_only_is_an_oserror_and_the_old_file_stays(read_only, name):
    with pytest.raises(PermissionError, match=name):
        mg.save({"w": mg.zeros(2)}, read_only / name)
    assert mg.load(read_only / "file")["w"].tolist() == [1.0, 1.0]
    assert [found.name for found in read_only.iterdir()] == ["file"]


def test_dicts_in_the_dict_are_joined_by_dots(tmp_path):
    model = mg.nn.Linear(2, 1)
    mg.save({"encoder": model.state_dict(), "scale": mg.ones(())}, tmp_path / "file")
    assert list(mg.load(tmp_path / "file")) == ["encoder.weight", "encoder.bias", "scale"]


def test_two_tensors_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"two tensors would be named 'a\.b'"):
        mg.save({"a": {"b": mg.ones(1)}, "a.b": mg.ones(1)}, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_a_dict_that_contains_itself_is_refused(tmp_path):
    tensors = {"w": mg.ones(1)}
    tensors["me"] = tensors
    with pytest.raises(ValueError, match="does it contain itself"):
        mg.save(tensors, tmp_path / "file")


@pytest.mark.parametrize("name", ["__proto__", "../x", "", "\0", "a\nb", "한글", "w" * 4096, "$tensor", "😀"])
def test_an_odd_name_is_only_a_name(tmp_path, name):
    mg.save({name: mg.ones(1)}, tmp_path / "file")
    assert list(mg.load(tmp_path / "file")) == [name]
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_bfloat16_of_any_size_is_widened(tmp_path, size):
    values = np.random.default_rng(0).standard_normal(size).astype(ml_dtypes.bfloat16)
    mg.save({"w": values}, tmp_path / "file")
    np.testing.assert_array_equal(mg.load(tmp_path / "file")["w"].array, values.astype(np.float32))


# ---------------------------------------------------------------- states that do not fit


def network(*sizes):
    layers = [mg.nn.Linear(a, b) for a, b in pairwise(sizes)]
    return mg.nn.Sequential(*layers)


def bits(state):
    return {name: tensor.array.tobytes() for name, tensor in state.items()}


def test_all_that_does_not_fit_a_module_is_named_at_once_and_nothing_is_loaded(tmp_path):
    state = network(3, 4, 5).state_dict()
    state["2.weight"], state["1.weight"] = mg.ones(2), mg.ones(9, 9)
    del state["0.bias"]
    mg.save(state, tmp_path / "file")
    model = network(3, 4, 5)
    before = bits(model.state_dict())
    with pytest.raises(RuntimeError) as refusal:
        model.load_state_dict(mg.load(tmp_path / "file"))
    for words in (
        "nothing loaded",
        "missing key 0.bias: expected shape (4,)",
        "unexpected key 2.weight",
        "1.weight: shape (9, 9), expected (5, 4)",
    ):
        assert words in str(refusal.value)
    assert bits(model.state_dict()) == before


def run(*sizes, groups=1):
    model = network(*sizes)
    params = list(model.parameters())
    optimizer = mg.optim.Adam([{"params": params[i::groups]} for i in range(groups)])
    for param in params:
        param.grad = mg.ones_like(param)
    optimizer.step()
    schedule = mg.optim.lr_scheduler.StepLR(optimizer, 2)
    return {"model": model, "optimizer": optimizer, "schedule": schedule, "noise": mg.Generator(3)}


def written_state(parts, path):
    save_checkpoint(training_state(parts), path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("other", "words", "name"),
    [
        ({"sizes": (3, 4, 6)}, r"1\.weight: shape \(5, 4\), expected \(6, 4\)", "model"),
        ({"sizes": (3, 4)}, r"unexpected key 1\.weight", "model"),
        (
            {"sizes": (3, 4, 5), "groups": 2},
            r"got groups of \[4\] parameters, expected \[2, 2\]",
            "optimizer",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_with_the_part_and_nothing_is_restored(
    tmp_path, other, words, name
):
    written_state(run(3, 4, 5), tmp_path / "saved")
    mg.manual_seed(9)
    sizes = other.pop("sizes")
    parts = run(*sizes, **other)
    before = written_state(parts, tmp_path / "before")
    with pytest.raises((RuntimeError, ValueError), match=words) as refusal:
        restore(load_checkpoint(tmp_path / "saved"), parts)
    assert f"'{name}' does not fit, nothing was restored; saved by minigrad" in refusal.value.__notes__[0]
    assert written_state(parts, tmp_path / "after") == before


@pytest.mark.parametrize("random", [{"minigrad": {"seed": 1, "offset": -1}}, {"python": (3,)}, {"numpy": {}}])
def test_random_states_that_are_none_are_refused_and_nothing_is_restored(tmp_path, random):
    parts = run(3, 4)
    state = training_state(parts)
    before = written_state(parts, tmp_path / "before")
    with pytest.raises((ValueError, TypeError, KeyError)) as refusal:
        restore({**state, "random": state["random"] | random}, parts)
    assert "'random' does not fit" in refusal.value.__notes__[0]
    assert written_state(parts, tmp_path / "after") == before


def test_an_interrupt_in_the_middle_restores_nothing(tmp_path, monkeypatch):
    written_state(run(3, 4), tmp_path / "saved")
    parts = run(3, 4)
    before = written_state(parts, tmp_path / "before")
    load, strikes = parts["schedule"].load_state_dict, [KeyboardInterrupt()]

    def interrupted(state):
        if strikes:
            raise strikes.pop()
        load(state)

    monkeypatch.setattr(type(parts["schedule"]), "load_state_dict", lambda _, state: interrupted(state))
    with pytest.raises(KeyboardInterrupt):
        restore(load_checkpoint(tmp_path / "saved"), parts)
    assert written_state(parts, tmp_path / "after") == before


def test_the_parts_must_be_those_that_were_saved():
    parts = run(3, 4)
    state = training_state(parts)
    with pytest.raises(
        ValueError, match=r"got the parts \['model'\], expected \['model', 'noise', 'optimizer'"
    ):
        restore(state, {"model": parts["model"]})
    with pytest.raises(ValueError, match=r"has no 'parts'; was it made by training_state\(\)"):
        restore({"model": {}}, parts)


@pytest.mark.parametrize("name", ["parts", "random", "versions"])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(ValueError, match=f"the name '{name}' is taken"):
        training_state({name: mg.Generator()})
    with pytest.raises(ValueError, match=f"the name '{name}' is taken"):
        training_state({}, **{name: 1})
    with pytest.raises(ValueError, match="the name 'step' is taken"):
        training_state({"step": mg.Generator()}, step=1)


def test_a_part_without_a_state_is_refused():
    with pytest.raises(TypeError, match=r"parts\['step'\] is a int, expected state_dict\(\)"):
        training_state({"step": 3})


def test_a_state_says_by_which_versions_it_was_saved(tmp_path):
    save_checkpoint(training_state({}, config={"lr": 0.1}, step=3), tmp_path / "file")
    state = load_checkpoint(tmp_path / "file")
    assert state["versions"]["minigrad"] == mg.__version__
    assert state["versions"]["numpy"] == np.__version__
    assert (state["config"], state["step"]) == ({"lr": 0.1}, 3)
