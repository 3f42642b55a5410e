"""A docstring as Markdown: equations stay as they were written, arguments become a list, names links."""

import re
from collections.abc import Callable, Iterator

SHOWN_AS_CODE = re.compile(r" = |←|\+=|↦")  # a first line with one of these is an equation
COLUMNS = re.compile(r"[a-z_0-9]+(, [a-z_0-9]+)* {2,}\S")  # name   what it is
ARGUMENT = re.compile(r" {4}(\S[^:]*): (.*)")
LABEL = re.compile(r"(Shape|References?|Raises|No reference): ")
TOGETHER = re.compile(r"`[^`]*`|[^`]+")
STAR = re.compile(r"\*(?!\w+\*)(?<!\w\*)")  # one that does not stand around an *emphasised* word
NAME = re.compile(r"\b[A-Z]+[a-z]+[A-Z0-9]\w*\b")  # of several words: one alone may be of any sentence

STEP = "One step of the equations without their biases, as minigrad draws it."
FIGURES = {  # page -> figure and what it shows
    "Conv2d": (
        "convolution.png",
        "A window of 3 × 3 over an image of 5 × 5, with stride 2 and padding 1: three of the nine outputs.",
    ),
    "GRUCell": ("gru.svg", f"{STEP} `narrow` 0, 4 and 8 are the parts of r, z and n."),
    "LSTMCell": ("lstm.svg", f"{STEP} `narrow` 0, 4, 8 and 12 are the parts of i, f, g and o."),
    "MultiheadAttention": (
        "attention-op.svg",
        "One head, as minigrad draws it: each query looks at five keys.",
    ),
    "activations": ("activations.png", "Each activation (blue) and its derivative (orange), -4 ≤ x ≤ 4."),
    "lr_scheduler": ("schedules.png", "Each schedule over 80 steps."),
}


def converted(docstring: str, link: Callable[[str], str | None]) -> str:
    """The Markdown of a docstring; `link` gives the address of a name's page, or None."""
    return "\n\n".join(_block(lines, link, i == 0) for i, lines in enumerate(paragraphs(docstring)))


def paragraphs(docstring: str) -> Iterator[list[str]]:
    """Its paragraphs as lists of lines; two that are indented alike, or two examples, stay two."""
    lines: list[str] = []
    for line in [*docstring.splitlines(), ""]:
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []


def arguments(lines: list[str]) -> list[tuple[str, str]]:
    """The names and the text of each entry of a paragraph `Args:`, an argument or several that are alike."""
    entries: list[tuple[str, str]] = []
    for line in lines[1:]:
        if found := ARGUMENT.fullmatch(line):
            entries.append((found[1], found[2]))
        elif entries:
            names, text = entries.pop()
            entries.append((names, f"{text} {line.strip()}"))
    return entries


def listed(entries: list[tuple[str, str]], link: Callable[[str], str | None]) -> str:
    """Arguments as a list in Markdown."""
    return "\n".join(f"- `{names}`: {prose(text, link)}" for names, text in entries)


def summary(docstring: str | None) -> str:
    """Its first line, for a row of a table."""
    first = next(paragraphs(docstring or ""), [""])[0]
    return prose(first.strip()).replace("|", "\\|")


def prose(text: str, link: Callable[[str], str | None] = lambda name: None) -> str:
    """Running text: what Markdown would take for its own is escaped, save in `code`."""
    return "".join(
        _code(part, link) if part.startswith("`") else _words(part, link) for part in TOGETHER.findall(text)
    )


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ("---",) * len(head), *rows])


def figure(page: str, folder: str) -> list[str]:
    """The figure of a page, if it has one."""
    if page not in FIGURES:
        return []
    file, text = FIGURES[page]
    return [f"![{page}]({folder}{file})", text]


def fenced(lines: list[str] | str, language: str = "text") -> str:
    """Lines in a block of code."""
    text = lines if isinstance(lines, str) else "\n".join(lines)
    return f"```{language}\n{text}\n```"


# ------------------------------------------------------------------------------------------------ paragraphs


def _block(lines: list[str], link: Callable[[str], str | None], is_first: bool) -> str:
    """One paragraph."""
    if lines[0].startswith(">>>"):
        return fenced(lines, "python")
    if lines[0].startswith("    "):
        return fenced([line.removeprefix("    ") for line in lines])
    if lines[0] == "Args:":
        return "**Args**\n\n" + listed(arguments(lines), link)
    if COLUMNS.match(lines[0]) or (is_first and SHOWN_AS_CODE.search(lines[0])):
        return fenced(lines)
    text = " ".join(line.strip() for line in lines)
    if label := LABEL.match(text):
        return f"**{label[1]}**: {prose(text[label.end() :], link)}"
    return prose(text, link)


def _code(text: str, link: Callable[[str], str | None]) -> str:
    address = link(text.strip("`"))
    return f"[{text}]({address})" if address else text


def _words(text: str, link: Callable[[str], str | None]) -> str:
    escaped = STAR.sub(r"\*", text).replace("<", "&lt;")
    return NAME.sub(lambda name: f"[{name[0]}]({link(name[0])})" if link(name[0]) else name[0], escaped)
