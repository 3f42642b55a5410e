"""Positions: each by its formula, and by what it promises of distances."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models.positions import POSITIONS, Positions, RotaryAttention, linear_bias, rotated, sinusoids
from minigrad.models.stack import SelfAttentionStack, StackConfig
from minigrad.nn import KeyValueCache

LIKE = mg.zeros(1, dtype=mg.float64)


def stack_of(positions, **options):
    mg.manual_seed(0)
    config = StackConfig.tiny(positions=positions, max_length=12)
    return SelfAttentionStack(config, **options).to(mg.float64).eval()


def random(*shape):
    return mg.tensor(np.random.default_rng(0).normal(size=shape))


def test_sinusoids_are_those_of_the_paper():
    found = sinusoids(3, 5, 8, LIKE).numpy()
    for t in range(5):
        for i in range(4):
            angle = (3 + t) / 10_000 ** (2 * i / 8)
            assert found[t, 2 * i] == pytest.approx(np.sin(angle), abs=1e-12)
            assert found[t, 2 * i + 1] == pytest.approx(np.cos(angle), abs=1e-12)


def test_a_shift_of_sinusoids_is_a_rotation_that_is_the_same_everywhere():
    """Vaswani 2017, §3.5: P(t + k) is a linear function of P(t), for every t."""
    P = sinusoids(0, 30, 8, LIKE).numpy()
    shift, *_ = np.linalg.lstsq(P[:20], P[7:27], rcond=None)
    assert P[20:23] @ shift == pytest.approx(P[27:], abs=1e-9)


def test_rotation_turns_each_pair_by_its_angle_and_keeps_its_length():
    x = random(2, 3, 6)
    found = rotated(x, start=4).numpy()
    z = x.numpy()[..., ::2] + 1j * x.numpy()[..., 1::2]
    theta = (4 + np.arange(3))[:, None] / 10_000 ** (2 * np.arange(3) / 6)
    turned = z * np.exp(1j * theta)  # Su 2021, eq. 12
    assert found[..., ::2] + 1j * found[..., 1::2] == pytest.approx(turned, abs=1e-12)


def test_scores_of_rotated_vectors_depend_on_the_distance_alone():
    q, k = random(1, 8), random(2, 8)[1:]
    scores = [(rotated(q, t) @ rotated(k, t - 5).mT).item() for t in range(5, 12)]
    assert scores == pytest.approx([scores[0]] * 7, abs=1e-12)


def test_the_slopes_of_eight_heads_are_those_of_the_paper():
    bias = linear_bias(1, 8, 2, 2, causal=True, like=LIKE).numpy()
    assert -bias[:, 1, 0] == pytest.approx([2.0**-i for i in range(1, 9)])  # Press 2022, §3


def test_the_linear_bias_falls_with_the_distance_and_hides_the_future():
    bias = linear_bias(2, 2, 2, 4, causal=True, like=LIKE).numpy()
    assert bias.shape == (4, 2, 4)
    inf = np.inf
    assert bias[0].tolist() == (np.array([[2, 1, 0, inf], [3, 2, 1, 0]]) * -(2.0**-4)).tolist()
    assert (bias[2:] == bias[:2]).all()


def test_in_an_encoder_every_other_head_looks_ahead():
    back, ahead = linear_bias(1, 2, 3, 3, causal=False, like=LIKE).numpy()
    inf = np.inf
    assert back.tolist() == (np.array([[0, inf, inf], [1, 0, inf], [2, 1, 0]]) * -(2.0**-4)).tolist()
    assert ahead.tolist() == (np.array([[0, 1, 2], [inf, 0, 1], [inf, inf, 0]]) * -(2.0**-8)).tolist()


@pytest.mark.parametrize("positions", [kind for kind in POSITIONS if kind != "none"])
def test_a_sequence_is_told_from_its_mirror_image(positions):
    stack, x = stack_of(positions), random(1, 5, 32)
    mirrored = stack(x.flip(1)).flip(1)
    assert not np.allclose(stack(x).detach().numpy(), mirrored.detach().numpy(), atol=1e-3)


@pytest.mark.parametrize("positions", POSITIONS)
def test_without_positions_the_order_is_not_seen_and_with_them_it_is(positions):
    stack, x, order = stack_of(positions), random(1, 5, 32), [3, 0, 4, 1, 2]
    found = stack(x[:, mg.tensor(order)]).detach().numpy()
    expected = stack(x).detach().numpy()[:, order]
    alike = np.allclose(found, expected, atol=1e-10)
    assert alike == (positions == "none")


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("norm_first", [False, True])
def test_a_causal_stack_step_by_step_with_a_cache_is_the_stack_at_once(positions, norm_first):
    mg.manual_seed(0)
    config = StackConfig.tiny(positions=positions, max_length=12, norm_first=norm_first)
    stack, x = SelfAttentionStack(config, causal=True).to(mg.float64).eval(), random(2, 7, 32)
    expected, cache = stack(x).detach().numpy(), stack.make_cache()
    for first, last in ((0, 3), (3, 4), (4, 7)):  # several positions in a step, or one
        found = stack(x[:, first:last], cache=cache).detach().numpy()
        np.testing.assert_allclose(found, expected[:, first:last], atol=1e-10)


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_causal_stack_does_not_see_the_future(positions):
    stack, x = stack_of(positions, causal=True), random(2, 6, 32)
    before = stack(x).detach().numpy()
    changed = x.numpy().copy()
    changed[:, 4] += 1
    after = stack(mg.tensor(changed)).detach().numpy()
    assert (before[:, :4] == after[:, :4]).all()
    assert (before[:, 4:] != after[:, 4:]).any()


@pytest.mark.parametrize("positions", POSITIONS)
def test_padding_changes_nothing(positions):
    stack, x = stack_of(positions), random(2, 6, 32)
    alone = stack(x[1:, :4]).detach().numpy()
    padding = mg.tensor([[False] * 6, [False] * 4 + [True] * 2])
    np.testing.assert_allclose(stack(x, padding).detach().numpy()[1:, :4], alone, atol=1e-10)


def test_rotary_attention_may_read_its_keys_from_a_cache():
    mg.manual_seed(0)
    layer, x = RotaryAttention(8, 2, batch_first=True).to(mg.float64), random(2, 5, 8)
    expected, _ = layer(x, x, x, is_causal=True)
    cache = KeyValueCache()
    steps = [layer(*[x[:, t : t + 1]] * 3, cache=cache)[0].detach().numpy() for t in range(5)]
    np.testing.assert_allclose(np.concatenate(steps, axis=1), expected.detach().numpy(), atol=1e-12)


def test_learned_positions_end_where_their_table_does():
    with pytest.raises(ValueError, match="a sequence of 13 positions, expected at most max_length=12"):
        Positions("learned", 4, 12)(mg.zeros(1, 5, 4), start=8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model_size": 30}, "model_size is 30, expected a multiple of heads, which is 4"),
        ({"layers": 0}, "layers is 0, expected at least 1"),
        ({"feed_forward": -1}, "feed_forward is -1, expected at least 1"),
        ({"positions": "absolute"}, "positions is 'absolute', expected one of sinusoidal, learned, rotary"),
        ({"positions": "alibi", "heads": 1}, "heads is 1, expected an even number for alibi"),
        ({"positions": "rotary", "model_size": 12}, "rotary positions need pairs"),
        ({"model_size": 9, "heads": 3}, "sinusoidal positions need pairs"),
    ],
)
def test_a_stack_that_cannot_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        StackConfig.tiny(**options)
