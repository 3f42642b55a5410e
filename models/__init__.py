"""Floor 9: models, one paper or two rivals a file, in the order in which the field found them."""

if __name__ != "minigrad.models":
    raise ImportError("import it as minigrad.models, not as the top-level models")

from .attention_maps import attention_table, head_entropy, record_attention
from .attention_seq2seq import AttentionSeq2Seq, AttentionSeq2SeqConfig
from .autoregressive import AutoRegressive, LatentAutoRegressive, Naive
from .bahdanau import BahdanauConfig, BahdanauSeq2Seq
from .classifier import TransformerClassifier, TransformerClassifierConfig
from .coverage import CoverageSeq2Seq, coverage_loss
from .decoding import Hypothesis, Incremental, Limits, beam_search, greedy, sample
from .hard_attention import HardAttentionSeq2Seq
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
from .scores import CosineScore, LocationScore, ScaledDotScore, score_by_name
from .self_attention_steps import SelfAttentionSteps, self_attention_steps
from .seq2seq import Seq2Seq, Seq2SeqConfig
from .transformer import Transformer, TransformerConfig, noam
from .unrolled import PlainCell, state_gradients, unrolled_states
from .vision_transformer import VisionTransformer, VisionTransformerConfig

__all__ = [
    "AttentionSeq2Seq",
    "AttentionSeq2SeqConfig",
    "AutoRegressive",
    "BahdanauConfig",
    "BahdanauSeq2Seq",
    "CosineScore",
    "CoverageSeq2Seq",
    "HardAttentionSeq2Seq",
    "HardImageAttention",
    "Hypothesis",
    "ImageAttention",
    "ImageAttentionConfig",
    "Incremental",
    "LanguageModel",
    "LatentAutoRegressive",
    "Limits",
    "LocationScore",
    "LuongConfig",
    "LuongSeq2Seq",
    "MarkovChain",
    "Naive",
    "PlainCell",
    "RNNLanguageModel",
    "RNNLanguageModelConfig",
    "ScaledDotScore",
    "SelfAttentionSteps",
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
    "attention_table",
    "beam_search",
    "coverage_loss",
    "doubly_stochastic_loss",
    "greedy",
    "hard_attention_loss",
    "head_entropy",
    "noam",
    "record_attention",
    "sample",
    "score_by_name",
    "self_attention_steps",
    "state_gradients",
    "unrolled_states",
]
