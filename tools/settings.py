"""The settings of a run: what they are, where each comes from, and how mistakes in them are said.

A setting has a name of two words, such as training.epochs or model.hidden_size, and its value is read from
text, wherever it stands: on the command line, in a TOML file, or in the table of a task or a model.  Whoever
comes later in this list has the last word:

    the tables below < the task's < the model's < --config FILE.toml < the command line
"""

import argparse
import inspect
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .arguments import (
    count,
    nearest,
    not_negative,
    number,
    numbers,
    one_of,
    positive,
    seed,
    share,
    whole,
    yes_or_no,
)
from .errors import CommandError
from .recipes import Recipe, recipe_of
from .tasks import TASKS, TaskEntry, task_entry

STEPS_AT_LEAST = 900  # for a user's data, unless --epochs says otherwise
TOKENISERS = ("character", "word", "jamo", "byte_pair")


@dataclass(frozen=True)
class Setting:
    """How a value is read from text, what it is unless somebody says otherwise, and what it means."""

    read: Callable[[str], Any]
    default: Any
    text: str
    metavar: str = "N"


@dataclass(frozen=True)
class Given:
    """A value that somebody has given, as text, and where; `shape` is what it was in a TOML file."""

    text: str
    origin: str
    shape: str = "value"

    def blamed(self, error: CommandError) -> CommandError:
        """The error with the file that the value came from; an option is seen by who has written it."""
        return error if self.origin.startswith("--") else CommandError(f"{self.origin}: {error}")


def paths(text: str) -> tuple[str, ...]:
    """Files or folders by their whole names, one on each line."""
    return tuple(str(Path(part).resolve()) for part in text.split("\n") if part)


def tokeniser(text: str) -> str:
    """The name of a tokeniser, or the file of a sentencepiece model."""
    return str(Path(text).resolve()) if text.endswith(".model") else one_of(*TOKENISERS)(text)


SEED = Setting(seed, 0, "of the data drawn, the weights and the order")
TRAINING: Mapping[str, Setting] = {
    "epochs": Setting(
        count, None, f"passes over the data (default: the task's, or as many as make {STEPS_AT_LEAST} steps)"
    ),
    # two threads are up to three times slower on products this small, beside another busy program
    "threads": Setting(count, 1, "threads of a matrix product"),
    "batch_size": Setting(count, 64, "examples in one batch"),
    "batch_tokens": Setting(whole, 0, "tokens of pairs in one batch, with padding, in place of batch-size"),
    "accumulate": Setting(count, 1, "batches in one step"),
    "optimizer": Setting(one_of("adam", "adamw", "sgd"), "adam", "adam, adamw or sgd", "NAME"),
    "schedule": Setting(
        one_of("one-cycle", "noam", "cosine", "constant"),
        "one-cycle",
        "of the learning rate: one-cycle, noam, cosine or constant",
        "NAME",
    ),
    "learning_rate": Setting(positive, 0.004, "the highest of the schedule", "X"),
    "warmup": Setting(count, 400, "steps in which noam and cosine rise"),
    "weight_decay": Setting(number, 0.0, "pull of the weights towards 0", "X"),
    "clip": Setting(positive, 1.0, "the largest norm of the gradient", "X"),
    "label_smoothing": Setting(share, 0.0, "share of the target spread over all tokens", "X"),
    "attention_penalty": Setting(
        not_negative, 0.0, "weight of the coverage loss, for digits of the doubly stochastic loss", "X"
    ),
    "patience": Setting(whole, 0, "stop after so many epochs without a better score; 0: never"),
    "average": Setting(whole, 0, "epochs at the end whose weights are averaged as well"),
    "workers": Setting(whole, 0, "threads that prepare batches ahead"),
    "tensorboard": Setting(yes_or_no, default=False, text="write event files for TensorBoard"),
}
DATA: Mapping[str, Setting] = {
    "files": Setting(paths, (), "files that the task reads", "FILE"),
    "pairs": Setting(count, 10_000, "examples drawn to train on"),
    "heldout": Setting(count, 1_000, "examples drawn to test on"),
    "tokeniser": Setting(
        tokeniser, "character", "character, word, jamo, byte_pair, or a sentencepiece x.model", "NAME"
    ),
    "target_tokeniser": Setting(tokeniser, "", "that of the targets, where it is another", "NAME"),
    "merges": Setting(count, 2_000, "how many byte_pair learns"),
    "stress": Setting(yes_or_no, default=False, text="keep the stress marks of CMUdict"),
    "column": Setting(str, "", "of a CSV file", "NAME"),
    "length": Setting(count, 64, "tokens, observations, steps, letters or digits of an example"),
    "digits": Setting(count, 3, "the most digits in one picture"),
}
OF_MODELS = {  # model settings that have an option of their own
    "hidden_size": Setting(count, None, "size of the states"),
    "embedding_size": Setting(count, None, "size of the embeddings"),
    "layers": Setting(count, None, "layers stacked"),
    "dropout": Setting(share, None, "share of the activations dropped", "X"),
    "score": Setting(str, None, "of attention: dot, general, concat", "NAME"),
}
READERS: Mapping[Any, Callable[[str], Any]] = {
    int: whole,  # what is too small, the model says
    float: number,
    bool: yes_or_no,
    str: str,
    tuple[int, ...]: numbers,
}
DECIDED = ("source_vocabulary", "target_vocabulary", "vocabulary", "channels")  # by the data


