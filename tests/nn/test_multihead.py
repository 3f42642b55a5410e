"""Multi-head attention against its equation, against PyTorch, step by step with a cache, and on bad input."""

import itertools

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import DTypeError, ShapeError

N, L, S, E, H = 2, 3, 4, 6, 2


def normal(*shape, seed=0, grad=True):
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=grad)


def layer(**options):
    return nn.MultiheadAttention(E, H, dtype=mg.float64, **options)


def by_hand(module, query, key, value, look):
    """The equation, head by head, on arrays (N, L, E)."""
    thirds = np.split(module.in_proj_weight.detach().numpy(), 3)
    biases = np.split(module.in_proj_bias.detach().numpy(), 3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), thirds, biases, strict=True))
    heads, weights = [], []
    for part in np.split(np.arange(E), H):
        scores = np.where(look, q[..., part] @ k[..., part].swapaxes(1, 2) / np.sqrt(E // H), -np.inf)
        exponentials = np.exp(scores - scores.max(-1, keepdims=True))
        weights.append(exponentials / exponentials.sum(-1, keepdims=True))
        heads.append(weights[-1] @ v[..., part])
    out = module.out_proj
    joined = np.concatenate(heads, -1) @ out.weight.detach().numpy().T + out.bias.detach().numpy()
    return joined, np.stack(weights, 1)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_the_output_is_the_equation(batch_first, need_weights):
    module = layer(batch_first=batch_first)
    arrays = [np.random.default_rng(i).standard_normal((N, n, E)) for i, n in enumerate((L, S, S))]
    blocked = np.random.default_rng(9).random((L, S)) < 0.3
    blocked[:, 0] = False
    expected, weights = by_hand(module, *arrays, ~blocked)
    inputs = [mg.tensor(a if batch_first else a.swapaxes(0, 1)) for a in arrays]
    found, seen = module(*inputs, attn_mask=mg.tensor(blocked), need_weights=need_weights)
    np.testing.assert_allclose(
        found.detach().numpy() if batch_first else found.detach().numpy().swapaxes(0, 1), expected, atol=1e-12
    )
    if need_weights:
        np.testing.assert_allclose(seen.detach().numpy(), weights.mean(1), atol=1e-12)
    else:
        assert seen is None


def test_one_head_is_scaled_dot_product_attention():
    module = nn.MultiheadAttention(E, 1, bias=False, batch_first=True, dtype=mg.float64)
    with mg.no_grad():
        module.in_proj_weight.copy_(mg.cat([mg.eye(E, dtype=mg.float64)] * 3))
        module.out_proj.weight.copy_(mg.eye(E, dtype=mg.float64))
    q, k = normal(N, L, E), normal(N, S, E, seed=1)
    expected = nn.functional.scaled_dot_product_attention(q, k, k)
    np.testing.assert_allclose(module(q, k, k)[0].detach().numpy(), expected.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"add_bias_kv": True}, {"kdim": 5, "vdim": 3}], ids=str)
def test_gradients_agree_with_differences(options, assert_gradients):
    module = layer(batch_first=True, **options)
    key = normal(N, S, options.get("kdim", E), seed=1)
    value = normal(N, S, options.get("vdim", E), seed=2)
    assert_gradients(module, normal(N, L, E), key, value, need_weights=False)


def test_padding_gets_exactly_no_gradient():
    module, x = layer(batch_first=True), normal(N, S, E)
    padding = mg.tensor([[False, False, True, True], [False, False, False, True]])
    output, weights = module(normal(N, L, E, seed=1), x, x, key_padding_mask=padding)
    output.sum().backward()
    assert not x.grad.numpy()[padding.numpy()].any()
    assert not weights.detach().numpy()[0, :, 2:].any()


def test_a_causal_query_does_not_see_what_comes_after_it():
    module, x = layer(batch_first=True), normal(1, S, E)
    output, weights = module(x, x, x, is_causal=True)
    output[0, 1].sum().backward()
    assert x.grad.numpy()[0, :2].all()
    assert not x.grad.numpy()[0, 2:].any()
    assert not np.triu(weights.detach().numpy()[0], 1).any()


