"""The Transformer: its size, its masks, its cache, its options, PyTorch's numbers, and that it learns."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim
from minigrad.data import PAD
from minigrad.models import (
    Limits,
    Transformer,
    TransformerConfig,
    beam_search,
    greedy,
    noam,
    record_attention,
)
from minigrad.models.positions import POSITIONS, sinusoids
from minigrad.nn import functional as F
from toy_models import (
    LENGTHS,
    SOURCE,
    TARGET,
    Recomputed,
    V,
    assert_dropout_in_training_alone,
    assert_gradients_reach_every_parameter,
    assert_restored_bit_by_bit,
    assert_steps_are_teacher_forcing,
    copies,
    reversals,
    share_exact,
    train,
    translation_loss,
)

ORDERS = {"post-norm": False, "pre-norm": True}


def config_of(**options):
    return TransformerConfig.tiny(source_vocabulary=V, target_vocabulary=V, max_length=12, **options)


def model_of(**options):
    """A small model in float64, the same at every call."""
    mg.manual_seed(0)
    return Transformer(config_of(**options)).to(mg.float64).eval()


def logits_of(model):
    return model(SOURCE, LENGTHS, TARGET)[0]


# ---------------------------------------------------------------------------- sizes


def parameters_of(config):
    """How many numbers the model learns; a table that serves thrice counts once."""
    E, F_, N = config.model_size, config.feed_forward, config.layers
    attention = 4 * (E * E + E)  # W and b of queries, keys, values and output
    feed_forward = E * F_ + F_ + F_ * E + E
    norm = 2 * E
    encoder = N * (attention + feed_forward + 2 * norm)
    decoder = N * (2 * attention + feed_forward + 3 * norm)
    return config.source_vocabulary * E + encoder + decoder


def test_the_base_model_has_the_parameters_of_the_paper():
    """Table 3 says 65 million for base and 213 million for big, of a vocabulary of "about 37000".

    Counted are the shared table, every W and b, and the norms' two vectors each: 63.1 and 214.2 million.
    With N = 1 the same is counted in a model, for one of N = 6 takes seconds to draw.
    """
    base, big = TransformerConfig(), TransformerConfig.big()
    assert parameters_of(base) == 63_082_496
    assert parameters_of(big) == 214_245_376
    assert parameters_of(base) == pytest.approx(65e6, rel=0.03)
    assert parameters_of(big) == pytest.approx(213e6, rel=0.03)
    one = TransformerConfig(layers=1, source_vocabulary=37, target_vocabulary=37)
    assert sum(p.numel() for p in Transformer(one).parameters()) == parameters_of(one)


@pytest.mark.slow
def test_the_base_model_as_it_is_built_has_as_many():
    assert sum(p.numel() for p in Transformer(TransformerConfig()).parameters()) == 63_082_496


def test_the_configuration_is_the_base_model_of_the_paper_and_frozen():
    config = TransformerConfig()
    assert (config.model_size, config.layers, config.heads, config.feed_forward) == (512, 6, 8, 2048)
    assert (config.dropout, config.positions, config.norm_first) == (0.1, "sinusoidal", False)
    assert TransformerConfig.base() == config
    with pytest.raises(FrozenInstanceError):
        config.layers = 2


def test_presets_can_be_changed():
    assert TransformerConfig.small(layers=5).layers == 5
    assert TransformerConfig.big(dropout=0.1).dropout == 0.1
    assert TransformerConfig.tiny(source_vocabulary=9, target_vocabulary=9).model_size == 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source_vocabulary": 0}, "source_vocabulary is 0, expected at least 1"),
        ({"source_vocabulary": 8, "target_vocabulary": 9}, "a shared table needs one vocabulary"),
        ({"heads": 7}, "expected a multiple of heads"),
        ({"layers": 0}, "layers is 0, expected at least 1"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**options)


def test_one_table_serves_three_times_or_not_as_asked():
    def count(**options):
        return sum(p.numel() for p in model_of(**options).parameters())

    table = V * 32
    assert count(share_embeddings=False) - count() == table
    assert count(share_embeddings=False, tie_output=False) - count() == 2 * table
    tied = model_of()
    assert tied.source_embedding is tied.target_embedding
    assert not tied.source_embedding.weight.detach().numpy()[PAD].any()


# ---------------------------------------------------------------------------- masks


def test_logits_have_a_row_for_every_target_position():
    assert logits_of(model_of()).shape == (3, 4, V)


def test_a_source_alone_gives_what_it_gives_in_a_padded_batch():
    for positions in POSITIONS:
        model = model_of(positions=positions)
        together = logits_of(model).detach().numpy()
        for row, length in enumerate(LENGTHS.tolist()):
            one = slice(row, row + 1)
            alone, _ = model(SOURCE[one, :length], LENGTHS[one], TARGET[one])
            np.testing.assert_allclose(alone.detach().numpy()[0], together[row], atol=1e-10)


def test_a_later_target_token_changes_no_earlier_logits():
    model = model_of()
    changed = TARGET.numpy().copy()
    changed[:, 2] = 9
    after = model(SOURCE, LENGTHS, mg.tensor(changed))[0].detach().numpy()
    same = logits_of(model).detach().numpy() == after
    assert same[:, :2].all()
    assert not same[:, 2].all()


def test_attention_is_recorded_for_every_layer_and_head():
    model = model_of()
    expected = logits_of(model).detach().numpy()
    with record_attention(model) as weights:
        found = logits_of(model).detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert len(weights) == 6
    consulted = weights["decoder.layers.layers.1.multihead_attn"][0].detach().numpy()
    assert consulted.shape == (3, 4, 4, 5)
    assert consulted.sum(axis=-1) == pytest.approx(1)
    assert (consulted[1, :, :, 3:] == 0).all()
    own = weights["decoder.layers.layers.0.self_attn"][0].detach().numpy()
    assert (own[..., ~np.tri(4, dtype=bool)] == 0).all()
    logits_of(model)
    assert len(weights["encoder.layers.layers.0.self_attn"]) == 1


def test_a_module_without_attention_has_nothing_to_record():
    with (
        pytest.raises(ValueError, match="no MultiheadAttention in this Linear"),
        record_attention(mg.nn.Linear(1, 1)),
    ):
        pass


# ---------------------------------------------------------------------------- decoding


@pytest.mark.parametrize("norm_first", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("positions", POSITIONS)
def test_steps_with_a_cache_are_teacher_forcing(positions, norm_first):
    assert_steps_are_teacher_forcing(model_of(positions=positions, norm_first=norm_first), SOURCE, TARGET)


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_beam_with_a_cache_finds_what_one_without_finds(positions):
    model = model_of(positions=positions)
    options = {"beam_size": 3, "n_best": 3}
    cached = beam_search(model, SOURCE, Limits(6), **options)
    slow = beam_search(Recomputed(model), SOURCE, Limits(6), **options)
    for row, other in zip(cached, slow, strict=True):
        assert [one.tokens for one in row] == [one.tokens for one in other]
        assert [one.score for one in row] == pytest.approx([one.score for one in other], abs=1e-10)


def test_each_step_says_where_the_decoder_looked():
    model = model_of()
    for row, length in zip(greedy(model, SOURCE, Limits(5)), LENGTHS.tolist(), strict=True):
        assert row.attention.shape == (len(row.tokens), 5)
        assert row.attention.sum(axis=1) == pytest.approx(1)
        assert (row.attention[:, length:] == 0).all()


# ---------------------------------------------------------------------------- learning


@pytest.mark.parametrize(
    "options", [{}, {"share_embeddings": False, "tie_output": False, "positions": "learned"}]
)
def test_gradients_reach_every_parameter(options):
    model = model_of(**options)
    if options:  # of a learned table, as many rows as there are positions in the batch
        mg.manual_seed(0)
        model = Transformer(
            TransformerConfig.tiny(source_vocabulary=V, target_vocabulary=V, max_length=6, **options)
        )
    assert_gradients_reach_every_parameter(
        model.train(), translation_loss(model, reversals(16, seed=1, longest=5))
    )


@pytest.mark.parametrize(
    ("task", "options", "share"),
    [
        (copies, {}, 0.95),
        (reversals, {"norm_first": True, "positions": "learned"}, 0.95),
        # only distances inside either side are told, none from target to source: it takes longer
        (reversals, {"positions": "rotary"}, 0.65),
        (reversals, {"positions": "alibi"}, 0.65),
    ],
)
def test_copies_and_reversals_are_learned(task, options, share):
    mg.manual_seed(0)
    model = Transformer(config_of(**options))
    train(model, lambda step: translation_loss(model, task(32, step), label_smoothing=0.1), 200, lr=0.005)
    batch = task(100, seed=10_000)
    assert share_exact(greedy(model, batch.source, Limits(6)), batch) > share
    best = [row[0] for row in beam_search(model, batch.source, Limits(6))]
    assert share_exact(best, batch) > share


def test_reversal_is_not_learned_without_positions():
    mg.manual_seed(0)
    model = Transformer(config_of(positions="none"))
    train(model, lambda step: translation_loss(model, reversals(32, step)), 100, lr=0.005)
    batch = reversals(100, seed=10_000)
    assert share_exact(greedy(model, batch.source, Limits(6)), batch) < 0.6


def test_the_learning_rate_is_that_of_the_paper():
    rate = noam(512, warmup=4000)
    steps = np.arange(1, 20_001)
    expected = 512**-0.5 * np.minimum(steps**-0.5, steps * 4000**-1.5)  # eq. 3
    assert [rate(step - 1) for step in steps.tolist()] == pytest.approx(expected)
    assert expected.argmax() + 1 == 4000
    optimizer = optim.Adam(model_of().parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)  # §5.3
    schedule = optim.lr_scheduler.LambdaLR(optimizer, rate)
    for step in range(3):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected[step])
        optimizer.step()
        schedule.step()
    with pytest.raises(ValueError, match="warmup=0, expected at least 1"):
        noam(512, 0)


def test_dropout_is_active_in_training_alone():
    assert_dropout_in_training_alone(
        Transformer(TransformerConfig.tiny(source_vocabulary=V, target_vocabulary=V, dropout=0.3)), logits_of
    )


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_a_model_is_restored_bit_by_bit_from_its_state(positions):
    assert_restored_bit_by_bit(lambda: Transformer(config_of(positions=positions)), logits_of)


# ---------------------------------------------------------------------------- oracle


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm_first", ORDERS.values(), ids=ORDERS)
def test_logits_and_gradients_are_those_of_pytorch(norm_first):
    import torch

    model = model_of(norm_first=norm_first)
    E, state = 32, {name: torch.tensor(value.numpy()) for name, value in model.state_dict().items()}
    twin = torch.nn.Transformer(
        E, 4, 2, 2, 64, dropout=0.0, batch_first=True, norm_first=norm_first, dtype=torch.float64
    )
    if not norm_first:
        twin.encoder.norm = twin.decoder.norm = None
    inner = {name.replace(".layers.", ".", 1): value for name, value in state.items() if ".layers." in name}
    twin.load_state_dict(inner)
    table = state["source_embedding.weight"].clone().requires_grad_()

    def embedded(tokens):
        rows = torch.nn.functional.embedding(tokens, table, padding_idx=PAD)
        places = sinusoids(0, tokens.shape[1], E, mg.zeros(1, dtype=mg.float64)).numpy()
        return rows * E**0.5 + torch.tensor(places)

    source, target = torch.tensor(SOURCE.numpy()), torch.tensor(TARGET.numpy())
    hidden = twin(
        embedded(source),
        embedded(target),
        tgt_mask=twin.generate_square_subsequent_mask(4, dtype=torch.float64),
        src_key_padding_mask=source == PAD,
        memory_key_padding_mask=source == PAD,
    )
    logits = hidden @ table.T
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), label_smoothing=0.1)
    loss.backward()
    found = logits_of(model)
    np.testing.assert_allclose(found.detach().numpy(), logits.detach().numpy(), atol=1e-10)
    F.cross_entropy(found.reshape(-1, V), TARGET.reshape(-1), label_smoothing=0.1).backward()
    np.testing.assert_allclose(model.source_embedding.weight.grad.numpy(), table.grad.numpy(), atol=1e-10)
    mine = {name: p.grad.numpy() for name, p in model.named_parameters() if ".layers." in name}
    for name, parameter in twin.named_parameters():
        ours = name.replace("coder.", "coder.layers.", 1)
        np.testing.assert_allclose(mine[ours], parameter.grad.numpy(), atol=1e-10, err_msg=name)
