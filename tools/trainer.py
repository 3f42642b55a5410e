"""The training loop: batches in, a trained model and a log out, and always a state from which to go on."""

import math
import random
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy

import minigrad
from minigrad import optim
from minigrad.data import PAD, Batch, BucketBatchSampler, DataLoader, collate_pairs
from minigrad.nn import functional as F
from minigrad.nn.utils import clip_grad_norm_
from minigrad.tensor import Tensor
from minigrad.training_state import restore, training_state

from .errors import CommandError, plain
from .progress import Progress, clock
from .run_folder import RunFolder
from .scores import Scores, evaluate
from .tasks import Task, load_task
from .translator import Translator

LOG_EVERY = 5  # steps
SAVE_EVERY = 60.0  # seconds, and after each test
TELL_EVERY = 50  # steps at least: of epochs shorter than that, not each has a line of its own


class Trainer:
    """Trains the model of a run folder on its task.

    The order of the batches, the initial weights and every dropout mask follow from the seed, and all of
    them are in the checkpoint: a run that was stopped and resumed ends with the same bits, in its checkpoint
    and in its log, as one that was not.
    """

    def __init__(self, folder: RunFolder, config: Mapping[str, Any], task: Task) -> None:
        self.folder, self.task = folder, task
        settings: Mapping[str, Any] = config["training"]
        minigrad.set_num_threads(settings["threads"])
        minigrad.manual_seed(config["seed"])
        random.seed(config["seed"])  # nothing here draws from these two, but a checkpoint has their states
        numpy.random.seed(config["seed"] % 2**32)  # noqa: NPY002
        self.translator = Translator(config)
        self.model = self.translator.model
        self.dataset = self.translator.dataset(task.train)
        self.sampler = BucketBatchSampler(self.dataset.lengths, settings["batch_size"], seed=config["seed"])
        self.loader = DataLoader(self.dataset, batch_sampler=self.sampler, collate_fn=collate_pairs)
        self.epochs, self.clip = settings["epochs"], settings["clip"]
        self.label_smoothing = settings["label_smoothing"]
        self.steps = self.epochs * len(self.sampler)
        self.optimizer = optim.Adam(self.model.parameters(), lr=settings["learning_rate"])
        self.schedule = optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=settings["learning_rate"], total_steps=self.steps + 1
        )
        self.parts = {
            "model": self.model,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "sampler": self.sampler,
        }
        self.step = self.epoch = 0
        self.saved_at = time.perf_counter()
        self.training_seconds = self.testing_seconds = 0.0  # of this process
        self._scores: Scores | None = None

    @classmethod
    def resumed(cls, folder: RunFolder) -> "Trainer":
        """The run in a folder, at its last checkpoint; CommandError if its files or its data do not fit."""
        config, state = folder.config(), folder.load()
        task = load_task(config)
        if task.fingerprint() != config["fingerprint"]:
            raise CommandError(
                f"{folder}: the data of {config['task']} are not those that this run began with, so it "
                "cannot go on; start a new run with another --out"
            )
        try:
            trainer = cls(folder, config, task)
            trainer.load_state(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CommandError(f"{folder}: config.json and checkpoint do not fit: {plain(error)}") from error
        return trainer

    # ------------------------------------------------------------------ one step

    def loss(self, batch: Batch) -> Tensor:
        """The mean cross-entropy of the next token, over all real tokens of the batch."""
        logits, _ = self.model(batch.source, batch.source_lengths, batch.target_in)  # (B, T, V)
        return F.cross_entropy(
            logits.reshape(-1, logits.shape[2]),
            batch.target_out.reshape(-1),
            ignore_index=PAD,
            label_smoothing=self.label_smoothing,
        )

    def train_on(self, batch: Batch) -> float:
        """Forward, backward, clip, update; returns the loss.

        CommandError, before anything is updated, if the loss or the gradient is no longer a number.
        """
        loss = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        norm = clip_grad_norm_(self.model.parameters(), self.clip)
        for name, value in (("loss", loss.item()), ("norm of the gradient", norm.item())):
            if not math.isfinite(value):
                raise CommandError(
                    f"the {name} became {value} at step {self.step + 1}; start again with a smaller "
                    "--learning-rate, and --overwrite or another --out"
                )
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return float(loss.item())

    # ------------------------------------------------------------------ state

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return training_state(self.parts, step=self.step, epoch=self.epoch)

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Stand where the trainer stood whose `state()` is given."""
        restore(state, self.parts)
        self.step, self.epoch = state["step"], state["epoch"]

    def save(self) -> None:
        """Write the checkpoint."""
        self.folder.save(self.state())
        self.saved_at = time.perf_counter()

    # ------------------------------------------------------------------ the run

    def run(self) -> bool:
        """Train to the end, or until Ctrl-C; returns whether the end was reached. All is saved either way."""
        progress = Progress(self.steps, self.step)
        told = math.ceil(TELL_EVERY / len(self.sampler))  # one epoch in so many
        try:
            # what overflows is found in the loss, or in the norm of the gradient
            with _interrupt_flag() as interrupted, numpy.errstate(over="ignore", invalid="ignore"):
                while self.epoch < self.epochs and not interrupted:
                    if self._run_epoch(progress, interrupted):
                        self.epoch += 1
                        self._test()
                        if self.epoch % told == 0 or self.epoch == self.epochs:
                            progress.clear()
                            self._tell()
                if self.epoch < self.epochs:
                    self.save()
        finally:
            progress.clear()
        return self.epoch == self.epochs

    def _run_epoch(self, progress: Progress, interrupted: list[int]) -> bool:
        """The rest of this epoch; False if it was interrupted."""
        self.model.train()
        label = f"epoch {self.epoch + 1}/{self.epochs}"
        if self._scores is not None:  # those of the epoch before
            label += f" (held-out {self._scores.exact:.0%})"
        began = time.perf_counter()
        for batch in self.loader:
            loss = self.train_on(batch)
            seconds = time.perf_counter() - began
            self.training_seconds += seconds
            progress.advance(label, loss, batch.tokens, seconds)
            if self.step == 1 or self.step % LOG_EVERY == 0:
                rate = self.schedule.get_last_lr()[0]
                self.folder.log(
                    {"step": self.step, "epoch": self.epoch + 1, "loss": loss, "learning_rate": rate}
                )
            if interrupted:
                return False
            if time.perf_counter() - self.saved_at > SAVE_EVERY:
                self.save()
            began = time.perf_counter()  # saving is not training
        return True

    def _test(self) -> None:
        """Score the held-out examples, and log it."""
        self._scores = None
        self.folder.log(self.scores().record(self.step, self.epoch))

    def _tell(self) -> None:
        """Save, and say how the held-out examples are done."""
        self.save()
        print(
            f"epoch {self.epoch}/{self.epochs}: held-out exact match {self.scores().exact:.2%} "
            f"after {clock(self.training_seconds)}",
            flush=True,
        )

    def scores(self) -> Scores:
        """How the model does on the held-out examples as it stands."""
        if self._scores is None:
            began = time.perf_counter()
            self._scores = evaluate(self.translator, self.task.heldout)
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
