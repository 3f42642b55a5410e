"""The Transformer's layers and stacks: their equations, masks, caches, and PyTorch's numbers."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F

N, S, T, E, H = 2, 4, 3, 8, 2


def normal(*shape, seed=0, grad=False):
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=grad)


def encoder_layer(**options):
    return nn.TransformerEncoderLayer(
        E, H, 12, **{"dropout": 0.0, "batch_first": True, "dtype": mg.float64, **options}
    )


def decoder_layer(**options):
    return nn.TransformerDecoderLayer(
        E, H, 12, **{"dropout": 0.0, "batch_first": True, "dtype": mg.float64, **options}
    )


@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_layer_is_its_equation(norm_first):
    layer, x = encoder_layer(norm_first=norm_first), normal(N, S, E)

    def attend(z):
        return layer.self_attn(z, z, z)[0]

    def feed_forward(z):
        return F.linear(F.relu(layer.linear1(z)), layer.linear2.weight, layer.linear2.bias)

    if norm_first:
        middle = x + attend(layer.norm1(x))
        expected = middle + feed_forward(layer.norm2(middle))
    else:
        middle = layer.norm1(x + attend(x))
        expected = layer.norm2(middle + feed_forward(middle))
    np.testing.assert_allclose(layer(x).detach().numpy(), expected.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("layer", [encoder_layer(), encoder_layer(norm_first=True, activation="gelu")])
def test_the_gradients_of_an_encoder_layer_agree_with_differences(layer, assert_gradients):
    assert_gradients(layer, normal(1, 3, E, grad=True))


def test_the_gradients_of_a_decoder_layer_agree_with_differences(assert_gradients):
    layer = decoder_layer(activation=mg.tanh)
    assert_gradients(layer, normal(1, 2, E, grad=True), normal(1, 3, E, seed=1, grad=True))


def test_the_output_at_a_position_does_not_depend_on_later_ones():
    model = nn.TransformerDecoder(decoder_layer(), 2)
    tgt = normal(N, T, E, grad=True)
    model(tgt, normal(N, S, E, seed=1), tgt_is_causal=True)[:, 1].sum().backward()
    assert tgt.grad.numpy()[:, :2].any()
    assert not tgt.grad.numpy()[:, 2:].any()


def test_the_flag_is_the_mask_that_the_model_generates():
    model = nn.TransformerEncoder(encoder_layer(), 2)
    x, mask = normal(N, S, E), nn.Transformer.generate_square_subsequent_mask(S, dtype=mg.float64)
    assert mask.tolist()[1] == [0.0, 0.0, -np.inf, -np.inf]
    np.testing.assert_allclose(
        model(x, is_causal=True).detach().numpy(), model(x, mask).detach().numpy(), atol=1e-12
    )


@pytest.mark.parametrize("norm_first", [False, True])
def test_decoding_with_a_cache_is_decoding_without(norm_first):
    decoder = nn.TransformerDecoder(
        decoder_layer(norm_first=norm_first), 2, nn.LayerNorm(E, dtype=mg.float64)
    )
    tgt, memory = normal(N, 5, E), normal(N, S, E, seed=1)
    padding = mg.tensor([[False] * S, [False, False, True, True]])
    with mg.no_grad():
        whole = decoder(tgt, memory, memory_key_padding_mask=padding, tgt_is_causal=True)
        cache = decoder.make_cache()
        steps = [
            decoder(
                tgt[:, i : i + 1], memory, memory_key_padding_mask=padding, tgt_is_causal=True, cache=cache
            )
            for i in range(5)
        ]
    np.testing.assert_allclose(mg.cat(steps, 1).numpy(), whole.numpy(), atol=1e-10)
    assert (cache[0].own.length, cache[0].memory.length) == (5, S)


def test_a_language_model_of_encoder_layers_decodes_with_a_cache_too():
    encoder = nn.TransformerEncoder(encoder_layer(), 2)
    x = normal(N, 5, E)
    whole, cache = encoder(x, is_causal=True), encoder.make_cache()
    steps = [encoder(x[:, i : i + 1], is_causal=True, cache=cache) for i in range(5)]
    np.testing.assert_allclose(mg.cat(steps, 1).detach().numpy(), whole.detach().numpy(), atol=1e-10)


def test_a_cache_follows_the_hypotheses_of_a_beam_search():
    decoder = nn.TransformerDecoder(decoder_layer(), 1)
    tgt, memory, order = normal(N, 2, E), normal(N, S, E, seed=1), mg.tensor([1, 0])
    cache = decoder.make_cache()
    decoder(tgt[:, :1], memory, cache=cache)
    for layer in cache:
        layer.reorder(order)
    step = decoder(tgt[order][:, 1:], memory[order], cache=cache)
    whole = decoder(tgt[order], memory[order], tgt_is_causal=True)
    np.testing.assert_allclose(step.detach().numpy(), whole[:, 1:].detach().numpy(), atol=1e-10)


def test_a_stack_holds_copies_that_start_alike_and_learn_apart():
    stack = nn.TransformerEncoder(encoder_layer(), 2)
    first, second = (layer.linear1.weight for layer in stack.layers)
    np.testing.assert_array_equal(first.detach().numpy(), second.detach().numpy())
    with mg.no_grad():
        first.zero_()
    assert second.detach().numpy().any()


def test_pytorch_s_choices_of_how_to_compute_a_stack_change_nothing():
    x = normal(N, S, E)
    plain = nn.TransformerEncoder(encoder_layer(), 2)
    other = nn.TransformerEncoder(encoder_layer(), 2, enable_nested_tensor=False, mask_check=False)
    other.load_state_dict(plain.state_dict())
    assert other(x).tolist() == plain(x).tolist()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="activation 'tanh'"):
        encoder_layer(activation="tanh")
    with pytest.raises(ValueError, match=r"TransformerEncoder\(\): num_layers=-1"):
        nn.TransformerEncoder(encoder_layer(), -1)
    with pytest.raises(ValueError, match="got 1 caches for 2 layers"):
        nn.TransformerEncoder(encoder_layer(), 2)(normal(N, S, E), cache=[None])


# ------------------------------------------------------------------------------------------------ PyTorch


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize(("activation", "bias"), [("relu", True), ("gelu", False)])
def test_the_whole_model_is_pytorch_s(batch_first, norm_first, activation, bias):
    import torch

    options = {
        "dim_feedforward": 12, "dropout": 0.0, "activation": activation, "batch_first": batch_first,
        "norm_first": norm_first, "bias": bias,
    }  # fmt: skip
    theirs = torch.nn.Transformer(E, H, 2, 2, dtype=torch.float64, **options)
    ours = nn.Transformer(E, H, 2, 2, dtype=mg.float64, **options)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({name: mg.tensor(value.numpy()) for name, value in state.items()})
    random = np.random.default_rng(0)
    shapes = [(N, S, E), (N, T, E)] if batch_first else [(S, N, E), (T, N, E)]
    arrays = [random.standard_normal(shape) for shape in shapes]
    causal = np.triu(np.ones((T, T), bool), 1)
    padding = np.array([[False] * S, [False, False, False, True]])

    def run(library, model):
        x = [library.tensor(a, requires_grad=True) for a in arrays]
        masks = {"src_key_padding_mask": padding, "memory_key_padding_mask": padding, "tgt_mask": causal}
        output = model(*x, **{name: library.tensor(mask) for name, mask in masks.items()})
        (output**3).sum().backward()
        return [output, *[t.grad for t in x], *[p.grad for p in model.parameters()]]

    for mine, other in zip(run(mg, ours), run(torch, theirs), strict=True):
        scale = max(1.0, other.abs().max().item())
        np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), atol=1e-10 * scale)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_a_training_curve_is_pytorch_s():
    import torch

    theirs = torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(E, H, 12, 0.0, batch_first=True, dtype=torch.float64), 2
    )
    ours = nn.TransformerEncoder(encoder_layer(), 2)
    ours.load_state_dict({name: mg.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    x, y = (np.random.default_rng(i).standard_normal((N, S, E)) for i in (0, 1))
    losses = []
    for library, model in ((mg, ours), (torch, theirs)):
        optimiser = library.optim.Adam(model.parameters(), lr=1e-2)
        source, wanted = library.tensor(x), library.tensor(y)
        losses.append([])
        for _ in range(100):
            optimiser.zero_grad()
            loss = library.nn.functional.mse_loss(model(source), wanted)
            loss.backward()
            optimiser.step()
            losses[-1].append(loss.item())
    np.testing.assert_allclose(losses[0], losses[1], atol=1e-6)
    assert losses[0][-1] < losses[0][0] / 2
