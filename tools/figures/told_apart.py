"""Attention and self-attention told apart, in a page whose every claim has a measured number beside it.

minigrad figure told-apart > docs/attention.md
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

from minigrad import nn
from minigrad.chains import shortest_chain
from minigrad.creation import full
from minigrad.functions import stack
from minigrad.generator import Generator, drawing_from
from minigrad.models import record_attention
from minigrad.random import randn
from minigrad.tensor import Tensor

from .figure import Figure
from .recall import BATCH, DISTANCES, LENGTH, NETWORKS, STEPS, SYMBOLS, TESTED, recalled
from .steps import models, steps

SOURCE, TARGET = 8, 5  # tokens of the texts that are looked at
SHORT, LONG = 16, 64  # tokens, where it is asked what grows with them
SIZE = 8  # of a state, where ways are measured
PAGE = """\
# Attention and self-attention told apart

Made by `minigrad figure told-apart > docs/attention.md`, which measures every number anew. Attention is that
of `AttentionSeq2Seq`, an LSTM that writes and looks at the states of an LSTM that has read; self-attention is
that of the `Transformer`'s encoder. The source has {source} tokens, the target {target}.

| | attention | measured | self-attention | measured |
|---|---|---|---|---|
| queries | states of the decoder, one for each target token | {crossed.queries} | \
every token of a text | {own.queries} |
| keys and values | states of the encoder, one for each source token | \
{crossed.keys} and {crossed.values} | \
the same tokens | {own.keys} and {own.values} |
| what the layer is given for them, before its matrices | two tensors | {crossed.tensors} | \
one | {own.tensors} |
| scores, for each head | target × source | {crossed.scores} | a square | {own.scores} |
| operations in a row, of the whole model that is told the target | \
grow with the text, by the RNN around it | \
{attention.waits} | do not grow | {self.waits} |
| from the first token of a text to its last | \
grows with the distance, through every state between | \
{attention.within} | does not grow | {self.within} |
| from the first source token to the decoder's last step | \
does not grow; without attention, {without} | \
{attention.across} | does not grow | {self.across} |

The last three rows count operations, for texts of {short} and of {long} tokens: the nodes of the tape, those
inside fused operations included (`minigrad.chains`). Ways from token to
token are those of small networks of single steps, `nn.RNNCell` for the LSTM, each token a tensor of its own.
Who writes a text that nobody has told must wait for each token in turn, the Transformer too.

## What is preserved

The share of right answers when a network is asked for the token that stood so many places before the last
of {length}; by chance {chance:.3f}. {batches} batches of {batch} for each number, {tested} sequences that it
has not seen.

| places before | {distances} |
|---|{rules}|
{rows}

