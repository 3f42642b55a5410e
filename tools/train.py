"""`minigrad train`: learn a task, with one of the models of the field."""

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .devices import add_device, chosen_device
from .draw_run import draw_pictures
from .errors import CommandError, plain
from .learners import configuration
from .progress import clock
from .recipes import RECIPES
from .run_folder import CONFIG, RunFolder
from .scores import report
from .settings import DATA, OF_MODELS, SEED, TRAINING, Given, Setting, read_toml, resolved, written_toml
from .tasks import TASKS, load_task, task_name
from .trainer import Trainer

EXAMPLE = """examples:
  minigrad train dates                               dates in nine languages to ISO 8601
  minigrad train pairs.tsv --out runs/mine           your own lines of source<TAB>target
  minigrad train dates --resume                      go on where Ctrl-C stopped
  minigrad train dates --model transformer --epochs 4 --set model.positions=rotary
  minigrad train dates --device cuda                 on a GPU; a run goes on, and is used, on either
  minigrad train dates --print-config > dates.toml   all settings, to be changed for --config
"""
SECTIONS = (("training", TRAINING), ("data", DATA), ("model", OF_MODELS))


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "train", help="train a model on a task", description=_description(), epilog=EXAMPLE
    )
    parser.add_argument("task", metavar="TASK", nargs="?", help="a task, or a file of source<TAB>target")
    parser.add_argument("--model", metavar="NAME", help="a model of the list")
    run = parser.add_argument_group("the run")
    run.add_argument("--out", metavar="FOLDER", help="the run folder (default: runs/NAME)")
    run.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    run.add_argument("--overwrite", action="store_true", help="start anew where a run lies already")
    run.add_argument("--no-pictures", action="store_true", help="draw nothing at the end")
    run.add_argument("--seed", **_option("seed", SEED))
    add_device(run)
    settings = parser.add_argument_group("settings")
    settings.add_argument(
        "--config",
        metavar="FILE.toml",
        help="task and seed on top, tables [data], [model] and [training] below; see --print-config",
    )
    settings.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="such as model.layers=2"
    )
    settings.add_argument("--print-config", action="store_true", help="print all settings as TOML and end")
    for section, table in SECTIONS:
        group = parser.add_argument_group(section)
        for name, setting in table.items():
            group.add_argument(*_flags(name), **_option(name, setting))
    parser.set_defaults(run=run_command)


def _flags(name: str) -> tuple[str, ...]:
    return ("--data",) if name == "files" else (f"--{name.replace('_', '-')}",)


def _option(name: str, setting: Setting) -> dict[str, Any]:
    """How argparse is told of a setting: it keeps the text, which is read with those of other places."""
    said = setting.text.replace("%", "%%")
    if setting.default not in (None, "", (), False):
        said += f" (default: {setting.default})"
    if setting.default is False:
        return {"dest": name, "action": "store_const", "const": "true", "help": said}
    more = {"action": "append"} if name == "files" else {}
    return {"dest": name, "metavar": setting.metavar, "type": _checked(setting), "help": said, **more}


def _checked(setting: Setting) -> Callable[[str], str]:
    """The text itself, once it is known that it can be read."""

    def check(text: str) -> str:
        setting.read(text)
        return text

    return check


def _description() -> str:
    """The tasks and the models, one line for each."""
    lines = ["Train a model on a task.", "", "tasks:"]
    lines += [f"  {name:15}{entry.text}" for name, entry in TASKS.items()]
    lines.append(f"  {'FILE.tsv':15}your own UTF-8 lines of source<TAB>target; a tenth of them is held out")
    for kind, recipes in RECIPES.items():
        of_kind = [name for name, entry in TASKS.items() if entry.kind == kind]
        lines += ["", f"models for {', '.join(of_kind)}:"]
        lines += [f"  {name:15}{recipe.text}" for name, recipe in recipes.items()]
    return "\n".join(lines)


