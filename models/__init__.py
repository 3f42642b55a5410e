"""Floor 9: models, one paper or two rivals a file, in the order in which the field found them."""

if __name__ != "minigrad.models":
    raise ImportError("import it as minigrad.models, not as the top-level models")

from .attention_maps import record_attention
from .attention_seq2seq import AttentionSeq2Seq, AttentionSeq2SeqConfig
from .autoregressive import AutoRegressive, LatentAutoRegressive, Naive
from .bahdanau import BahdanauConfig, BahdanauSeq2Seq
from .classifier import TransformerClassifier, TransformerClassifierConfig
from .coverage import CoverageSeq2Seq, coverage_loss
from .decoding import Hypothesis, Incremental, Limits, beam_search, greedy, sample
from .image_attention import (
    HardImageAttention,
    ImageAttention,
    ImageAttentionConfig,
    doubly_stochastic_loss,
    hard_attention_loss,
)
from .language_model import TransformerLanguageModel, TransformerLanguageModelConfig
from .luong import LuongConfig, LuongSeq2Seq
from .markov import MarkovChain
from .rnn_language_model import LanguageModel, RNNLanguageModel, RNNLanguageModelConfig
from .seq2seq import Seq2Seq, Seq2SeqConfig
from .transformer import Transformer, TransformerConfig, noam
from .vision_transformer import VisionTransformer, VisionTransformerConfig

__all__ = [
    "AttentionSeq2Seq",
    "AttentionSeq2SeqConfig",
    "AutoRegressive",
    "BahdanauConfig",
    "BahdanauSeq2Seq",
    "CoverageSeq2Seq",
    "HardImageAttention",
    "Hypothesis",
    "ImageAttention",
    "ImageAttentionConfig",
    "Incremental",
    "LanguageModel",
    "LatentAutoRegressive",
    "Limits",
    "LuongConfig",
    "LuongSeq2Seq",
    "MarkovChain",
    "Naive",
    "RNNLanguageModel",
    "RNNLanguageModelConfig",
    "Seq2Seq",
    "Seq2SeqConfig",
    "Transformer",
    "TransformerClassifier",
    "TransformerClassifierConfig",
    "TransformerConfig",
    "TransformerLanguageModel",
    "TransformerLanguageModelConfig",
    "VisionTransformer",
    "VisionTransformerConfig",
    "beam_search",
    "coverage_loss",
    "doubly_stochastic_loss",
    "greedy",
    "hard_attention_loss",
    "noam",
    "record_attention",
    "sample",
]