The states of the RNNs lose a token within few steps. `attention` is the RNN of the first row, which at the
last step looks at all of its states, by their places; `self-attention` has no states to lose it in.
"""


class Asked(NamedTuple):
    """What a layer of attention was given."""

    queries: int
    keys: int
    values: int
    tensors: int  # how many these three are
    scores: int  # of one head


class Ways(NamedTuple):
    """Numbers of operations, as text: of a short text, and of a long one."""

    waits: str  # that wait for one another
    within: str  # between the ends of one text
    across: str  # from the source's first token to the decoder's last step


class Found(NamedTuple):
    """All numbers of the page."""

    asked: dict[str, Asked]
    ways: dict[str, Ways]
    without: str  # what `across` would be without attention
    recalls: dict[str, dict[int, float]]


def measure(distances: Sequence[int] = DISTANCES, training: int = STEPS) -> Found:
    """Look at two models, walk their graphs, and train the five networks of `recall.py`."""
    with drawing_from(Generator(0)):
        made = models()
        pair, transformer = made["attention"], made["Transformer"]
        return Found(
            asked={
                "crossed": _asked(pair, pair.decoder.attention),
                "own": _asked(transformer, transformer.encoder.layers.layers[0].self_attn),
            },
            ways={
                "attention": Ways(
                    _pair(partial(steps, pair)), _pair(way_through_states), _pair(way_by_attention)
                ),
                "self": Ways(
                    _pair(partial(steps, transformer)),
                    _pair(way_by_self_attention),
                    _pair(way_through_transformer),
                ),
            },
            without=_pair(way_by_last_state),
            recalls={name: {k: recalled(name, k, training) for k in distances} for name in NETWORKS},
        )


def _pair(count: Callable[[int], int]) -> str:
    """What is counted at the two lengths."""
    return f"{count(SHORT):,} and {count(LONG):,}"


def _asked(model: nn.Module, layer: nn.Module) -> Asked:
    """What `layer` was given, and how many weights it made, as `model` read and wrote."""
    kept: list[Asked] = []

    def keep(_: nn.Module, args: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        query, key, value = (*args, args[1])[:3]  # `nn.Attention` takes its keys for values
        rows, cells = output[1].shape[-2:]
        tensors = len({id(query), id(key), id(value)})
        kept.append(Asked(query.shape[1], key.shape[1], value.shape[1], tensors, rows * cells))

    with record_attention(model) if isinstance(layer, nn.MultiheadAttention) else nullcontext():
        handle = layer.register_forward_hook(keep)
        try:
            model(full((1, SOURCE), 5), full((1,), SOURCE), full((1, TARGET), 5))
        finally:
            handle.remove()
    return kept[0]


def _tokens(length: int) -> list[Tensor]:
    """Embedded tokens (1, E), each a tensor of its own."""
    return [randn(1, SIZE, requires_grad=True) for _ in range(length)]


def _states(cell: nn.Module, tokens: list[Tensor], state: Tensor | None = None) -> list[Tensor]:
    """The states (1, H) of a plain RNN after each of the tokens."""
    states = []
    for token in tokens:
        state = cell(token, state)
        states.append(state)
    return states


def way_through_states(length: int) -> int:
    """From the first token of a text to the last state of an RNN that reads it."""
    tokens = _tokens(length)
    return shortest_chain(tokens[0], _states(nn.RNNCell(SIZE, SIZE), tokens)[-1])


def way_by_self_attention(length: int) -> int:
    """From the first token of a text to the last output of self-attention over it."""
    tokens = _tokens(length)
    x = stack(tokens, dim=1)  # (1, L, E)
    outputs, _ = nn.MultiheadAttention(SIZE, 1, batch_first=True)(x, x, x)
    return shortest_chain(tokens[0], outputs[:, -1])


def way_by_last_state(length: int) -> int:
    """From the first source token to the decoder's last state, which begins with the encoder's last."""
    source = _tokens(length)
    return shortest_chain(source[0], _decoder_states(_states(nn.RNNCell(SIZE, SIZE), source))[-1])


def way_by_attention(length: int) -> int:
    """From the first source token to the context of the decoder's last step."""
    source = _tokens(length)
    memory = _states(nn.RNNCell(SIZE, SIZE), source)
    query = _decoder_states(memory)[-1].unsqueeze(1)  # (1, 1, H)
    context, _ = nn.Attention(nn.DotScore())(query, stack(memory, dim=1))
    return shortest_chain(source[0], context)


def _decoder_states(memory: list[Tensor]) -> list[Tensor]:
    """The states of a decoder that begins where the encoder ended, for a target as long as the source."""
    return _states(nn.RNNCell(SIZE, SIZE), _tokens(len(memory)), memory[-1])


def way_through_transformer(length: int) -> int:
    """From the first source token to the last output of a layer that reads it and one that writes."""
    source = _tokens(length)
    reader = nn.TransformerEncoderLayer(SIZE, 1, SIZE, 0.0, batch_first=True)
    writer = nn.TransformerDecoderLayer(SIZE, 1, SIZE, 0.0, batch_first=True)
    memory = reader(stack(source, dim=1))  # (1, L, E)
    outputs = writer(stack(_tokens(length), dim=1), memory)
    return shortest_chain(source[0], outputs[:, -1])


def table(found: Found) -> str:
    """The page."""
    distances = list(next(iter(found.recalls.values())))
    return PAGE.format(
        **found.asked,
        **found.ways,
        without=found.without,
        source=SOURCE,
        target=TARGET,
        short=SHORT,
        long=LONG,
        length=LENGTH,
        chance=1 / SYMBOLS,
        batches=STEPS,
        batch=BATCH,
        tested=TESTED,
        distances=" | ".join(map(str, distances)),
        rules="|".join("---" for _ in distances),
        rows="\n".join(
            f"| {name} | {' | '.join(f'{share:.2f}' for share in shares.values())} |"
            for name, shares in found.recalls.items()
        ),
    ).removesuffix("\n")


FIGURE = Figure("attention and self-attention told apart, as the page docs/attention.md", measure, table)
