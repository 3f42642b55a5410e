"""What a run may be asked for beside its model: accumulation, patience, averages, workers, event files."""

import struct
import zlib

import pytest

from commands import files, log
from minigrad import nn
from minigrad.checkpoint import load_checkpoint
from minigrad.tools.cli import main
from minigrad.tools.event_file import EventFile
from minigrad.tools.run_folder import RunFolder
from minigrad.tools.schedules import optimizer_of, schedule_of
from minigrad.tools.scores import METRICS, Scores, report, scored
from minigrad.tools.settings import TRAINING
from runs import begun, gone_on, settings_of

WEIGHTS = "checkpoint.safetensors"


def settings(**more):
    """A tiny run: 24 pairs in three batches, in each of four epochs."""
    sizes = {"model__hidden_size": 8, "model__embedding_size": 4, "data__pairs": 24, "data__heldout": 6}
    return settings_of("copy", **{"training__epochs": 4, "training__batch_size": 8, **sizes, **more})


def scores_are(values, monkeypatch):
    """Let a learner find these scores, one after the other; the last one stays."""
    left = list(values)
    monkeypatch.setattr(
        "minigrad.tools.pair_learner.PairLearner.evaluate",
        lambda *_: Scores({"exact": left.pop(0) if len(left) > 1 else left[0]}),
    )


# ------------------------------------------------------------------------------------------------ steps


def test_batches_that_are_accumulated_give_the_gradient_of_one_large_batch(tmp_path):
    whole = begun(tmp_path / "whole", settings(training__batch_size=24))
    parts = begun(tmp_path / "parts", settings(training__accumulate=3))
    for trainer in (whole, parts):
        [batches] = trainer._groups()
        trainer.train_on(batches)
    assert (whole.steps, parts.steps) == (4, 4)
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        assert one.grad.allclose(other.grad, atol=1e-6)


@pytest.mark.parametrize("model", ["attention", "hard"])
def test_a_loss_over_pictures_is_accumulated_as_that_of_one_large_batch(model, tmp_path):
    chosen = {"data__pairs": 12, "data__heldout": 2, "model__name": model, "model__widths": "4,8"}
    penalty = {} if model == "hard" else {"training__attention_penalty": 2}
    trainer = begun(tmp_path, settings_of("digits", **chosen, **penalty))
    trainer.model.eval()  # nothing is drawn, and no baseline moves
    items = sorted((trainer.dataset[n] for n in range(12)), key=lambda item: len(item[1]))
    found = []
    for size in (12, 4):
        parts = [items[start : start + size] for start in range(0, 12, size)]
        trainer.train_on([trainer.learner.collate(part) for part in parts])
        found.append([trainer.loss, [p.grad.clone() for p in trainer.model.parameters()]])
        trainer.model.load_state_dict(trainer.folder.load()["model"])
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-5)
    for one, other in zip(*(gradients for _, gradients in found), strict=True):
        assert one.allclose(other, atol=1e-6)


def test_an_epoch_whose_batches_do_not_divide_has_a_smaller_last_step(tmp_path):
    trainer = begun(tmp_path, settings(training__accumulate=2))
    assert [len(group) for group in trainer._groups()] == [2, 1]
    assert (trainer.sampler.epoch, trainer.sampler.position) == (1, 0)


def test_threads_that_prepare_batches_change_no_bit(tmp_path):
    for workers in (0, 1, 3):
        assert begun(tmp_path / str(workers), settings(training__workers=workers)).run()
    weights = [load_checkpoint(tmp_path / str(workers) / WEIGHTS)["model"] for workers in (0, 1, 3)]
    for name, weight in weights[0].items():
        assert all((weight.numpy() == other[name].numpy()).all() for other in weights[1:])


