"""From the options of `minigrad train` to the configuration of a run."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigrad.data import Vocabulary, tokeniser_by_name
from minigrad.models import AttentionSeq2SeqConfig

from .errors import CommandError
from .tasks import NAMES, Task

STEPS_AT_LEAST = 900  # for a user's file, unless --epochs says otherwise
OF_DATES = {"pairs": 20_000, "heldout": 2_700}
DEFAULTS: Mapping[str, Any] = {
    **OF_DATES,
    "seed": 0,
    "threads": 1,  # two are up to three times slower on products this small, beside another busy program
    "epochs": None,
    "batch_size": 64,
    "learning_rate": 0.004,
    "clip": 1.0,
    "dropout": 0.0,
    "label_smoothing": 0.0,
    "hidden_size": 128,
    "embedding_size": 64,
    "score": "dot",
    "tokeniser": "character",
}


def configuration(task: Task, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All that a run depends on: the settings, and what the data decide: vocabularies, sizes, lengths."""
    tokeniser = tokeniser_by_name(settings["tokeniser"])
    sources = [tokeniser.tokenise(example.source) for example in task.train]
    targets = [tokeniser.tokenise(example.target) for example in task.train]
    source, target = Vocabulary.build(sources), Vocabulary.build(targets)
    try:
        model = AttentionSeq2SeqConfig(
            len(source),
            len(target),
            settings["embedding_size"],
            settings["hidden_size"],
            settings["score"],
            settings["dropout"],
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
    steps = math.ceil(len(sources) / settings["batch_size"])
    enough = 2 if name in NAMES else max(3, math.ceil(STEPS_AT_LEAST / steps))
    return {
        "task": name if name in NAMES else str(Path(name).resolve()),
        "seed": settings["seed"],
        "pairs": len(task.train),
        "heldout": len(task.heldout),
        "fingerprint": task.fingerprint(),
        "tokeniser": settings["tokeniser"],
        "max_length": 2 * max(map(len, targets)) + 2,
        "model": vars(model),
        "training": {
            "threads": settings["threads"],
            "epochs": settings["epochs"] or enough,
            "batch_size": settings["batch_size"],
            "learning_rate": settings["learning_rate"],
            "clip": settings["clip"],
            "label_smoothing": settings["label_smoothing"],
        },
        "source_vocabulary": source.to_json(),
        "target_vocabulary": target.to_json(),
    }
