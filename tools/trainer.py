"""The training loop: batches in, a trained model and a log out, and at any moment a state from which to go on."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import minigrad
from minigrad import optim
from minigrad.data import PAD, Batch, BucketBatchSampler, DataLoader, collate_pairs
from minigrad.generator import default_generator
from minigrad.nn import functional as F
from minigrad.nn.utils import clip_grad_norm_
from minigrad.tensor import Tensor

from .errors import CommandError
from .progress import Progress, clock
from .run_folder import RunFolder
from .scores import Scores, evaluate
from .tasks import Task, load_task
from .translator import Translator

LOG_EVERY = 20  # steps
SAVE_EVERY = 60.0  # seconds


class Trainer:
    """Trains the model of a run folder on its task.

    The order of the batches, the initial weights and every dropout mask follow from the seed, and all of
    them are in the checkpoint: a run that was stopped and resumed ends with the same bits as one that was
    not.
    """

    def __init__(self, folder: RunFolder, task: Task | None = None) -> None:
        self.folder, self.config = folder, folder.config()
        settings: Mapping[str, Any] = self.config["training"]
        minigrad.manual_seed(self.config["seed"])
        self.task = task or load_task(self.config)
        self.translator = Translator(self.config)
        self.model = self.translator.model
        dataset = self.translator.dataset(self.task.train)
        self.sampler = BucketBatchSampler(dataset.lengths, settings["batch_size"], seed=self.config["seed"])
        self.loader = DataLoader(dataset, batch_sampler=self.sampler, collate_fn=collate_pairs)
        self.epochs, self.clip = settings["epochs"], settings["clip"]
        self.label_smoothing = settings["label_smoothing"]
        self.steps = self.epochs * len(self.sampler)
        self.optimizer = optim.Adam(self.model.parameters(), lr=settings["learning_rate"])
        self.schedule = optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=settings["learning_rate"], total_steps=self.steps + 1
        )
        self.step = self.epoch = 0
        self.seconds = 0.0
        self.last_scores: Scores | None = None

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
        """Forward, backward, clip, update; returns the loss."""
        loss = self.loss(batch)
        value = float(loss.item())
        if value != value or value == float("inf"):
            raise CommandError(
                f"the loss became {value} at step {self.step + 1}; the last checkpoint in {self.folder} is intact: "
                "try a smaller --learning-rate"
            )
        self.optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return value

    # ------------------------------------------------------------------ state

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "sampler": self.sampler.state_dict(),
            "generator": default_generator().get_state(),
            "step": self.step,
            "epoch": self.epoch,
            "seconds": self.seconds,
        }

    def resume(self) -> None:
        """Go on from the checkpoint of the folder."""
        state = self.folder.load()
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            self.sampler.load_state_dict(state["sampler"])
            default_generator().set_state(state["generator"])
            self.step, self.epoch, self.seconds = state["step"], state["epoch"], state["seconds"]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CommandError(
                f"{self.folder}: the checkpoint does not fit the configuration: {error}"
            ) from error
        self.folder.cut_log(self.step)

    # ------------------------------------------------------------------ the run

    def run(self) -> bool:
        """Train to the end, or until Ctrl-C; returns whether the end was reached. The state is saved either way."""
        progress = Progress(self.steps, self.step)
        with _interrupt_flag() as interrupted:
            while self.epoch < self.epochs:
                if not self._run_epoch(progress, interrupted):
                    self.folder.save(self.state())
                    progress.clear()
                    return False
                self.epoch += 1
                progress.clear()
                self._report()
                self.folder.save(self.state())
        return True

    def _run_epoch(self, progress: Progress, interrupted: list[bool]) -> bool:
        """The rest of this epoch; False if it was interrupted."""
        self.model.train()
        label = f"epoch {self.epoch + 1}/{self.epochs}"
        saved = time.perf_counter()
        for batch in self.loader:
            began = time.perf_counter()
            loss = self.train_on(batch)
            self.seconds += time.perf_counter() - began
            progress.advance(label, loss, batch.tokens)
            if self.step == 1 or self.step % LOG_EVERY == 0:
                rate = self.schedule.get_last_lr()[0]
                self.folder.log(
                    {"step": self.step, "epoch": self.epoch + 1, "loss": loss, "learning_rate": rate}
                )
            if interrupted:
                return False
            if time.perf_counter() - saved > SAVE_EVERY:
                self.folder.save(self.state())
                saved = time.perf_counter()
        return True

    def _report(self) -> None:
        """Score the held-out examples, and say so."""
        scores = self.last_scores = evaluate(self.translator, self.task.heldout)
        record: dict[str, Any] = {
            "step": self.step,
            "epoch": self.epoch,
            "exact": scores.exact,
            "groups": scores.groups,
        }
        if scores.alignment is not None:
            record["alignment"] = scores.alignment
        self.folder.log(record)
        print(
            f"epoch {self.epoch}/{self.epochs}: held-out exact match {scores.exact:.2%}, "
            f"training time {clock(self.seconds)}",
            file=sys.stdout,
            flush=True,
        )


@contextmanager
def _interrupt_flag() -> Iterator[list[bool]]:
    """Inside, the first Ctrl-C fills the list, so that a step is never left half done; a second one interrupts."""
    flag: list[bool] = []

    def handle(number: int, frame: object) -> None:
        if flag:
            raise KeyboardInterrupt
        flag.append(True)

    try:
        previous = signal.signal(signal.SIGINT, handle)
    except ValueError:  # not the main thread: no signals arrive here
        yield flag
        return
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, previous)
