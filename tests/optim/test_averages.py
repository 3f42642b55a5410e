"""minigrad.optim.swa_utils: averages over a run and over checkpoints, by definition and against PyTorch."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.optim.swa_utils import (
    AveragedModel,
    average_checkpoints,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)

SHAPES = {"weight": (2, 3), "bias": (2,)}


def values(step):
    """The parameters of a layer after a step."""
    random = np.random.default_rng(step)
    return {name: random.standard_normal(shape) for name, shape in SHAPES.items()}


def averaged(steps=6, **options):
    """The averages of a layer that has had the values of some steps."""
    model = nn.Linear(3, 2).double()
    average = AveragedModel(model, **options)
    for step in range(steps):
        model.load_state_dict({name: mg.tensor(value) for name, value in values(step).items()})
        average.update_parameters(model)
    assert average.n_averaged.item() == steps
    return average


def assert_average(average, expected):
    for name, parameter in average.module.named_parameters():
        assert parameter.requires_grad
        np.testing.assert_allclose(parameter.detach().numpy(), expected(name), rtol=1e-13)


@pytest.mark.parametrize(
    "options",
    [{}, {"avg_fn": get_swa_avg_fn()}, {"multi_avg_fn": get_swa_multi_avg_fn()}],
    ids=lambda options: " ".join(options) or "plain",
)
def test_stochastic_weight_averaging_is_the_mean_of_all_steps(options):
    assert_average(
        averaged(**options), lambda name: np.mean([values(step)[name] for step in range(6)], axis=0)
    )


@pytest.mark.parametrize(
    "options",
    [{"avg_fn": get_ema_avg_fn(0.9)}, {"multi_avg_fn": get_ema_multi_avg_fn(0.9)}],
    ids=lambda options: " ".join(options) or "plain",
)
def test_an_exponential_average_forgets_by_its_decay(options):
    def expected(name):
        average = values(0)[name]
        for step in range(1, 6):
            average = 0.9 * average + 0.1 * values(step)[name]
        return average

    assert_average(averaged(**options), expected)


def test_the_average_runs_and_the_model_is_not_touched():
    model = nn.Linear(3, 2).double()
    average = AveragedModel(model)
    x = mg.randn(4, 3, dtype=mg.float64)
    np.testing.assert_array_equal(average(x).detach().numpy(), model(x).detach().numpy())
    before = {name: tensor.array.copy() for name, tensor in model.state_dict().items()}
    for _ in range(3):
        average.update_parameters(model)
    assert all(
        tensor.array.tobytes() == before[name].tobytes() for name, tensor in model.state_dict().items()
    )
    assert average.module.weight is not model.weight


def test_an_average_is_saved_and_goes_on_where_it_was():
    whole, first = averaged(6), averaged(3)
    second = AveragedModel(nn.Linear(3, 2).double())
    second.load_state_dict(first.state_dict())
    model = nn.Linear(3, 2).double()
    for step in range(3, 6):
        model.load_state_dict({name: mg.tensor(value) for name, value in values(step).items()})
        second.update_parameters(model)
    assert sorted(first.state_dict()) == ["module.bias", "module.weight", "n_averaged"]
    for name, tensor in whole.state_dict().items():
        assert second.state_dict()[name].array.tobytes() == tensor.array.tobytes()


def with_buffers(values_of_buffer):
    """A module with a buffer that counts in float and one that counts in int."""
    model = nn.Linear(1, 1)
    model.register_buffer("mean", mg.tensor(float(values_of_buffer)))
    model.register_buffer("count", mg.tensor(int(values_of_buffer)))
    return model


@pytest.mark.parametrize(("use_buffers", "expected"), [(False, 8), (True, 4)])
def test_buffers_are_averaged_on_demand_and_otherwise_those_of_the_last_model(use_buffers, expected):
    average = AveragedModel(with_buffers(0), use_buffers=use_buffers)
    for value in (0, 4, 8):
        average.update_parameters(with_buffers(value))
    assert average.module.mean.item() == expected
    assert average.module.count.item() == expected


def test_the_statistics_of_batch_norms_are_computed_anew_as_the_mean_over_all_batches():
    random = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).double()
    model[2].eval()
    batches = [mg.tensor(random.standard_normal((5, 3)) + step) for step in range(4)]
    model(batches[0])  # something to forget
    update_bn([(batch, "target") for batch in batches], model)
    hidden = [model[0](batch).detach().numpy() for batch in batches]
    np.testing.assert_allclose(model[1].running_mean.numpy(), np.mean([h.mean(0) for h in hidden], axis=0))
    np.testing.assert_allclose(
        model[1].running_var.numpy(), np.mean([h.var(0, ddof=1) for h in hidden], axis=0)
    )
    assert model[1].momentum == 0.1
    assert [module.training for module in model.modules()] == [True, True, True, False]
    update_bn(None, nn.Linear(2, 2))  # without batch norms the loader is not even asked


def test_checkpoints_are_averaged_name_by_name():
    random = np.random.default_rng(0)
    states = [
        {
            "w": mg.tensor(random.standard_normal((2, 3)).astype(np.float16)),
            "count": mg.tensor(position),
            "flag": mg.tensor(position > 1),
        }
        for position in range(3)
    ]
    found = average_checkpoints(iter(states))
    assert list(found) == ["w", "count", "flag"]
    expected = np.mean([state["w"].array.astype(np.float64) for state in states], axis=0).astype(np.float16)
    assert found["w"].array.tobytes() == expected.tobytes()
    assert (found["count"].item(), found["flag"].item()) == (2, True)
    assert found["count"].array is not states[2]["count"].array


def test_averages_of_what_does_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"state_dicts — got none, expected at least one"):
        average_checkpoints([])
    a = {"w": mg.ones(2), "b": mg.ones(1)}
    with pytest.raises(
        ValueError, match=r"state_dicts\[1\] — 'b' is in this one or in the first, but not in both"
    ):
        average_checkpoints([a, {"w": mg.ones(2)}])
    with pytest.raises(ValueError, match=r"state_dicts\[1\]\['w'\]: got shape \(3,\), expected \(2,\)"):
        average_checkpoints([a, {"w": mg.ones(3), "b": mg.ones(1)}])
    with pytest.raises(TypeError, match=r"state_dicts\[1\]\['b'\]: got float64, expected float32"):
        average_checkpoints([a, {"w": mg.ones(2), "b": mg.ones(1, dtype=mg.float64)}])
    with pytest.raises(ValueError, match="got both avg_fn and multi_avg_fn"):
        AveragedModel(nn.Linear(1, 1), avg_fn=get_swa_avg_fn(), multi_avg_fn=get_swa_multi_avg_fn())
    with pytest.raises(ValueError, match=r"got a model of 1 tensors, expected 2"):
        AveragedModel(nn.Linear(2, 2)).update_parameters(nn.Linear(2, 2, bias=False))
    for make in (get_ema_avg_fn, get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"decay — got 1.5, expected 0 <= decay <= 1"):
            make(1.5)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["swa", "ema", "ema one by one", "swa with buffers"])
def test_averages_agree_with_pytorch(kind):
    import torch

    found = []
    for library in (mg, torch):
        utils, nn_of, leaf = library.optim.swa_utils, library.nn, library.tensor
        options = {
            "swa": lambda utils=utils: {},
            "ema": lambda utils=utils: {"multi_avg_fn": utils.get_ema_multi_avg_fn(0.95)},
            "ema one by one": lambda utils=utils: {"avg_fn": utils.get_ema_avg_fn(0.95)},
            "swa with buffers": lambda utils=utils: {"use_buffers": True},
        }[kind]()
        model = nn_of.Sequential(nn_of.Linear(3, 4), nn_of.BatchNorm1d(4)).double()
        average = utils.AveragedModel(model, **options)
        for step in range(6):
            random = np.random.default_rng(step)
            for name, tensor in model.state_dict().items():
                if "num_batches" not in name:
                    tensor.copy_(leaf(random.uniform(0.5, 1.5, tuple(tensor.shape))))
            average.update_parameters(model)
        batches = [leaf(np.random.default_rng(step).standard_normal((5, 3))) for step in range(3)]
        if kind == "swa":
            utils.update_bn(batches, average)
        found.append({name: np.asarray(tensor) for name, tensor in average.state_dict().items()})
    ours, theirs = found
    assert list(ours) == ["n_averaged", *list(theirs)[1:]]
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-10, err_msg=name)


def test_a_whole_run_ends_with_the_average_of_its_second_half():
    mg.manual_seed(0)
    x = mg.tensor(np.linspace(-1, 1, 16).reshape(-1, 1))
    model = nn.Linear(1, 1).double()
    optimizer = mg.optim.SGD(model.parameters(), lr=0.3)
    scheduler = mg.optim.swa_utils.SWALR(optimizer, swa_lr=0.1, anneal_epochs=5)
    average = AveragedModel(model)
    for step in range(60):
        optimizer.zero_grad()
        ((model(x) - 3 * x - 1) * (model(x) - 3 * x - 1)).mean().backward()
        optimizer.step()
        scheduler.step()
        if step >= 30:
            average.update_parameters(model)
    assert scheduler.get_last_lr() == [pytest.approx(0.1)]
    assert average.module.weight.item() == pytest.approx(3.0, abs=0.1)
