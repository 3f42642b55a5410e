"""Optimisers and schedules by the names that a run's settings give them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from minigrad import nn, optim
from minigrad.models import noam
from minigrad.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR
from minigrad.optim.optimizer import Optimizer


def optimizer_of(model: nn.Module, settings: Mapping[str, Any]) -> Optimizer:
    """The optimiser of the settings: adam, adamw, or sgd with a momentum of 0.9."""
    rate, decay = settings["learning_rate"], settings["weight_decay"]
    if settings["optimizer"] == "sgd":
        return optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=decay)
    kinds = {"adam": optim.Adam, "adamw": optim.AdamW}
    return kinds[settings["optimizer"]](model.parameters(), lr=rate, weight_decay=decay)


def schedule_of(optimizer: Optimizer, settings: Mapping[str, Any], steps: int) -> LRScheduler:
    """The schedule of the settings over so many steps; each reaches learning_rate at its top.

    one-cycle rises for 0.3 of the steps and falls to almost nothing; noam rises for `warmup` steps and falls
    as 1/√step; cosine rises likewise and falls to 0; constant stays.
    """
    if settings["schedule"] == "one-cycle":
        return OneCycleLR(optimizer, max_lr=settings["learning_rate"], total_steps=steps + 1)
    warmup = settings["warmup"]
    shapes: dict[str, Callable[[int], float]] = {
        "noam": noam(1, warmup, factor=warmup**0.5),
        "cosine": _warm_cosine(warmup, steps),
        "constant": lambda _: 1.0,
    }
    return LambdaLR(optimizer, shapes[settings["schedule"]])


def _warm_cosine(warmup: int, steps: int) -> Callable[[int], float]:
    """A straight line up to 1, and half a cosine down to 0."""

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup)))

    return share