def test_a_query_that_may_look_nowhere_gets_only_the_bias_of_the_output():
    module, x = layer(batch_first=True), normal(1, S, E)
    blocked = mg.ones(S, S, dtype=mg.bool)
    output, weights = module(x, x, x, attn_mask=blocked)
    np.testing.assert_array_equal(output.detach().numpy()[0, 0], module.out_proj.bias.detach().numpy())
    assert not weights.detach().numpy().any()


@pytest.mark.parametrize("need_weights", [True, False])
def test_steps_with_a_cache_are_the_whole_sequence(need_weights):
    module, x = layer(batch_first=True), normal(N, 5, E, grad=False)
    whole, _ = module(x, x, x, is_causal=True)
    cache, steps = nn.KeyValueCache(), []
    for start, end in ((0, 2), (2, 3), (3, 5)):
        part = x[:, start:end]
        steps.append(module(part, part, part, is_causal=True, need_weights=need_weights, cache=cache)[0])
    assert cache.length == 5
    np.testing.assert_allclose(mg.cat(steps, 1).detach().numpy(), whole.detach().numpy(), atol=1e-12)


def test_a_settled_cache_projects_its_keys_once():
    module, q, memory = layer(batch_first=True), normal(N, 1, E), normal(N, S, E, seed=1)
    cache = nn.KeyValueCache(grows=False)
    first, _ = module(q, memory, memory, cache=cache)
    again, _ = module(q, memory * 100.0, memory * 100.0, cache=cache)
    np.testing.assert_array_equal(first.detach().numpy(), again.detach().numpy())


def test_a_cache_is_reordered_as_a_beam_search_asks():
    cache = nn.KeyValueCache()
    keys = normal(N, H, S, 3, grad=False)
    cache.append(keys, keys * 2.0)
    cache.reorder(mg.tensor([1, 1]))
    np.testing.assert_array_equal(cache.keys.numpy(), keys.numpy()[[1, 1]])
    np.testing.assert_array_equal(cache.values.numpy(), 2 * keys.numpy()[[1, 1]])


def test_dropout_acts_in_training_only():
    module = layer(dropout=0.9, batch_first=True)
    x = normal(N, S, E)
    assert (module(x, x, x)[1].detach().numpy() == 0).any()
    module.eval()
    np.testing.assert_allclose(module(x, x, x)[1].detach().numpy().sum(-1), 1.0)


def test_what_does_not_fit_is_named():
    module, x = layer(batch_first=True), normal(N, S, E)
    with pytest.raises(ValueError, match="embed_dim=6, num_heads=4"):
        nn.MultiheadAttention(6, 4)
    with pytest.raises(ShapeError, match=r"query \(2, 4, 6\), key \(2, 4, 5\).*expected \(N, L, 6\)"):
        module(x, x[..., :5], x)
    with pytest.raises(ShapeError, match=r"attn_mask \(4, 5\), expected \(4, 4\) or \(4, 4, 4\)"):
        module(x, x, x, attn_mask=mg.zeros(4, 5))
    with pytest.raises(ShapeError, match=r"key_padding_mask \(4, 2\), expected \(2, 4\)"):
        module(x, x, x, key_padding_mask=mg.zeros(4, 2))
    with pytest.raises(DTypeError, match="attn_mask is int64, expected bool"):
        module(x, x, x, attn_mask=mg.zeros(4, 4, dtype=mg.int64))
    with pytest.raises(TypeError, match="expected a Tensor, got list"):
        module([1.0], x, x)


def test_a_printed_layer_says_its_sizes():
    assert repr(nn.MultiheadAttention(4, 2, 0.5)) == (
        "MultiheadAttention(\n  embed_dim=4, num_heads=2, dropout=0.5\n"
        "  (out_proj): Linear(in_features=4, out_features=4, bias=True)\n)"
    )


