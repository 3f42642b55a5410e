"""A progress bar on standard error: share done, loss, tokens per second, time left."""

import os
import sys
import time
from typing import TextIO

WIDTH = 24  # of the bar alone, where the terminal has room


class Progress:
    """Counts steps towards `total`; draws at most ten times a second on a terminal, and nothing elsewhere."""

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.total, self.done, self.first = total, done, done
        self.tokens = 0
        self.spent = 0.0  # seconds
        self.drawn = 0.0
        self.is_terminal = self.stream.isatty()

    def advance(self, label: str, loss: float, tokens: int, seconds: float) -> None:
        """One step more, which took so many seconds."""
        self.done += 1
        self.tokens += tokens
        self.spent += seconds
        now = time.perf_counter()
        if self.is_terminal and now - self.drawn > 0.1:
            self.drawn = now
            self.stream.write("\r" + self.text(label, loss, self._columns() - 1) + "\x1b[K")
            self.stream.flush()

    def text(self, label: str, loss: float, columns: int) -> str:
        """The bar as one line of so many columns at most: the bar shrinks first, and then the end is cut."""
        share = self.done / max(1, self.total)
        left = self.spent / max(1, self.done - self.first) * (self.total - self.done)
        rest = (
            f" {share:4.0%}  loss {loss:.4f}  {self.tokens / max(self.spent, 1e-9):,.0f} tokens/s  "
            f"{clock(left)} left"
        )
        width = max(0, min(WIDTH, columns - len(label) - len(rest) - 1))
        full = round(width * share)
        return f"{label} {'█' * full}{'░' * (width - full)}{rest}"[:columns]

    def clear(self) -> None:
        """Make room for a line of its own."""
        if self.is_terminal:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def _columns(self) -> int:
        """How wide the terminal is, 80 if it does not say."""
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except OSError:
            return 80


def clock(seconds: float) -> str:
    """Minutes and seconds, as 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
