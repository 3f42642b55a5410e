"""From files, dates and lists to batches: datasets, samplers, loaders, vocabularies and tokenisers."""

from .batch import Batch, PairDataset, collate_pairs, pad_sequences
from .bucketing import BucketBatchSampler
from .byte_pair import BytePairTokeniser
from .catalogue import Message, message_pairs
from .cmudict import read_cmudict
from .collate import default_collate
from .dataset import Dataset, Subset, TensorDataset, random_split
from .dates import LOCALES, DateExample, DatePairs, FieldSpans, date_pairs
from .dictd import read_dictd
from .digit_strings import DigitStrings, digit_strings
from .digits import Digits, read_digits
from .emoji_names import read_emoji_names, read_emoji_pairs
from .errors import DataError
from .images import ImageFolder, read_image
from .loader import DataLoader
from .memory import CopyMemory, Recall, copy_memory, copy_memory_baseline, recall
from .mo import read_catalogue, read_mo
from .noise import disturbed
from .pairs import Pair, read_pairs, split_pairs
from .parallel import read_parallel
from .placement import move_batch
from .po import read_po
from .resumable import ResumableBatchSampler
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .sentence_piece import SentencePieceTokeniser
from .series import noisy_sine, read_series
from .text_file import read_lines, read_text
from .token_batches import TokenBatchSampler
from .tokeniser import CharacterTokeniser, JamoTokeniser, Tokeniser, WordTokeniser, tokeniser_by_name
from .tokenisers import tokeniser_from_json
from .toys import TOY_TASKS, AddingProblem, adding_problem, toy_pairs
from .vocabulary import EOS, PAD, SOS, SPECIAL_TOKENS, UNK, Vocabulary

__all__ = [
    "EOS",
    "LOCALES",
    "PAD",
    "SOS",
    "SPECIAL_TOKENS",
    "TOY_TASKS",
    "UNK",
    "AddingProblem",
    "Batch",
    "BatchSampler",
    "BucketBatchSampler",
    "BytePairTokeniser",
    "CharacterTokeniser",
    "CopyMemory",
    "DataError",
    "DataLoader",
    "Dataset",
    "DateExample",
    "DatePairs",
    "DigitStrings",
    "Digits",
    "FieldSpans",
    "ImageFolder",
    "JamoTokeniser",
    "Message",
    "Pair",
    "PairDataset",
    "RandomSampler",
    "Recall",
    "ResumableBatchSampler",
    "SentencePieceTokeniser",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "TokenBatchSampler",
    "Tokeniser",
    "Vocabulary",
    "WordTokeniser",
    "adding_problem",
    "collate_pairs",
    "copy_memory",
    "copy_memory_baseline",
    "date_pairs",
    "default_collate",
    "digit_strings",
    "disturbed",
    "message_pairs",
    "move_batch",
    "noisy_sine",
    "pad_sequences",
    "random_split",
    "read_catalogue",
    "read_cmudict",
    "read_dictd",
    "read_digits",
    "read_emoji_names",
    "read_emoji_pairs",
    "read_image",
    "read_lines",
    "read_mo",
    "read_pairs",
    "read_parallel",
    "read_po",
    "read_series",
    "read_text",
    "recall",
    "split_pairs",
    "tokeniser_by_name",
    "tokeniser_from_json",
    "toy_pairs",
]
