"""Pairs of number sequences, and the padded batches that an encoder and a decoder read.

Shapes: B pairs, S the longest source, T the longest target with its <eos>.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minigrad.creation import as_tensor
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .dataset import Dataset
from .vocabulary import EOS, PAD, SOS

NumberPair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of training reads; every Tensor is int64.

    The decoder reads `target_in`, which begins with <sos>, and is to say `target_out`, the same shifted by
    one, which ends in <eos>. `tokens` counts what it has to say, without padding: divide a summed loss by it.
    """

    source: Tensor  # (B, S), padded with <pad>
    source_lengths: Tensor  # (B,)
    target_in: Tensor  # (B, T), padded with <pad>
    target_out: Tensor  # (B, T), padded with <pad>
    tokens: int

    def __len__(self) -> int:
        return self.source.shape[0]


class PairDataset(Dataset[NumberPair]):
    """Item i is the i-th pair (source, target) of int64 arrays, without <sos>, <eos> or <pad>.

    `lengths` are those of the sources, as BucketBatchSampler wants them. A source must not be empty, for an
    encoder would have nothing to read; a target may be.

    >>> dataset = PairDataset([[4, 5], [6]], [[7], []])
    >>> batch = collate_pairs([dataset[0], dataset[1]])
    >>> batch.source.tolist(), batch.target_in.tolist(), batch.target_out.tolist()
    ([[4, 5], [6, 0]], [[1, 7], [1, 0]], [[7, 2], [2, 0]])
    """

    def __init__(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> None:
        if len(sources) != len(targets):
            raise ShapeError(
                f"PairDataset(): got {len(sources)} sources, {len(targets)} targets, expected equal numbers"
            )
        for position, source in enumerate(sources):
            if not len(source):
                raise ValueError(
                    f"PairDataset(): source {position} is empty, expected at least one token; leave it out"
                )
        self.sources = [np.asarray(source, dtype=np.int64) for source in sources]
        self.targets = [np.asarray(target, dtype=np.int64) for target in targets]
        self.lengths = np.array([len(source) for source in sources], dtype=np.int64)

    def __getitem__(self, index: int) -> NumberPair:
        return self.sources[index], self.targets[index]

    def __len__(self) -> int:
        return len(self.sources)


def pad_sequences(sequences: Sequence[Sequence[int] | np.ndarray], value: int = PAD) -> np.ndarray:
    """Lay number sequences side by side as the rows of one int64 array, filled up with `value` on the right.

    >>> pad_sequences([[4, 5], [6]])
    array([[4, 5],
           [6, 0]])
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    padded = np.full((len(sequences), lengths.max(initial=0)), value, dtype=np.int64)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def collate_pairs(pairs: Sequence[NumberPair]) -> Batch:
    """Pad the pairs of one batch and add <sos> and <eos> to the targets: a `collate_fn` for DataLoader."""
    if not pairs:
        raise ValueError("collate_pairs(): got no pair, expected at least one")
    sources, targets = zip(*pairs, strict=True)
    return Batch(
        source=as_tensor(pad_sequences(sources)),
        source_lengths=as_tensor(np.array([len(source) for source in sources], dtype=np.int64)),
        target_in=as_tensor(pad_sequences([[SOS, *target] for target in targets])),
        target_out=as_tensor(pad_sequences([[*target, EOS] for target in targets])),
        tokens=sum(len(target) + 1 for target in targets),
    )
