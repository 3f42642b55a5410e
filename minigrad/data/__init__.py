"""From files, dates and lists to batches: datasets, samplers, loaders, vocabularies and tokenisers."""

from .batch import Batch, PairDataset, collate_pairs, pad_sequences
from .bucketing import BucketBatchSampler
from .collate import default_collate
from .dataset import Dataset, Subset, TensorDataset, random_split
from .dates import LOCALES, DateExample, DatePairs, FieldSpans, date_pairs
from .errors import DataError
from .loader import DataLoader
from .pairs import Pair, read_pairs, split_pairs
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .tokeniser import CharacterTokeniser, Tokeniser, WordTokeniser, tokeniser_by_name
from .vocabulary import EOS, PAD, SOS, SPECIAL_TOKENS, UNK, Vocabulary

__all__ = [
    "EOS",
    "LOCALES",
    "PAD",
    "SOS",
    "SPECIAL_TOKENS",
    "UNK",
    "Batch",
    "BatchSampler",
    "BucketBatchSampler",
    "CharacterTokeniser",
    "DataError",
    "DataLoader",
    "Dataset",
    "DateExample",
    "DatePairs",
    "FieldSpans",
    "Pair",
    "PairDataset",
    "RandomSampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "Tokeniser",
    "Vocabulary",
    "WordTokeniser",
    "collate_pairs",
    "date_pairs",
    "default_collate",
    "pad_sequences",
    "random_split",
    "read_pairs",
    "split_pairs",
    "tokeniser_by_name",
]
