"""The date task: a date as people write it, in nine languages, to ISO 8601.

"Saturday, November 21, 2026", "21 nov. 2026" and "2026년 11월 21일" all become "2026-11-21". The sources are
real formats and names, from the Unicode CLDR as the package Babel carries it (`pip install
"minigrad[data]"`). CLDR's short form is left out, for it is ambiguous: 3/4/26 is a day in March or in April,
of the year 1926 or 2026.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from types import ModuleType
from typing import NamedTuple

from minigrad.generator import Generator

from .errors import DataError

LOCALES = {
    "en_US": "English (United States)",
    "en_GB": "English (United Kingdom)",
    "ko": "Korean",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "ja": "Japanese",
    "zh": "Chinese",
    "ru": "Russian",
}
"""The locales of the task, each with the name of its language."""

FORMS = ("full", "long", "medium")
"""CLDR's forms of a date: with the weekday, with the month spelled out, and the customary shorter one."""

HELDOUT_FRACTION = 0.1
"""The share of all calendar dates that is never trained on, in any language or form."""

Span = tuple[int, int]


class FieldSpans(NamedTuple):
    """Where year, month and day stand in a source: `source[start:end]` for each pair (start, end)."""

    year: Span
    month: Span
    day: Span


class DateExample(NamedTuple):
    """One date in one language and form, its ISO 8601 form, and where its fields are."""

    source: str
    target: str
    locale: str
    form: str
    date: date
    spans: FieldSpans


class DatePairs(NamedTuple):
    """Examples to learn from, and examples whose calendar dates occur in none of the former."""

    train: list[DateExample]
    heldout: list[DateExample]


def date_pairs(
    seed: int,
    training_size: int,
    heldout_size: int,
    *,
    locales: Sequence[str] = tuple(LOCALES),
    years: tuple[int, int] = (1900, 2099),
) -> DatePairs:
    """Draw date examples, equally many of each locale and form (give or take one), in random order.

    The calendar dates from the first to the last of `years` are shuffled by `seed`, and the first tenth of
    them is held out for every locale and form; the sizes asked for do not move that border. No (date, locale,
    form) is drawn twice, but two locales or forms may write a date alike ("4 mars 2026" is long and medium
    French). ImportError without Babel; ValueError for a size, locale or year that cannot be had.

    >>> pairs = date_pairs(seed=0, training_size=270, heldout_size=27)
    >>> len(pairs.train), len(pairs.heldout), pairs.train[0].target == pairs.train[0].date.isoformat()
    (270, 27, True)
    """
    if not 1000 <= years[0] <= years[1] <= 9999:
        raise ValueError(f"date_pairs(): years are {years}, expected first <= last, each of four digits")
    if not locales or len(set(locales)) != len(locales):
        raise ValueError(f"date_pairs(): locales are {list(locales)}, expected one or more, each once")
    writers = [DateWriter(locale, form) for locale in locales for form in FORMS]
    first, last = date(years[0], 1, 1).toordinal(), date(years[1], 12, 31).toordinal()
    generator = Generator(seed)
    days = (first + generator.permutation(last - first + 1)).tolist()
    border = round(len(days) * HELDOUT_FRACTION)
    heldout = _draw("heldout_size", writers, days[:border], heldout_size, generator)
    train = _draw("training_size", writers, days[border:], training_size, generator)
    _refuse_contradictions(train + heldout)
    return DatePairs(train, heldout)


def _draw(
    name: str, writers: Sequence["DateWriter"], days: list[int], size: int, generator: Generator
) -> list[DateExample]:
    """Draw `size` distinct (date, locale, form), dealing the forms out evenly; `days` are ordinal numbers."""
    if not 0 <= size <= len(writers) * len(days):
        raise ValueError(
            f"date_pairs(): {name} is {size}, expected 0 to {len(writers) * len(days)}: {len(days)} dates in "
            f"{len(writers)} locales and forms; ask for fewer or widen years"
        )
    examples = []
    for position, writer in enumerate(writers):
        share = len(range(position, size, len(writers)))  # as if dealt out like cards
        chosen = generator.permutation(len(days))[:share].tolist()
        examples += [writer.write(date.fromordinal(days[index])) for index in chosen]
    return [examples[index] for index in generator.permutation(size)]