def test_a_run_with_threads_and_accumulation_is_resumed_to_the_same_bits(tmp_path, monkeypatch):
    chosen = settings(training__workers=2, training__accumulate=2, training__average=2)
    assert begun(tmp_path / "whole", chosen).run()
    trainer = begun(tmp_path / "cut", chosen)
    trainer.train_on(next(trainer._groups()))
    trainer.save()
    gone_on(tmp_path / "cut")
    names = (WEIGHTS, "best.safetensors", "average.safetensors")
    assert files(tmp_path / "cut", *names) == files(tmp_path / "whole", *names)


@pytest.mark.parametrize(
    ("task", "model"), [("copy", "coverage"), ("copy", "attention"), ("digits", "attention")]
)
def test_a_penalty_on_the_weights_adds_to_the_loss(task, model, tmp_path):
    losses = []
    for penalty in (0.0, 0.5, 1.0):
        tiny = {"data__pairs": 4, "data__heldout": 2, "training__attention_penalty": penalty}
        trainer = begun(tmp_path / str(penalty), settings_of(task, model__name=model, **tiny))
        losses.append(trainer.learner.loss(trainer.learner.small_batch(trainer.dataset)).item())
    assert losses[0] < losses[1] < losses[2]
    assert losses[1] == pytest.approx((losses[0] + losses[2]) / 2, rel=1e-4)


