"""Greedy decoding, beam search and sampling, against exhaustive search and by their definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import EOS, PAD, SOS
from minigrad.errors import ShapeError
from minigrad.models import AttentionSeq2Seq, AttentionSeq2SeqConfig
from minigrad.models.decoding import Limits, beam_search, greedy, sample, truncated

V = 7  # four special tokens and three of the language


class Table:
    """log p of the next token by source, position and the last two tokens; it looks at position t % 3."""

    def __init__(self, seed, likely_end=0.0):
        draw = np.random.default_rng(seed)
        x = draw.normal(size=(4, 8, V, V, V)) * 2
        x[..., EOS] += likely_end
        self.log_p = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))

    def start(self, source):
        return source.numpy()[:, 0], 0, np.zeros(len(source), dtype=int)

    def step(self, tokens, state):
        source, t, before = state
        looks = np.eye(3)[np.full(len(tokens), t % 3)]
        found = self.log_p[source, t, before, tokens.numpy()]
        return mg.tensor(found), (source, t + 1, tokens.numpy()), mg.tensor(looks)

    def reorder(self, state, indices):
        source, t, before = state
        return source[indices.numpy()], t, before[indices.numpy()]

    def of(self, source, tokens):
        """log p(y | x) of a whole sequence."""
        said = [0, SOS, *tokens]
        return sum(self.log_p[source, t, said[t], said[t + 1], said[t + 2]] for t in range(len(tokens)))


SOURCES = mg.tensor([[0], [1], [2], [3]])


def every_sequence(longest):
    """All that may be written: ended by <eos>, or cut off at the longest."""
    ordinary = [3, 4, 5, 6]
    for length in range(longest):
        yield from ([*words, EOS] for words in itertools.product(ordinary, repeat=length))
    yield from map(list, itertools.product(ordinary, repeat=longest))


@pytest.fixture(scope="module")
def seq2seq():
    mg.manual_seed(0)
    config = AttentionSeq2SeqConfig(12, 9, embedding_size=6, hidden_size=8)
    return AttentionSeq2Seq(config).to(mg.float64).eval()


# ---------------------------------------------------------------------------- greedy


def test_greedy_takes_the_likeliest_allowed_token_at_every_step():
    table = Table(0)
    for source, found in enumerate(greedy(table, SOURCES, Limits(6))):
        for t, token in enumerate(found.tokens):
            before = [0, SOS, *found.tokens]
            log_p = table.log_p[source, t, before[t], before[t + 1]].copy()
            log_p[[PAD, SOS]] = -np.inf
            assert token == log_p.argmax()
        assert found.log_probability == pytest.approx(table.of(source, found.tokens), abs=1e-12)
        assert found.score == found.log_probability
        assert found.tokens[-1] == EOS or len(found.tokens) == 6


def test_attention_has_a_row_for_every_token_written():
    table = Table(0, likely_end=-9)
    expected = np.eye(3)[[0, 1, 2, 0, 1]]
    assert (greedy(table, SOURCES, Limits(5))[0].attention == expected).all()
    assert (beam_search(table, SOURCES, Limits(5))[0][0].attention == expected).all()
    assert (sample(table, SOURCES, Limits(5), top_k=1)[0].attention == expected).all()


def test_greedy_begins_with_the_token_it_is_given():
    table = Table(0)
    found = greedy(table, SOURCES[:1], Limits(1), first=mg.tensor([5]))[0]
    log_p = table.log_p[0, 0, 0, 5].copy()
    log_p[[PAD, SOS]] = -np.inf
    assert found.tokens == [log_p.argmax()]


# ---------------------------------------------------------------------------- beam


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("limits", [Limits(7), Limits(7, 3), Limits(7, 2, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_a_beam_of_one_is_greedy(seed, limits, length_penalty):
    table = Table(seed)
    alone = greedy(table, SOURCES, limits)
    beam = beam_search(table, SOURCES, limits, beam_size=1, length_penalty=length_penalty)
    assert [found[0].tokens for found in beam] == [found.tokens for found in alone]


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.5])
def test_a_beam_wide_enough_finds_what_exhaustive_search_finds(length_penalty):
    table, longest = Table(1), 4
    every = list(every_sequence(longest))
    beams = beam_search(
        table, SOURCES, Limits(longest), beam_size=400, n_best=10, length_penalty=length_penalty
    )
    for source, found in enumerate(beams):
        scores = {
            tuple(y): table.of(source, y) / ((5 + len(y)) / 6) ** length_penalty  # Wu 2016, eq. 14
            for y in every
        }
        best = sorted(scores, key=lambda y: -scores[y])[:10]
        assert [tuple(one.tokens) for one in found] == best
        assert [one.score for one in found] == pytest.approx([scores[y] for y in best], abs=1e-12)


def test_a_wider_beam_finds_a_sequence_that_greedy_misses():
    pairs = [
        (
            greedy(table, SOURCES, Limits(5)),
            beam_search(table, SOURCES, Limits(5), beam_size=8, length_penalty=0),
        )
        for table in map(Table, range(5))
    ]
    gains = [
        wide[0].log_probability - narrow.log_probability
        for narrows, wides in pairs
        for narrow, wide in zip(narrows, wides, strict=True)
    ]
    assert max(gains) > 0.5
    assert np.mean(gains) > 0


def test_the_length_penalty_prefers_longer_sequences_the_larger_it_is():
    table = Table(2, likely_end=1.0)
    lengths = [
        np.mean([
            len(found[0].tokens)
            for found in beam_search(table, SOURCES, Limits(6), beam_size=300, length_penalty=alpha)
        ])
        for alpha in (0.0, 1.0, 3.0)
    ]  # fmt: skip
    assert lengths[0] <= lengths[1] <= lengths[2]
    assert lengths[0] < lengths[2]


def test_the_coverage_penalty_asks_that_every_place_was_looked_at():
    table = Table(2, likely_end=3.0)  # three tokens have looked at all three places
    shares = []
    for beta in (0.0, 0.1, 50.0):
        rows = beam_search(table, SOURCES, Limits(6), beam_size=300, coverage_penalty=beta, length_penalty=0)
        shares.append(np.mean([len(found[0].tokens) >= 3 for found in rows]))
    assert shares[0] < shares[2] == 1
    assert shares == sorted(shares)


def test_the_score_is_that_of_wu_and_padding_asks_for_no_attention(seq2seq):
    source, lengths = mg.tensor([[4, 5, 6, 7], [8, 9, 0, 0], [10, 11, 4, 0]]), [4, 2, 3]
    options = {"beam_size": 3, "n_best": 3, "length_penalty": 0.7, "coverage_penalty": 0.4}
    for row, length in zip(beam_search(seq2seq, source, Limits(6), **options), lengths, strict=True):
        for found in row:
            covered = np.log(np.minimum(found.attention[:, :length].sum(axis=0), 1)).sum()
            lp = ((5 + len(found.tokens)) / 6) ** 0.7
            assert found.score == pytest.approx(found.log_probability / lp + 0.4 * covered, abs=1e-12)
        assert [one.score for one in row] == sorted((one.score for one in row), reverse=True)


def test_a_place_that_was_never_looked_at_costs_much_and_rules_nothing_out():
    (found,) = beam_search(Table(0), SOURCES[:1], Limits(1), coverage_penalty=1.0, length_penalty=0.0)[0]
    assert found.score == pytest.approx(found.log_probability + 2 * np.log(1e-6))


def test_coverage_of_a_model_without_attention_is_refused():
    table = Table(0)
    step = table.step
    table.step = lambda tokens, state: (*step(tokens, state)[:2], None)
    with pytest.raises(ValueError, match=r"does not say where it looked, .* take coverage_penalty=0"):
        beam_search(table, SOURCES, Limits(3), coverage_penalty=0.2)


def test_the_n_best_differ_and_come_best_first():
    for found in beam_search(Table(3), SOURCES, Limits(6), beam_size=6, n_best=6):
        assert len({tuple(one.tokens) for one in found}) == 6
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_sources_of_one_beam_search_do_not_touch_one_another(seq2seq):
    source = mg.tensor([[4, 5, 6, 7], [8, 9, 0, 0], [10, 11, 4, 0]])
    together = beam_search(seq2seq, source, Limits(6), beam_size=3, n_best=3)
    for row in range(3):
        (alone,) = beam_search(seq2seq, source[row : row + 1], Limits(6), beam_size=3, n_best=3)
        assert [one.tokens for one in alone] == [one.tokens for one in together[row]]
        assert [one.score for one in alone] == pytest.approx([one.score for one in together[row]], abs=1e-12)
        for one, other in zip(alone, together[row], strict=True):
            assert one.attention == pytest.approx(other.attention, abs=1e-12)


def test_the_score_of_a_hypothesis_is_that_of_teacher_forcing(seq2seq):
    source = mg.tensor([[4, 5, 6, 7]])
    for found in beam_search(seq2seq, source, Limits(6), beam_size=4, n_best=4)[0]:
        logits, weights = seq2seq(source, mg.tensor([4]), mg.tensor([[SOS, *found.tokens[:-1]]]))
        log_p = logits.log_softmax(dim=2).detach().numpy()[0]
        assert found.log_probability == pytest.approx(
            log_p[np.arange(len(found.tokens)), found.tokens].sum(), abs=1e-12
        )
        assert found.attention == pytest.approx(weights.detach().numpy()[0], abs=1e-12)


# ---------------------------------------------------------------------------- limits

DECODERS = {
    "greedy": greedy,
    "sample": lambda *given: sample(*given, generator=mg.Generator(3)),
    "beam": lambda *given: [found for row in beam_search(*given, beam_size=5, n_best=5) for found in row],
}


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
@given(
    seed=st.integers(0, 99),
    end=st.sampled_from([-5.0, 0.0, 5.0]),
    lengths=st.tuples(*[st.integers(1, 6)] * 2),
)
def test_lengths_are_within_their_limits_and_nothing_follows_the_end(decode, seed, end, lengths):
    shortest, longest = sorted(lengths)
    for found in decode(Table(seed, end), SOURCES, Limits(longest, shortest)):
        assert shortest <= len(found.tokens) <= longest
        assert EOS not in found.tokens[:-1]
        assert not {PAD, SOS} & set(found.tokens)


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_ngram_is_written_twice(decode, n):
    for seed in range(5):
        for found in decode(Table(seed, -9), SOURCES, Limits(8, no_repeat_ngram=n)):
            ngrams = list(zip(*(found.tokens[i:] for i in range(n)), strict=False))
            assert len(set(ngrams)) == len(ngrams)


def test_without_the_rule_ngrams_do_repeat():
    found = [one.tokens for seed in range(5) for one in greedy(Table(seed, -9), SOURCES, Limits(8))]
    assert any(len(set(tokens)) < len(tokens) for tokens in found)


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
def test_what_is_banned_is_not_written_though_it_be_the_last_token(decode):
    limits = Limits(5, 5, banned=(EOS, 4))
    for found in decode(Table(0, 9), SOURCES, limits):
        assert len(found.tokens) == 5
        assert not {EOS, 4} & set(found.tokens)


def test_a_row_with_no_token_left_ends():
    found = greedy(Table(0, -9), SOURCES, Limits(8, 8, no_repeat_ngram=1))
    assert [len(one.tokens) for one in found] == [5] * 4  # the four ordinary tokens, then <eos>
    assert all(one.tokens[-1] == EOS for one in found)


# ---------------------------------------------------------------------------- sampling


@given(
    weights=st.lists(st.floats(1e-3, 1), min_size=2, max_size=12),
    top_p=st.floats(0.01, 1),
    top_k=st.one_of(st.none(), st.integers(1, 14)),
)
def test_the_nucleus_is_the_smallest_set_with_its_mass(weights, top_p, top_k):
    p = np.array([weights]) / np.sum(weights)
    kept = truncated(p, top_k, top_p)[0] > 0
    mass, count = p[0, kept].sum(), kept.sum()
    assert p[0, kept].min() >= p[0, ~kept].max(initial=0)
    assert count <= (top_k or len(weights))
    if count < min(top_k or len(weights), len(weights)):
        assert mass >= top_p - 1e-12
    assert mass - p[0, kept].min() < top_p
    assert truncated(p, top_k, top_p)[0] == pytest.approx(np.where(kept, p[0], 0) / mass, abs=1e-12)


def test_samples_come_as_often_as_the_distribution_says():
    table = Table(4)
    source = mg.zeros(20_000, 1, dtype=mg.int64)
    found = sample(table, source, Limits(1), temperature=0.7, generator=mg.Generator(1))
    counts = np.bincount([one.tokens[0] for one in found], minlength=V) / 20_000
    p = np.exp(table.log_p[0, 0, 0, SOS] / 0.7)
    p[[PAD, SOS]] = 0
    assert counts == pytest.approx(p / p.sum(), abs=0.02)


def test_one_token_to_draw_from_is_greedy():
    table = Table(5)
    expected = [one.tokens for one in greedy(table, SOURCES, Limits(6))]
    assert [one.tokens for one in sample(table, SOURCES, Limits(6), top_k=1)] == expected
    assert [one.tokens for one in sample(table, SOURCES, Limits(6), top_p=1e-9)] == expected
    for temperature in (1e-4, 1e-300, 1e-310):
        assert [one.tokens for one in sample(table, SOURCES, Limits(6), temperature=temperature)] == expected


def test_a_generator_gives_the_same_sample_again():
    table = Table(6)
    first, second, other = (
        sample(table, SOURCES, Limits(6), generator=mg.Generator(seed)) for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Limits(0), r"max_length=0, expected at least 1"),
        (lambda: Limits(3, 4), r"min_length=4, expected 0 to max_length=3"),
        (lambda: Limits(3, no_repeat_ngram=-1), r"no_repeat_ngram=-1, expected 0 or more"),
        (
            lambda: beam_search(Table(0), SOURCES, Limits(3), beam_size=2, n_best=3),
            r"n_best=3, expected 1 to",
        ),
        (lambda: beam_search(Table(0), SOURCES, Limits(3), beam_size=0), r"expected 1 to beam_size=0"),
        (
            lambda: beam_search(Table(0), SOURCES, Limits(3), coverage_penalty=-1.0),
            r"coverage_penalty=-1.0, expected 0 or more",
        ),
        (lambda: sample(Table(0), SOURCES, Limits(3), temperature=0), r"for 0 call greedy"),
        (lambda: sample(Table(0), SOURCES, Limits(3), temperature=float("nan")), r"temperature=nan"),
        (lambda: sample(Table(0), SOURCES, Limits(3), top_k=0), r"top_k=0, expected at least 1"),
        (lambda: sample(Table(0), SOURCES, Limits(3), top_p=0), r"top_p=0, expected more than 0"),
        (lambda: sample(Table(0), SOURCES, Limits(3), top_p=1.1), r"top_p=1.1, expected"),
    ],
)
def test_limits_and_options_that_make_no_sense_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
def test_a_model_that_says_nan_is_refused(decode):
    table = Table(0)
    table.log_p[:, 1] = np.nan
    with pytest.raises(ValueError, match="log p is NaN; did its training diverge"):
        decode(table, SOURCES, Limits(3, 3))


@pytest.mark.parametrize("decode", [greedy, sample, beam_search])
def test_a_first_token_that_is_not_there_for_every_source_is_refused(decode):
    with pytest.raises(ShapeError, match=r"first \(1,\), expected a token for each of the sources, \(4,\)"):
        decode(Table(0), SOURCES, Limits(3), first=mg.tensor([SOS]))


def test_decoding_records_no_graph_and_keeps_the_grad_mode(seq2seq):
    seen = []
    step = seq2seq.step

    def watched(tokens, state):
        result = step(tokens, state)
        seen.append(result[0].requires_grad)
        return result

    seq2seq.step = watched
    try:
        beam_search(seq2seq, mg.tensor([[4, 5]]), Limits(2))
    finally:
        del seq2seq.step
    assert seen
    assert not any(seen)
    assert mg.is_grad_enabled()
