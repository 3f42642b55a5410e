"""The training loop: batches in, a trained model and a log out, and always a state from which to go on."""

import math
import random
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from itertools import islice
from typing import Any, NamedTuple

import numpy

import minigrad
from minigrad.backend import device
from minigrad.data import DataLoader, move_batch
from minigrad.data.placement import pin_batch
from minigrad.nn.utils import clip_grad_norm_
from minigrad.optim.swa_utils import average_checkpoints
from minigrad.tensor import Tensor
from minigrad.training_state import restore, training_state

from .errors import CommandError, plain
from .event_file import EventFile
from .examples import Task
from .learners import LEARNERS
from .prefetch import prefetched
from .progress import Progress, clock
from .run_folder import EVENTS, RunFolder
from .schedules import optimizer_of, schedule_of
from .scores import Scores
from .tasks import task_of_run

LOG_EVERY = 5  # steps; on a GPU only then is there a look at what they gave
SAVE_EVERY = 60.0  # seconds, and after each test
PROGRESS = ("step", "epoch", "best", "waited")  # what a checkpoint says beside the states of the parts
TELL_EVERY = 50  # steps at least: of epochs shorter than that, not each has a line of its own


class _Step(NamedTuple):
    """What a step gave; on a GPU its batches stay until then in the memory that they are copied from."""

    number: int
    loss: Tensor | float
    norm: Tensor
    batches: list[Any]


