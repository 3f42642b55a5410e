"""From files, dates and lists to batches: datasets, samplers, loaders, vocabularies and tokenisers."""

from .batch import Batch, PairDataset, collate_pairs, pad_sequences
from .bucketing import BucketBatchSampler
from .byte_pair import BytePairTokeniser
from .catalogue import Message, message_pairs
from .cmudict import read_cmudict
from .collate import default_collate
from .dataset import Dataset, Subset, TensorDataset, random_split
from .dates import LOCALES, DateExample, DatePairs, FieldSpans, date_pairs
from .digits import Digits, read_digits
from .errors import DataError
from .images import ImageFolder, read_image
from .loader import DataLoader
from .mo import read_catalogue, read_mo
from .pairs import Pair, read_pairs, split_pairs
from .parallel import read_parallel
from .po import read_po
from .resumable import ResumableBatchSampler
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .sentence_piece import SentencePieceTokeniser
from .text_file import read_lines, read_text
from .token_batches import TokenBatchSampler
from .tokeniser import CharacterTokeniser, JamoTokeniser, Tokeniser, WordTokeniser, tokeniser_by_name
from .tokenisers import tokeniser_from_json
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
    "BytePairTokeniser",
    "CharacterTokeniser",
    "DataError",
    "DataLoader",
    "Dataset",
    "DateExample",
    "DatePairs",
    "Digits",
    "FieldSpans",
    "ImageFolder",
    "JamoTokeniser",
    "Message",
    "Pair",
    "PairDataset",
    "RandomSampler",
    "ResumableBatchSampler",
    "SentencePieceTokeniser",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "TokenBatchSampler",
    "Tokeniser",
    "Vocabulary",
    "WordTokeniser",
    "collate_pairs",
    "date_pairs",
    "default_collate",
    "message_pairs",
    "pad_sequences",
    "random_split",
    "read_catalogue",
    "read_cmudict",
    "read_digits",
    "read_image",
    "read_lines",
    "read_mo",
    "read_pairs",
    "read_parallel",
    "read_po",
    "read_text",
    "split_pairs",
    "tokeniser_by_name",
    "tokeniser_from_json",
]
