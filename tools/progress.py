"""A progress bar on standard error: share done, loss, tokens per second, time left."""

import sys
import time
from typing import TextIO

WIDTH = 24


class Progress:
    """Counts steps towards `total`; draws at most ten times a second on a terminal, and nothing elsewhere."""

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.total, self.done, self.first = total, done, done
        self.tokens = 0
        self.began = time.perf_counter()
        self.drawn = 0.0
        self.is_terminal = self.stream.isatty()

    def advance(self, label: str, loss: float, tokens: int) -> None:
        """One step more."""
        self.done += 1
        self.tokens += tokens
        now = time.perf_counter()
        if self.is_terminal and now - self.drawn > 0.1:
            self.drawn = now
            self.stream.write("\r" + self.text(label, loss) + "\x1b[K")
            self.stream.flush()

    def text(self, label: str, loss: float) -> str:
        """The bar as one line."""
        full = round(WIDTH * self.done / max(1, self.total))
        spent = time.perf_counter() - self.began
        left = spent / max(1, self.done - self.first) * (self.total - self.done)
        bar = "█" * full + "░" * (WIDTH - full)
        return (
            f"{label} {bar} {self.done / max(1, self.total):4.0%}  loss {loss:.4f}  "
            f"{self.tokens / max(spent, 1e-9):,.0f} tokens/s  {clock(left)} left"
        )

    def clear(self) -> None:
        """Make room for a line of its own."""
        if self.is_terminal:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


def clock(seconds: float) -> str:
    """Minutes and seconds, as 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