def run_command(arguments: argparse.Namespace) -> int:
    """Train, draw, report. 0 at the end, 130 after Ctrl-C."""
    given = _given(arguments)
    if "task" not in given:
        raise CommandError(f"train needs a TASK: {', '.join(TASKS)}, or a file of source<TAB>target lines")
    name = given["task"].text
    folder = RunFolder(arguments.out or Path("runs") / task_name(name))
    if arguments.print_config:
        print(written_toml(resolved(given)))
        return 0
    trainer = (_resumed if arguments.resume else _started)(folder, arguments, given)
    _announce(trainer)
    if not trainer.run():
        command = ["minigrad", "train", name, "--out", str(folder), "--resume"]
        if trainer.place != "cpu":
            command += ["--device", str(trainer.place)]
        print(f"\nstopped at step {trainer.step:,} of {trainer.steps:,}; {folder} holds it all. Go on with:")
        print(f"  {shlex.join(command)}")
        return 130
    print(f"trained for {clock(trainer.training_seconds)}, tested for {clock(trainer.testing_seconds)}\n")
    print(report(trainer.scores()))
    if not arguments.no_pictures:
        draw_pictures(trainer)
    print(f"\ntry it:\n  {shlex.join(trainer.learner.try_it(str(folder), trainer.task))}")
    return 0


def _given(arguments: argparse.Namespace) -> dict[str, Given]:
    """What the file and the command line say, by the names of the settings."""
    given = read_toml(arguments.config) if arguments.config else {}
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"--set: got {text!r}, expected NAME=VALUE such as model.layers=2")
        given[name.strip()] = Given(value.strip(), "--set")
    for name, place in (("task", "task"), ("model", "model.name"), ("seed", "seed")):
        if getattr(arguments, name) is not None:
            given[place] = Given(getattr(arguments, name), f"--{name}")
    for section, table in SECTIONS:
        for name in table:
            value = getattr(arguments, name)
            if value is not None:
                text = value if isinstance(value, str) else "\n".join(value)
                given[f"{section}.{name}"] = Given(text, _flags(name)[0])
    return given


def _started(folder: RunFolder, arguments: argparse.Namespace, given: Mapping[str, Given]) -> Trainer:
    """A new run, its configuration written once all else is known to be in order."""
    if folder.exists() and not arguments.overwrite:
        raise CommandError(
            f"{folder} holds a run already; go on with it by --resume, replace it by --overwrite, or choose "
            "another --out"
        )
    settings = resolved(given)
    place = chosen_device(arguments.device)
    try:
        task = load_task(settings)
        config = {**configuration(task, settings), "device": str(place)}
        trainer = Trainer(folder, config, task, place)
    except (CommandError, ValueError) as error:
        raise _blamed(CommandError(plain(error)), given) from error
    folder.start(config)
    trainer.save()  # from now on the run can be resumed, whatever happens
    return trainer


def _blamed(error: CommandError, given: Mapping[str, Given]) -> CommandError:
    """The error with the file in which the setting stands whose name it begins with, if one does."""
    name = re.split(r"[: ]", str(error))[0].rpartition(".")[2]
    for place, value in given.items():
        if place.rpartition(".")[2] == name:
            return value.blamed(error)
    return error


def _resumed(folder: RunFolder, arguments: argparse.Namespace, given: Mapping[str, Given]) -> Trainer:
    """The run in the folder, where it stopped."""
    if arguments.overwrite:
        raise CommandError("--resume goes on with a run and --overwrite replaces it; choose one of them")
    for name, value in given.items():
        if name != "task":
            raise CommandError(
                f"{value.origin} is for a new run; --resume goes on with the settings in "
                f"{folder.path / CONFIG}"
            )
    learned, asked = folder.config()["task"], given["task"].text
    if learned != (asked if asked in TASKS else str(Path(asked).resolve())):
        raise CommandError(f"{folder} learns {learned}, not {asked}; choose another --out")
    trainer = Trainer.resumed(folder, chosen_device(arguments.device))
    folder.cut_log(trainer.step, trainer.epoch)
    return trainer


def _announce(trainer: Trainer) -> None:
    """Say what is about to happen."""
    task, learner = trainer.task, trainer.learner
    parameters = sum(parameter.numel() for parameter in learner.model.parameters())
    print(
        f"{learner.size(task)}; {parameters:,} parameters; steps: {trainer.steps:,}; "
        f"run folder: {trainer.folder}\n  {learner.example(task)}"
    )
    if trainer.ended:
        print("this run is complete; it is only tested and drawn again")
    elif trainer.step:
        print(f"resumed at step {trainer.step:,}")
    sys.stdout.flush()