# ------------------------------------------------------------------------------------------------ PyTorch

OPTIONS = [
    {},
    {"bias": False},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 5, "vdim": 3},
    {"kdim": 5},
]
MASKS = {
    "none": None,
    "bool": np.triu(np.ones((L, S), bool), 2),
    "float": np.random.default_rng(5).standard_normal((L, S)),
    "bool by head": np.broadcast_to(np.triu(np.ones((L, S), bool), 1), (N * H, L, S)).copy(),
    "float by head": np.random.default_rng(6).standard_normal((N * H, L, S)),
}
PADDING = {
    "none": None,
    "bool": np.array([[False, False, True, True], [False, False, False, False]]),
    "float": np.random.default_rng(7).standard_normal((N, S)),
}


@pytest.mark.oracle
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("batch_first", [True, False])
def test_values_and_gradients_are_those_of_pytorch(options, batch_first):
    import torch

    theirs = torch.nn.MultiheadAttention(E, H, batch_first=batch_first, dtype=torch.float64, **options)
    ours = layer(batch_first=batch_first, **options)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_()
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({name: mg.tensor(value.numpy()) for name, value in state.items()})
    sizes = (E, options.get("kdim", E), options.get("vdim", E))
    arrays = [
        np.random.default_rng(i).standard_normal((N, n, e))
        for i, (n, e) in enumerate(zip((L, S, S), sizes, strict=True))
    ]
    if not batch_first:
        arrays = [a.swapaxes(0, 1) for a in arrays]
    for (name, mask), (kind, padding), needed, averaged in itertools.product(
        MASKS.items(), PADDING.items(), (True, False), (True, False)
    ):
        if {name.partition(" ")[0], kind} == {"bool", "float"} or (not needed and not averaged):
            continue  # PyTorch warns of masks of two types
        x = [mg.tensor(a, requires_grad=True) for a in arrays]
        y = [torch.tensor(a, requires_grad=True) for a in arrays]
        flags = {"need_weights": needed, "average_attn_weights": averaged}
        found = ours(
            *x,
            *(None if padding is None else mg.tensor(padding),),
            attn_mask=(None if mask is None else mg.tensor(mask)),
            **flags,
        )
        expected = theirs(
            *y,
            *(None if padding is None else torch.tensor(padding),),
            attn_mask=(None if mask is None else torch.tensor(mask)),
            **flags,
        )
        pairs = [(a, b) for a, b in zip(found, expected, strict=True) if b is not None]
        for mine, other in pairs:
            np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), atol=1e-10)
        ours.zero_grad()
        theirs.zero_grad()
        sum((mine**2).sum() for mine, _ in pairs).backward()
        sum((other**2).sum() for _, other in pairs).backward()
        gradients = [(a.grad, b.grad) for a, b in zip(x, y, strict=True)]
        gradients += [(a.grad, b.grad) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)]
        for mine, other in gradients:
            scale = max(1.0, other.abs().max().item())
            np.testing.assert_allclose(
                mine.numpy(), other.numpy(), atol=1e-10 * scale, err_msg=f"{name} {kind}"
            )


@pytest.mark.oracle
def test_without_a_batch_the_shapes_are_those_of_pytorch():
    import torch

    theirs = torch.nn.MultiheadAttention(E, H, dtype=torch.float64)
    ours = layer()
    ours.load_state_dict({name: mg.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    a, b = np.random.default_rng(0).standard_normal((L, E)), np.random.default_rng(1).standard_normal((S, E))
    found = ours(mg.tensor(a), mg.tensor(b), mg.tensor(b), average_attn_weights=False)
    expected = theirs(torch.tensor(a), torch.tensor(b), torch.tensor(b), average_attn_weights=False)
    for mine, other in zip(found, expected, strict=True):
        assert mine.shape == tuple(other.shape)
        np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), atol=1e-12)
