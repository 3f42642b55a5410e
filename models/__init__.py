"""Floor 9: models, one paper or two rivals a file, in the order in which the field found them."""

if __name__ != "minigrad.models":
    raise ImportError("import it as minigrad.models, not as the top-level models")

from .attention_seq2seq import AttentionSeq2Seq, AttentionSeq2SeqConfig

__all__ = ["AttentionSeq2Seq", "AttentionSeq2SeqConfig"]
