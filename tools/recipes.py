"""The models that `minigrad train` knows: for each kind of task their names, sizes and constructors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad import nn
from minigrad.models import (
    AttentionSeq2Seq,
    AttentionSeq2SeqConfig,
    AutoRegressive,
    BahdanauConfig,
    BahdanauSeq2Seq,
    CoverageSeq2Seq,
    HardImageAttention,
    ImageAttention,
    ImageAttentionConfig,
    LatentAutoRegressive,
    LuongConfig,
    LuongSeq2Seq,
    MarkovChain,
    Naive,
    RNNLanguageModel,
    RNNLanguageModelConfig,
    Seq2Seq,
    Seq2SeqConfig,
    Transformer,
    TransformerConfig,
    TransformerLanguageModel,
    TransformerLanguageModelConfig,
)

from .arguments import nearest
from .errors import CommandError
from .last_state import LastState


@dataclass(frozen=True)
class Recipe:
    """A model by name.

    Args:
        text: what it is, in one line.
        config: what takes its settings; its signature says which there are.
        model: makes the model of a configuration.
        small: the sizes that train in a minute or two, where they are not the configuration's defaults.
        fixed: what the name decides.
        training: settings of the training that suit it better than the general ones.
        fitted: whether it is fitted in one go, and not trained by gradients.
    """

    text: str
    config: Callable[..., Any]
    model: Callable[[Any], nn.Module]
    small: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    fitted: bool = False


def _itself(model: nn.Module) -> nn.Module:
    """A model that takes its settings without a configuration."""
    return model


_SIZES = {"embedding_size": 64, "hidden_size": 128}
_TRANSFORMER = {"model_size": 64, "layers": 2, "heads": 4, "feed_forward": 128, "dropout": 0.0}
_BAHDANAU = {**_SIZES, "alignment_size": 64, "maxout_size": 64}
_LUONG = {**_SIZES, "layers": 1, "dropout": 0.0}
_SEQ2SEQ = {**_SIZES, "layers": 1}

PAIRS = {
    "attention": Recipe(
        "LSTMs with attention after the cell, all steps at once (the default)",
        AttentionSeq2SeqConfig,
        AttentionSeq2Seq,
        {**_SIZES, "score": "dot", "dropout": 0.0},
    ),
    "seq2seq": Recipe(
        "two LSTMs and one vector between them, source reversed (Sutskever 2014)",
        Seq2SeqConfig,
        Seq2Seq,
        _SEQ2SEQ,
        {"peeky": False},
    ),
    "peeky": Recipe(
        "two GRUs, the vector shown at every step",
        Seq2SeqConfig,
        Seq2Seq,
        {**_SEQ2SEQ, "cell": "gru", "reverse_source": False},
        {"peeky": True},
    ),
    "cho": Recipe(
        "the same with all of the paper's layers: bridge and maxout (Cho 2014)",
        Seq2SeqConfig,
        Seq2Seq,
        {**_SEQ2SEQ, "reverse_source": False, "bridge": True, "reset_after": False, "maxout_size": 64},
        {"peeky": True, "cell": "gru"},
    ),
    "bahdanau": Recipe(
        "additive attention before the cell (Bahdanau 2015)", BahdanauConfig, BahdanauSeq2Seq, _BAHDANAU
    ),
    "luong": Recipe(
        "attention after the cell, with input feeding (Luong 2015)",
        LuongConfig,
        LuongSeq2Seq,
        _LUONG,
        {"alignment": "global"},
    ),
    "local": Recipe(
        "the same, looking through a window (Luong 2015, section 3.2)",
        LuongConfig,
        LuongSeq2Seq,
        {**_LUONG, "alignment": "predictive", "window": 4},
    ),
    "coverage": Recipe(
        "Bahdanau's, which remembers where it has looked (Tu 2016)",
        BahdanauConfig,
        CoverageSeq2Seq,
        _BAHDANAU,
    ),
    "transformer": Recipe(
        "self-attention alone (Vaswani 2017)",
        TransformerConfig,
        Transformer,
        {**_TRANSFORMER, "share_embeddings": False, "norm_first": True},
        training={"learning_rate": 0.002},
    ),
}

_TEXT = {**_SIZES, "layers": 1, "dropout": 0.0}
TEXT = {
    "lstm": Recipe(
        "a recurrent network with gates (Zaremba 2014; the default)",
        RNNLanguageModelConfig,
        RNNLanguageModel,
        _TEXT,
        {"cell": "lstm"},
    ),
    "gru": Recipe(
        "the same with two gates (Cho 2014)", RNNLanguageModelConfig, RNNLanguageModel, _TEXT, {"cell": "gru"}
    ),
    "rnn": Recipe(
        "the same without gates (Mikolov 2010)",
        RNNLanguageModelConfig,
        RNNLanguageModel,
        _TEXT,
        {"cell": "rnn"},
        {"learning_rate": 0.002},
    ),
    "transformer": Recipe(
        "masked self-attention alone: a decoder (GPT)",
        TransformerLanguageModelConfig,
        TransformerLanguageModel,
        {**_TRANSFORMER, "positions": "alibi"},
        training={"learning_rate": 0.002},
    ),
    "markov": Recipe(
        "counts of what follows the last two tokens (Markov 1913)",
        MarkovChain,
        _itself,
        {"order": 2, "smoothing": 3.0},
        fitted=True,
    ),
}

_DIGITS = {"widths": (16, 32, 64), "embedding_size": 16, "hidden_size": 64, "alignment_size": 32}
DIGITS = {
    "attention": Recipe(
        "a convolutional encoder and soft attention (Xu 2015; the default)",
        ImageAttentionConfig,
        ImageAttention,
        _DIGITS,
    ),
    "hard": Recipe(
        "the same, looking at one place at a time, drawn (REINFORCE)",
        ImageAttentionConfig,
        HardImageAttention,
        _DIGITS,
        training={"learning_rate": 0.002},
    ),
}
SERIES = {
    "naive": Recipe("tomorrow will be as today", Naive, _itself, fitted=True),
    "ar": Recipe(
        "a weighted sum of the last n values, by least squares",
        AutoRegressive,
        _itself,
        {"order": 8},
        fitted=True,
    ),
    **{
        f"latent-{cell}": Recipe(
            f"a state that sums up all of the past: {cell.upper()}{' (the default)' * (cell == 'gru')}",
            LatentAutoRegressive,
            _itself,
            {"hidden_size": 32},
            {"cell": cell},
        )
        for cell in ("rnn", "lstm", "gru")
    },
}
ADDING = {
    cell: Recipe(
        f"{cell.upper()}, its last state read{' (the default)' * (cell == 'lstm')}",
        LastState,
        _itself,
        fixed={"cell": cell},
    )
    for cell in ("rnn", "lstm", "gru")
}

RECIPES: Mapping[str, Mapping[str, Recipe]] = {
    "pairs": PAIRS,
    "text": TEXT,
    "digits": DIGITS,
    "series": SERIES,
    "adding": ADDING,
}


def recipe_of(kind: str, name: str) -> Recipe:
    """The recipe of a name; CommandError if there is none for this kind of task."""
    recipes = RECIPES[kind]
    if name in recipes:
        return recipes[name]
    elsewhere = [other for other, known in RECIPES.items() if name in known]
    if elsewhere:
        raise CommandError(
            f"the model {name} is for tasks of the kind {' or '.join(elsewhere)}, and this one is of the "
            f"kind {kind}, for which there are {', '.join(recipes)}"
        )
    raise CommandError(f"there is no model {name!r}{nearest(name, recipes)}")


def built(kind: str, settings: Mapping[str, Any]) -> nn.Module:
    """The model that a configuration describes: its "name", and what its signature takes."""
    recipe = recipe_of(kind, settings["name"])
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    del values["name"]
    return recipe.model(recipe.config(**values))