def _refuse_contradictions(examples: Sequence[DateExample]) -> None:
    """Raise DataError when one source stands for two dates; LOCALES hold no such pair, other locales may."""
    meaning: dict[str, DateExample] = {}
    for example in examples:
        other = meaning.setdefault(example.source, example)
        if other.target != example.target:
            raise DataError(
                f"date_pairs(): {example.source!r} is {other.target} in {other.locale} and {example.target} "
                f"in {example.locale}, expected one meaning for each source; leave one of the two locales out"
            )


class DateWriter:
    """Writes dates in one form of one locale, exactly as `babel.dates.format_date` does, only faster.

    The CLDR pattern is parsed once, into literal texts and fields, and each field is written once for each of
    its values; writing a date is then a few look-ups, and the place of each field is known rather than
    searched for.

    >>> example = DateWriter("fr", "medium").write(date(2026, 11, 21))
    >>> example.source, example.target, example.spans.month
    ('21 nov. 2026', '2026-11-21', (3, 7))
    """

    def __init__(self, locale: str, form: str) -> None:
        self.locale = locale
        self.form = form
        self._pieces = list(_parse_pattern(locale, form))

    def write(self, day: date) -> DateExample:
        """Give the example of one calendar date."""
        values = {"year": day.year, "month": day.month, "day": day.day, "weekday": day.weekday()}
        source = ""
        spans = {}
        for part, texts in self._pieces:
            text = texts if isinstance(texts, str) else texts[values[part]]
            spans[part] = (len(source), len(source) + len(text))
            source += text
        fields = FieldSpans(spans["year"], spans["month"], spans["day"])
        return DateExample(source, day.isoformat(), self.locale, self.form, day, fields)


_PARTS = {
    "y": "year",
    "M": "month",
    "d": "day",
    "E": "weekday",
    "c": "weekday",  # the name as it stands alone, where a language has another one in a date
}


class _FieldTexts(dict[int, str]):
    """How one field of a pattern reads for each of its values; Babel is asked once for each."""

    def __init__(self, locale: str, field: str) -> None:
        super().__init__()
        self._locale = locale
        self._field = field

    def __missing__(self, value: int) -> str:
        samples = {
            "year": (value, 1, 1),
            "month": (2001, value, 1),
            "day": (2001, 1, value),
            "weekday": (2001, 1, 1 + value),  # 1 January 2001 was a Monday, number 0
        }
        sample = date(*samples[_PARTS[self._field[0]]])
        text = self[value] = _babel().dates.format_date(sample, self._field, locale=self._locale)
        return text


def _parse_pattern(locale: str, form: str) -> Iterator[tuple[str, str | _FieldTexts]]:
    """Cut a CLDR pattern into ("literal", its text) and (part of the date, its texts)."""
    babel = _babel()
    if form not in FORMS:
        raise ValueError(f"DateWriter(): form is {form!r}, expected one of {', '.join(FORMS)}")
    try:
        pattern = babel.dates.get_date_format(form, locale=locale).pattern
    except (babel.UnknownLocaleError, ValueError) as error:
        raise ValueError(
            f"DateWriter(): locale is {locale!r}, expected one that CLDR knows, such as {', '.join(LOCALES)}"
        ) from error
    for kind, value in babel.dates.tokenize_pattern(pattern):
        if kind == "chars":
            yield "literal", value
            continue
        letter, width = value
        if letter not in _PARTS or letter * width == "yy":
            raise ValueError(
                f"DateWriter(): the {form} form of {locale} is {pattern!r}, expected only a four-digit year, "
                f"month, day and weekday, not {letter * width!r}; leave this locale out"
            )
        yield _PARTS[letter], _FieldTexts(locale, letter * width)


def _babel() -> ModuleType:
    """Give the package Babel, imported when it is first needed; ImportError that names the remedy."""
    try:
        import babel.dates
    except ImportError as error:
        raise ImportError('date_pairs() needs the package Babel: pip install "minigrad[data]"') from error
    return babel