class Trainer:
    """Trains the model of a run folder on its task; what depends on the kind of task, its learner knows.

    The order of the batches, the initial weights and every dropout mask follow from the seed, and all of
    them are in the checkpoint: a run that was stopped and resumed ends with the same bits, in its checkpoint
    and in its log, as one that was not.

    On a GPU (`place`) the host runs ahead of it, and looks at losses only every LOG_EVERY steps.
    """

    def __init__(self, folder: RunFolder, config: Mapping[str, Any], task: Task, place: str = "cpu") -> None:
        self.folder, self.task = folder, task
        self.settings: Mapping[str, Any] = config["training"]
        minigrad.set_num_threads(self.settings["threads"])
        minigrad.manual_seed(config["seed"])
        random.seed(config["seed"])  # nothing here draws from these two, but a checkpoint has their states
        numpy.random.seed(config["seed"] % 2**32)  # noqa: NPY002
        self.place = device(place)
        self.ahead = self.place != "cpu"  # does the host run ahead?
        self.learner = LEARNERS[config["kind"]](config).to(self.place)
        self.model = self.learner.model
        self.dataset = self.learner.dataset(task.train)
        self.sampler = self.learner.sampler(self.dataset)
        self.loader = DataLoader(
            self.dataset,
            batch_sampler=self.sampler,
            collate_fn=self.learner.collate,
            pin_memory=self.ahead,
        )
        self.epochs: int = self.settings["epochs"]
        self.parts = {"model": self.model, "sampler": self.sampler}
        if self.learner.by_gradient:
            self.steps = sum(map(self._steps_of, range(self.epochs)))
            self.optimizer = optimizer_of(self.model, self.settings)
            self.schedule = schedule_of(self.optimizer, self.settings, self.steps)
            self.parts |= {"optimizer": self.optimizer, "schedule": self.schedule}
        else:  # one look at the data is all that it needs
            self.epochs = self.steps = 1
        self.step = self.epoch = 0
        self.loss = math.nan  # of the last step that was looked at,
        self.unread: list[_Step] = []  # and the steps since
        self.best: float | None = None  # the best score of an epoch,
        self.waited = 0  # and how many epochs have passed since
        self.events: EventFile | None = None
        self.saved_at = time.perf_counter()
        self.training_seconds = self.testing_seconds = 0.0  # of this process
        self._scores: Scores | None = None

    @classmethod
    def resumed(cls, folder: RunFolder, place: str = "cpu") -> "Trainer":
        """The run in a folder, at its last checkpoint, which may have been made on another device.

        CommandError if its files or its data do not fit.
        """
        config, state = folder.config(), folder.load()
        task = task_of_run(config, "put it back, or start a new run on other --data")
        if task.fingerprint() != config["fingerprint"]:
            raise CommandError(
                f"{folder}: the data of {config['task']} are not those that this run began with, so it "
                "cannot go on; start a new run with another --out"
            )
        try:
            trainer = cls(folder, config, task, place)
            trainer.load_state(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CommandError(f"{folder}: config.json and checkpoint do not fit: {plain(error)}") from error
        return trainer

    def _steps_of(self, epoch: int) -> int:
        return math.ceil(self.sampler.number_of_batches(epoch) / self.settings["accumulate"])

    # ------------------------------------------------------------------ one step

    def train_on(self, batches: list[Any]) -> float:
        """Forward and backward for each batch, then clip and update; returns the loss, a mean of tokens.

        CommandError, before anything is updated, if the loss or the gradient is no longer a number. On a GPU
        it comes with the next look, before anything is saved, and the loss is that of the last look.
        """
        self.optimizer.zero_grad()
        tokens = sum(batch.tokens for batch in batches)
        weights = [self.learner.weight(batch) for batch in batches]
        total: Tensor | float = 0.0
        for batch, weight in zip(batches, weights, strict=True):
            loss = self.learner.loss(move_batch(batch, self.place, non_blocking=True))
            share = weight / sum(weights)
            (loss if share == 1 else loss * share).backward()
            total += (loss.detach() if self.ahead else loss.item()) * (batch.tokens / tokens)
        norm = clip_grad_norm_(self.model.parameters(), self.settings["clip"])
        self.unread.append(_Step(self.step + 1, total, norm, batches))
        if not self.ahead:
            self._look()
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        if self.logs:
            self._look()
        return self.loss

    @property
    def logs(self) -> bool:
        """Is this a step with a line in the log?"""
        return self.step == 1 or self.step % LOG_EVERY == 0

    def _look(self) -> None:
        """Read the losses and the norms since the last look: the one place where a GPU is waited for."""
        steps, self.unread = self.unread, []
        for step in steps:
            for name, value in (("loss", float(step.loss)), ("norm of the gradient", float(step.norm))):
                if not math.isfinite(value):
                    raise CommandError(
                        f"the {name} became {value} at step {step.number}; start again with a smaller "
                        "--learning-rate, and --overwrite or another --out"
                    )
            self.loss = float(step.loss)

    # ------------------------------------------------------------------ state

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        values = {name: getattr(self, name) for name in PROGRESS}
        return training_state(self.parts, **values)

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Stand where the trainer stood whose `state()` is given."""
        restore(state, self.parts)
        for name in PROGRESS:
            setattr(self, name, state[name])

    def save(self) -> None:
        """Write the checkpoint."""
        self._look()
        self.folder.save(self.state())
        self.saved_at = time.perf_counter()

    # ------------------------------------------------------------------ the run

    @property
    def ended(self) -> bool:
        """Is there nothing left to do: by the number of epochs, or since patience is at its end?"""
        patience = self.settings["patience"]
        return self.epoch == self.epochs or 0 < patience <= self.waited

    def run(self) -> bool:
        """Train to the end, or until Ctrl-C; returns whether the end was reached. All is saved either way."""
        progress = Progress(self.steps, self.step)
        told = math.ceil(TELL_EVERY * self.epochs / self.steps)  # one epoch in so many
        try:
            # what overflows is found in the loss, or in the norm of the gradient
            with _interrupt_flag() as interrupted, numpy.errstate(over="ignore", invalid="ignore"):
                while not self.ended and not interrupted:
                    if self._run_epoch(progress, interrupted):
                        self.epoch += 1
                        self._test()
                        if self.epoch % told == 0 or self.ended:
                            progress.clear()
                            self._tell()
                if not self.ended:
                    self.save()
        finally:
            progress.clear()
        if self.ended and self.settings["average"]:
            self._average()
        return self.ended

    def _run_epoch(self, progress: Progress, interrupted: list[int]) -> bool:
        """The rest of this epoch; False if it was interrupted."""
        if not self.learner.by_gradient:
            self.learner.fit(self.dataset)
            self.step = 1
            return True
        self.model.train()
        label = f"epoch {self.epoch + 1}/{self.epochs}"
        if self._scores is not None:  # those of the epoch before
            label += f" (held-out {self._scores.metric.written(self._scores.value)})"
        began = time.perf_counter()
        for batches in self._groups():
            loss = self.train_on(batches)
            seconds = time.perf_counter() - began
            self.training_seconds += seconds
            progress.advance(label, loss, sum(batch.tokens for batch in batches), seconds)
            if self.logs:
                rate = self.schedule.get_last_lr()[0]
                self._log({"step": self.step, "epoch": self.epoch + 1, "loss": loss, "learning_rate": rate})
            if interrupted:
                return False
            if time.perf_counter() - self.saved_at > SAVE_EVERY:
                self.save()
            began = time.perf_counter()  # saving is not training
        return True

    def _groups(self) -> Iterator[list[Any]]:
        """The batches of each step that is left of this epoch.

        No batch is asked for before the step that needs it: the sampler counts those it has handed out.
        """
        batches = iter(self.loader)
        if workers := self.settings["workers"]:
            batches = prefetched(self.sampler, self._batch, workers)
        left = self.sampler.number_of_batches(self.epoch) - self.sampler.position
        while left > 0:
            group = list(islice(batches, min(left, self.settings["accumulate"])))
            left -= len(group)
            yield group
        next(batches, None)  # and now the sampler knows that the epoch is over

    def _batch(self, indices: list[int]) -> Any:
        batch = self.learner.collate([self.dataset[index] for index in indices])
        return pin_batch(batch) if self.ahead else batch

    def _log(self, record: dict[str, Any]) -> None:
        """A line of the log, and of the events: a resumed run begins with those of the log as it was cut."""
        self.folder.log(record)
        if not self.settings["tensorboard"]:
            return
        missing = [record]
        if self.events is None:
            missing = self.folder.records()
            self.folder.drop_events()
            self.events = EventFile(self.folder.path / EVENTS)
        for one in missing:
            numbers = {name: value for name, value in one.items() if isinstance(value, float)}
            self.events.add(one["step"], numbers)

    def _test(self) -> None:
        """Score the held-out examples, log it, keep the weights if they are the best or to be averaged."""
        self._look()
        self._scores = None
        scores = self.scores()
        self._log(scores.record(self.step, self.epoch))
        weights = {"model": self.model.state_dict(), "step": self.step, "epoch": self.epoch}
        if scores.metric.better(scores.value, self.best):
            self.best, self.waited = scores.value, 0
            self.folder.save_weights(weights, "best")
        else:
            self.waited += 1
        if self.settings["average"]:
            self.folder.keep_epoch(weights, self.epoch, self.settings["average"])

    def _average(self) -> None:
        """Average the weights of the last epochs, and say how good they are."""
        kept = self.folder.kept_epochs()
        if not kept:  # it was done before
            return
        mean = average_checkpoints(kept)
        self.folder.save_weights({"model": mean, "step": self.step, "epoch": self.epoch}, "average")
        self.folder.drop_epochs()
        last = deepcopy(self.model.state_dict())
        self.model.load_state_dict(mean)
        scores = self.learner.evaluate(self.task.heldout)
        self.model.load_state_dict(last)
        print(
            f"mean of the last {len(kept)} epochs: held-out {scores.metric.name} "
            f"{scores.metric.written(scores.value)}; use it by --checkpoint average"
        )

    def _tell(self) -> None:
        """Save, and say how the held-out examples are done."""
        self.save()
        metric = self.scores().metric
        print(
            f"epoch {self.epoch}/{self.epochs}: held-out {metric.name} {metric.written(self.scores().value)} "
            f"after {clock(self.training_seconds)}",
            flush=True,
        )
        if 0 < self.settings["patience"] <= self.waited:
            print(
                f"stopped after {self.waited} epochs that were not better than the best, "
                f"{metric.written(self.best or 0.0)}; use that by --checkpoint best"
            )

    def scores(self) -> Scores:
        """How the model does on the held-out examples as it stands."""
        if self._scores is None:
            began = time.perf_counter()
            self._scores = self.learner.evaluate(self.task.heldout)
            self.testing_seconds += time.perf_counter() - began
        return self._scores


@contextmanager
def _interrupt_flag() -> Iterator[list[int]]:
    """Inside, the first Ctrl-C fills the list, so that no step is left half done; a second one interrupts.

    A request to end (SIGTERM) is treated in the same way.
    """
    flag: list[int] = []

    def handle(number: int, _: object) -> None:
        if flag:
            raise KeyboardInterrupt
        flag.append(number)

    try:
        previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: no signals arrive here
        yield flag
        return
    try:
        yield flag
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
