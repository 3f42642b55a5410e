"""Floor 7: all that the rest of a training run depends on, as one tree, and a run put back where it stood.

    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "loader": loader}
    save_checkpoint(training_state(parts, step=step, config=config), path)

    state = load_checkpoint(path)  # in another process, with parts that were made in the same way
    restore(state, parts)
    step = state["step"]

On the same machine, with the same versions, the run that goes on has the bits of one that was never stopped.
"""

import platform
import random
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

import minigrad

from .generator import Generator, default_generator

PARTS, RANDOM, VERSIONS = "parts", "random", "versions"  # the keys that a state has beside those it is given


def training_state(parts: Mapping[str, Any], /, **values: Any) -> dict[str, Any]:
    """The state of each part by its name, the random states, the versions, and `values` as they are.

    Args:
        parts: whatever has state_dict() and load_state_dict(), such as a model, an average of it, an
            optimiser, a schedule, a DataLoader; and generators, minigrad's or NumPy's.
        values: numbers, texts, dicts and lists of them, such as step, epoch and config.

    The tensors in it are those of the parts, not copies: save it before the next step.
    """
    taken = [name for name in (PARTS, RANDOM, VERSIONS, *values) if name in parts]
    taken += [name for name in (PARTS, RANDOM, VERSIONS) if name in values]
    if taken:
        raise ValueError(f"training_state(): the name {taken[0]!r} is taken; choose another")
    return {
        PARTS: list(parts),
        **{name: _state_of(name, part) for name, part in parts.items()},
        RANDOM: random_state(),
        VERSIONS: {
            "minigrad": minigrad.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        **values,
    }


def restore(state: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Put every part, and the random numbers, where they stood; at an error, all back to where they were.

    ValueError if the parts are not those of the state, or whatever the part raises that the state does not
    fit, with a note that names the part and the versions by which it was saved.
    """
    lacking = [key for key in (PARTS, RANDOM, VERSIONS) if key not in state]
    if lacking:
        raise ValueError(f"restore(): state has no {lacking[0]!r}; was it made by training_state()?")
    if sorted(state[PARTS]) != sorted(parts):
        raise ValueError(
            f"restore(): got the parts {sorted(parts)}, expected {sorted(state[PARTS])}; to load one of them "
            "alone, pass state[name] to its load_state_dict()"
        )
    before = {name: deepcopy(_state_of(name, part)) for name, part in parts.items()}
    random_before = random_state()
    name = RANDOM
    try:
        for name, part in parts.items():
            _load(part, state[name])
        name = RANDOM
        set_random_state(state[RANDOM])
    except BaseException as error:
        for known, part in parts.items():
            _load(part, before[known])
        set_random_state(random_before)
        versions = ", ".join(f"{library} {version}" for library, version in state[VERSIONS].items())
        error.add_note(f"restore(): {name!r} does not fit, nothing was restored; saved by {versions}")
        raise


def random_state() -> dict[str, Any]:
    """Where the random numbers stand: the library's default generator, NumPy's global one, and Python's."""
    return {
        "minigrad": default_generator().get_state(),
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002 (the global one is what is saved)
        "python": random.getstate(),
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Let the random numbers go on from what `random_state()` returned."""
    if set(state) != {"minigrad", "numpy", "python"}:
        raise ValueError(f"set_random_state(): expected minigrad, numpy and python, got {sorted(state)}")
    default_generator().set_state(state["minigrad"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    random.setstate(state["python"])


def _state_of(name: str, part: Any) -> Any:
    """The state of a part: a generator's, or its state_dict()."""
    if isinstance(part, Generator):
        return part.get_state()
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    if not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
        raise TypeError(
            f"training_state(): parts[{name!r}] is a {type(part).__name__}, expected state_dict() and "
            "load_state_dict(), or a generator; pass a plain value by its name"
        )
    return part.state_dict()


def _load(part: Any, state: Any) -> None:
    """The inverse of `_state_of`."""
    if isinstance(part, Generator):
        part.set_state(state)
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = state
    else:
        part.load_state_dict(state)