def test_a_penalty_on_weights_that_there_are_not_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--model", "seq2seq", "--pairs", "9", "--attention-penalty", "1"]
    assert main(["train", "copy", *words]) == 2
    assert "attention_penalty: the model seq2seq has no weights to be penalised" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["copy", "--patience", "x"], "got 'x', expected a whole number from 0 to 1000000000"),
        (["copy", "--workers", "-1"], "got '-1', expected a whole number from 0"),
        (["copy", "--attention-penalty", "-1"], "got '-1', expected a number from 0 on"),
        (
            ["text", "--data", "text", "--attention-penalty", "1"],
            "for pairs of texts, and for the model attention",
        ),
        (
            ["digits", "--model", "hard", "--attention-penalty", "1"],
            "the model hard of digits has no weights",
        ),
        (
            ["adding-problem", "--label-smoothing", "0.1"],
            "adding-problem predicts numbers; it is for tasks whose",
        ),
        (["series", "--label-smoothing", "0.1"], "training.label_smoothing: series predicts numbers"),
        (
            ["series", "--model", "ar", "--patience", "1"],
            "training.patience: the model ar is fitted in one go",
        ),
        (["series", "--model", "naive", "--workers", "1"], "it is for models that are trained by steps"),
        (
            ["text", "--data", "text", "--model", "markov", "--average", "2"],
            "training.average: the model markov is",
        ),
        (
            ["text", "--data", "text", "--model", "markov", "--label-smoothing", "0.1"],
            "markov is fitted in one go",
        ),
    ],
)
def test_a_setting_that_would_have_no_effect_is_refused(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("a line of it\n" * 20, encoding="utf-8")
    try:
        status = main(["train", *words])
    except SystemExit as end:
        status = end.code
    assert (status, message in capsys.readouterr().err) == (2, True)
    assert not (tmp_path / "runs").exists()


def test_batches_of_so_many_tokens_may_differ_in_number_from_epoch_to_epoch(tmp_path):
    chosen = settings(training__batch_tokens=40)
    trainer = begun(tmp_path / "whole", chosen)
    assert trainer.run()
    assert trainer.step == trainer.steps
    assert all(max(batch.source.numel(), batch.target_in.numel()) <= 40 for batch in trainer.loader)
    cut = begun(tmp_path / "cut", chosen)
    groups = cut._groups()
    for _ in range(2):
        cut.train_on(next(groups))
    cut.save()
    gone_on(tmp_path / "cut")
    assert files(tmp_path / "cut", WEIGHTS) == files(tmp_path / "whole", WEIGHTS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["copy", "--batch-tokens", "3"], "training.batch_tokens: example "),
        (["series", "--batch-tokens", "3"], "training.batch_tokens is for pairs of texts"),
    ],
)
def test_batches_that_cannot_be_made_are_refused(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


# ------------------------------------------------------------------------------------------------ epochs


def test_the_best_weights_are_kept_beside_the_last(tmp_path, monkeypatch):
    scores_are([0.1, 0.7, 0.3, 0.3], monkeypatch)
    trainer = begun(tmp_path, settings())
    assert trainer.run()
    assert load_checkpoint(tmp_path / "best.safetensors")["epoch"] == 2
    assert load_checkpoint(tmp_path / WEIGHTS)["epoch"] == 4
    assert (trainer.best, trainer.waited) == (0.7, 2)


def test_patience_ends_a_run_early_and_what_is_resumed_stays_ended(tmp_path, monkeypatch, capsys):
    scores_are([0.1, 0.7, 0.7, 0.2, 0.9], monkeypatch)
    trainer = begun(tmp_path, settings(training__epochs=20, training__patience=2))
    assert trainer.run()
    assert (trainer.epoch, trainer.ended) == (4, True)
    assert "stopped after 2 epochs that were not better than the best, 70.00%" in capsys.readouterr().out
    assert gone_on(tmp_path).epoch == 4


def test_a_score_of_which_less_is_better_is_waited_for_likewise():
    error, share = METRICS["error_rate"], METRICS["exact"]
    assert error.better(0.1, 0.2)
    assert not error.better(0.2, 0.2)
    assert share.better(0.3, 0.2)
    assert share.better(0.0, None)
    assert not share.better(float("nan"), 0.2)


def test_the_last_epochs_are_averaged_and_nothing_else_is_left_of_them(tmp_path, capsys):
    trainer = begun(tmp_path, settings(training__average=2))
    kept = {}
    keep = trainer.folder.keep_epoch

    def remember(weights, epoch, count):
        kept[epoch] = {name: value.numpy().copy() for name, value in weights["model"].items()}
        keep(weights, epoch, count)

    trainer.folder.keep_epoch = remember
    assert trainer.run()
    average = load_checkpoint(tmp_path / "average.safetensors")["model"]
    for name, value in average.items():
        assert value.numpy() == pytest.approx((kept[3][name] + kept[4][name]) / 2, abs=1e-6)
    assert not list(tmp_path.glob("epoch-*"))
    assert "mean of the last 2 epochs: held-out exact match" in capsys.readouterr().out
    last = load_checkpoint(tmp_path / WEIGHTS)["model"]
    assert all((trainer.model.state_dict()[name].numpy() == last[name].numpy()).all() for name in last)


def test_weights_that_were_not_kept_are_refused(tmp_path, capsys):
    assert begun(tmp_path, settings()).run()
    assert main(["translate", str(tmp_path), "ab", "--checkpoint", "average"]) == 2
    assert "has no average.safetensors; such weights are kept by --average N" in capsys.readouterr().err
    for which in ("last", "best"):
        assert main(["translate", str(tmp_path), "ab", "--checkpoint", which]) == 0


# ------------------------------------------------------------------------------------------------ schedules


def rates(name, steps=100, **more):
    model = nn.Linear(1, 1)
    table = {key: setting.default for key, setting in TRAINING.items()}
    table |= {"schedule": name, "learning_rate": 0.5, "warmup": 10, **more}
    optimizer = optimizer_of(model, table)
    schedule = schedule_of(optimizer, table, steps)
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("name", ["one-cycle", "noam", "cosine", "constant"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_schedule_reaches_the_learning_rate_and_passes_it_never(name, optimizer):
    found = rates(name, optimizer=optimizer, weight_decay=0.1)
    assert max(found) == pytest.approx(0.5, rel=1e-3)
    assert min(found) > 0


def test_schedules_have_the_forms_that_they_are_named_by():
    assert rates("constant") == [0.5] * 100
    noam, cosine = rates("noam"), rates("cosine")
    assert noam.index(max(noam)) == 9
    assert noam[39] == pytest.approx(0.5 * (10 / 40) ** 0.5)
    assert cosine[4] == pytest.approx(0.25)
    assert cosine[55] == pytest.approx(0.25)


# ------------------------------------------------------------------------------------------------ reports


def test_a_report_has_the_groups_and_the_other_scores():
    scores = Scores({"error_rate": 0.25, "exact": 0.5}, {"a": 0.2, "b": 0.3}, [("x", "y", "z")] * 5)
    assert report(scores).splitlines()[:4] == [
        "held-out error rate", "  a          20.00%", "  b          30.00%", "  all        25.00%",
    ]  # fmt: skip
    assert report(scores).count("mistake: 'x' -> 'z', expected 'y'") == 3
    assert "exact match: 50.00%" in report(scores)


def test_the_first_score_of_a_line_of_the_log_is_its_headline():
    record = Scores({"error_rate": 0.25, "exact": 0.5}, {"a": 0.2}).record(10, 2)
    assert record == {"step": 10, "epoch": 2, "error_rate": 0.25, "groups": {"a": 0.2}, "exact": 0.5}
    assert scored(record) == ("error_rate", 0.25)
    assert scored({"step": 1, "loss": 1.0, "exact": 0.0}) is None


# ------------------------------------------------------------------------------------------------ events


def castagnoli(data):
    """CRC-32C, bit by bit, masked as in an event file."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 * (crc & 1))
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def fields(data):
    """(number, value) of each field of a message."""
    found, place = [], 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        key = varint()
        size = {0: None, 1: 8, 2: "length", 5: 4}[key & 7]
        if size is None:
            found.append((key >> 3, varint()))
            continue
        size = varint() if size == "length" else size
        found.append((key >> 3, data[place : place + size]))
        place += size
    return found


def events(path):
    """The messages of an event file, whose checksums are right."""
    data, found = path.read_bytes(), []
    while data:
        length, check = struct.unpack("<QI", data[:12])
        assert check == castagnoli(data[:8])
        content, (after,) = data[12 : 12 + length], struct.unpack("<I", data[12 + length : 16 + length])
        assert after == castagnoli(content)
        found.append(dict(fields(content)))
        data = data[16 + length :]
    return found


def test_an_event_file_holds_the_numbers_at_their_steps(tmp_path):
    file = EventFile(tmp_path / "events")
    file.add(300, {"loss": 0.5, "größe": -2.0})
    first, second = events(file.path)
    assert first[3] == b"brain.Event:2"
    assert second[2] == 300
    values = [dict(fields(value)) for _, value in fields(second[5])]
    assert [(value[1].decode(), struct.unpack("<f", value[2])[0]) for value in values] == [
        ("loss", 0.5),
        ("größe", -2.0),
    ]


def test_a_run_writes_its_log_as_events_too(tmp_path):
    assert begun(tmp_path, settings(training__tensorboard="true")).run()
    [path] = (tmp_path / "events").iterdir()
    names = {dict(fields(v))[1] for event in events(path)[1:] for _, v in fields(event[5])}
    assert names == {b"loss", b"learning_rate", b"exact"}
    assert len(events(path)) == 1 + len(log(tmp_path))


def test_a_resumed_run_has_each_step_once_in_its_events(tmp_path):
    chosen = settings(training__tensorboard="true")
    trainer = begun(tmp_path, chosen)
    state = trainer.state()
    assert trainer.run()
    trainer.folder.save(state)  # as if it had been killed before it was saved again
    gone_on(tmp_path)
    [path] = (tmp_path / "events").iterdir()
    assert [event[2] for event in events(path)[1:]] == [record["step"] for record in log(tmp_path)]
    resumed = begun(tmp_path, chosen)
    resumed.folder.cut_log(0, 0)
    assert not list((tmp_path / "events").iterdir())


def test_a_checksum_is_that_of_castagnoli():
    assert castagnoli(b"123456789") != zlib.crc32(b"123456789")
    crc = 0xE3069283  # of "123456789": RFC 3720, B.4, and every table of CRCs
    assert castagnoli(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_a_run_folder_forgets_what_an_earlier_run_kept(tmp_path):
    assert begun(tmp_path, settings(training__average=1)).run()
    begun(tmp_path, settings())
    assert not RunFolder(tmp_path).kept_epochs()
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", WEIGHTS}