def resolved(given: Mapping[str, Given]) -> dict[str, Any]:
    """All settings of a run, but for what only its data can say (None): the beginning of config.json.

    CommandError, with the place, for a name that is none or a value that does not fit.
    """
    rest = dict(given)
    name = _read(str, rest["task"], "task")
    try:
        task = task_entry(name)
    except CommandError as error:
        raise rest["task"].blamed(error) from error
    model_name = _read(str, rest["model.name"], "model.name") if "model.name" in rest else task.model
    try:
        recipe = recipe_of(task.kind, model_name)
    except CommandError as error:
        raise (rest["model.name"].blamed(error) if "model.name" in rest else error) from error
    rest = {place: value for place, value in rest.items() if place not in ("task", "model.name")}
    found: dict[str, Any] = {
        "task": name if name in TASKS else str(Path(name).resolve()),
        "kind": task.kind,
        "score": task.score,
        "seed": _read(SEED.read, rest.pop("seed"), "seed") if "seed" in rest else SEED.default,
    }
    tables = {"data": _data_table(task), "model": model_table(recipe), "training": _training(task, recipe)}
    for place, value in rest.items():
        _refuse_unknown(place, value, tables, name, model_name)
    for section, table in tables.items():
        found[section] = {"name": model_name} if section == "model" else {}
        for key, setting in table.items():
            place = f"{section}.{key}"
            value = setting.default
            found[section][key] = _read(setting.read, rest[place], place) if place in rest else value
    return found


def _data_table(task: TaskEntry) -> dict[str, Setting]:
    """The settings that a task reads, with its own defaults."""
    return {key: _with(DATA[key], value) for key, value in task.data.items()}


def _training(task: TaskEntry, recipe: Recipe) -> dict[str, Setting]:
    defaults = {**task.training, **recipe.training}
    return {key: _with(setting, defaults.get(key)) for key, setting in TRAINING.items()}


def _with(setting: Setting, default: Any) -> Setting:
    """The setting with another default, unless that is None."""
    chosen = setting.default if default is None else default
    return Setting(setting.read, chosen, setting.text, setting.metavar)


def model_table(recipe: Recipe) -> dict[str, Setting]:
    """What a model's configuration takes, by its signature, with the recipe's small sizes as defaults."""
    parameters = inspect.signature(recipe.config).parameters
    return {
        name: Setting(READERS[parameter.annotation], recipe.small.get(name, parameter.default), "")
        for name, parameter in parameters.items()
        if name not in DECIDED and name not in recipe.fixed
    }


def _refuse_unknown(
    place: str, value: Given, tables: Mapping[str, Mapping[str, Setting]], task: str, model: str
) -> None:
    """CommandError if no setting of this task and this model is called so."""
    section, _, key = place.partition(".")
    if section not in tables:
        known = [*tables, "task", "seed"]
        raise CommandError(f"{value.origin}: there is no setting {place}{nearest(section, known)}")
    if not key:
        first = f"name = {value.text!r}" if section == "model" else f"{next(iter(tables[section]))} = ..."
        raise CommandError(
            f"{value.origin}: {section} is {value.text!r}, expected a table; "
            f"did you mean [{section}] {first}?"
        )
    if key in tables[section]:
        return
    owner = {"data": f"the task {task}", "model": f"the model {model}", "training": "training"}[section]
    why = ", which the data decide" if section == "model" and key in DECIDED else ""
    if section == "data" and key in DATA:
        why = f", which is for other tasks; {task} has {', '.join(tables['data'])}"
    told = why or nearest(key, tables[section])
    raise CommandError(f"{value.origin}: {owner} has no setting {place}{told}")


def _read(read: Callable[[str], Any], value: Given, place: str) -> Any:
    if value.shape == "table" or (value.shape == "list" and read not in (paths, numbers)):
        raise CommandError(f"{value.origin}: {place}: got a {value.shape}, expected a single value")
    try:
        return read(value.text)
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"{value.origin}: {place}: {error}") from error


# ------------------------------------------------------------------------------------------------ TOML


def read_toml(path: str | Path) -> dict[str, Given]:
    """The settings in a file: task and seed on top, tables [data], [model] and [training] below."""
    try:
        with Path(path).open("rb") as file:
            found = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} is no TOML: {error}") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}), expected a TOML file") from error
    given: dict[str, Given] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            given.update({f"{name}.{key}": _given(inner, path) for key, inner in value.items()})
        else:
            given[name] = _given(value, path)
    return given


def _given(value: Any, path: str | Path) -> Given:
    """A value of a TOML file."""
    shape = "table" if isinstance(value, dict) else "list" if isinstance(value, list) else "value"
    return Given(_text(value), str(path), shape)


def _text(value: Any) -> str:
    """A value of TOML as it would stand on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):  # of files, or of numbers
        return ("\n" if any(isinstance(part, str) for part in value) else ",").join(map(_text, value))
    return str(value)


def written_toml(settings: Mapping[str, Any]) -> str:
    """Settings as the file that `read_toml` reads."""
    lines = [f"{name} = {_toml(settings[name])}" for name in ("task", "seed")]
    for section in ("data", "model", "training"):
        lines += ["", f"[{section}]"]
        for name, value in settings[section].items():
            empty = value is None or value in ("", ())
            lines.append(f"# {name}: as the data ask" if empty else f"{name} = {_toml(value)}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
