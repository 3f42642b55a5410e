"""The date task: sources as CLDR writes them, fields where they are said to be, no date on both sides."""

import itertools
import sys
import unicodedata
from datetime import date, timedelta

import pytest
from babel.dates import format_date, get_date_format
from babel.localedata import locale_identifiers

from minigrad.data import DataError, date_pairs
from minigrad.data.dates import FORMS, LOCALES, DateWriter
from minigrad.data.tokeniser import normalise

WRITERS = [DateWriter(locale, form) for locale in LOCALES for form in FORMS]
EVERY_MONTH_AND_WEEKDAY = [date(1900, 1, 1) + timedelta(days=859 * step) for step in range(86)]

NUMERIC = {
    ("ko", "medium"),
    ("de", "medium"),
}  # forms whose month is a number, beside all the forms of ja and zh


def days_of(years):
    return [date.fromordinal(number) for year in years for number in ordinals(year)]


def ordinals(year):
    return range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())


def test_the_sample_has_every_month_and_every_weekday():
    assert {day.month for day in EVERY_MONTH_AND_WEEKDAY} == set(range(1, 13))
    assert {day.weekday() for day in EVERY_MONTH_AND_WEEKDAY} == set(range(7))


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: f"{writer.locale}-{writer.form}")
def test_a_source_is_what_babel_writes(writer):
    for day in EVERY_MONTH_AND_WEEKDAY:
        example = writer.write(day)
        assert example.source == format_date(day, writer.form, locale=writer.locale)
        assert (example.target, example.date) == (day.isoformat(), day)


@pytest.mark.parametrize("locale", ["fi", "ak", "he", "ar", "sr_Latn", "eu", "lv"])
def test_other_locales_are_written_as_babel_does(locale):
    for writer in [DateWriter(locale, form) for form in FORMS]:
        for day in EVERY_MONTH_AND_WEEKDAY:
            assert writer.write(day).source == format_date(day, writer.form, locale=locale)


@pytest.mark.slow
def test_every_locale_of_cldr_is_written_as_babel_does_or_refused():
    written = 0
    for locale, form in itertools.product(locale_identifiers(), FORMS):
        pattern = get_date_format(form, locale=locale).pattern
        if "G" in pattern:
            with pytest.raises(ValueError, match="not 'G'; leave this locale out"):
                DateWriter(locale, form)
            continue
        writer = DateWriter(locale, form)
        for day in EVERY_MONTH_AND_WEEKDAY[::20]:
            assert writer.write(day).source == format_date(day, form, locale=locale)
        written += 1
    assert written > 3000


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: f"{writer.locale}-{writer.form}")
def test_the_spans_hold_year_month_and_day(writer):
    for day in EVERY_MONTH_AND_WEEKDAY:
        example = writer.write(day)
        year, month, day_text = (example.source[slice(*span)] for span in example.spans)
        assert year == str(day.year)
        assert int(day_text) == day.day
        numeric = writer.locale in {"ja", "zh"} or (writer.locale, writer.form) in NUMERIC
        assert month.isdigit() == numeric
        assert not month.isdigit() or int(month) == day.month


@pytest.mark.parametrize(
    ("locale", "form", "source"),
    [
        ("en_US", "full", "Saturday, November 21, 2026"),
        ("en_GB", "medium", "21 Nov 2026"),
        ("ko", "full", "2026년 11월 21일 토요일"),
        ("ko", "medium", "2026. 11. 21."),
        ("fr", "long", "21 novembre 2026"),
        ("de", "medium", "21.11.2026"),
        ("es", "long", "21 de noviembre de 2026"),
        ("ja", "full", "2026年11月21日土曜日"),
        ("zh", "full", "2026年11月21日星期六"),
        ("ru", "full", "суббота, 21 ноября 2026\u202fг."),
    ],
)
def test_dates_are_written_as_people_write_them(locale, form, source):
    assert DateWriter(locale, form).write(date(2026, 11, 21)).source == source


def test_normalising_a_source_moves_no_character():
    for writer in WRITERS:
        for day in EVERY_MONTH_AND_WEEKDAY:
            source = writer.write(day).source
            assert unicodedata.is_normalized("NFC", source)
            assert len(normalise(source)) == len(source)


def assert_no_source_has_two_meanings(days):
    meaning = {}
    for writer in WRITERS:
        for day in days:
            source = normalise(writer.write(day).source)
            assert meaning.setdefault(source, day) == day


def test_no_source_of_a_year_of_any_kind_has_two_meanings():
    # a year is one of fourteen calendars, by its first weekday and its length, with its four digits put in;
    # these stand alone, so that no sources of two years are written alike either
    kinds = {(date(year, 1, 1).weekday(), len(ordinals(year))): year for year in range(1900, 2100)}
    assert len(kinds) == 14
    days = days_of(kinds.values())
    assert_no_source_has_two_meanings(days)
    for writer in WRITERS:
        for day in days[::30]:
            example = writer.write(day)
            start, end = example.spans.year
            around = example.source[:start][-1:] + example.source[end:][:1]
            assert not any(character.isdigit() for character in around)


@pytest.mark.slow
def test_no_source_of_any_of_the_73049_days_has_two_meanings():
    days = days_of(range(1900, 2100))
    assert len(days) == 73_049
    assert_no_source_has_two_meanings(days)


def test_no_calendar_date_is_both_trained_on_and_held_out():
    pairs = date_pairs(seed=1, training_size=5000, heldout_size=2000)
    assert (len(pairs.train), len(pairs.heldout)) == (5000, 2000)
    assert {example.date for example in pairs.train}.isdisjoint({example.date for example in pairs.heldout})


def test_a_larger_training_set_leaves_the_held_out_examples_as_they_are():
    assert date_pairs(2, 100, 270).heldout == date_pairs(2, 3000, 270).heldout


def test_locales_and_forms_are_equally_many_and_no_example_comes_twice():
    for examples in date_pairs(seed=3, training_size=2700, heldout_size=271):
        counts = [
            sum((example.locale, example.form) == (writer.locale, writer.form) for example in examples)
            for writer in WRITERS
        ]
        assert max(counts) - min(counts) <= 1
        assert len({(example.date, example.locale, example.form) for example in examples}) == len(examples)


def test_the_seed_decides_the_examples_and_their_order():
    assert date_pairs(4, 200, 50) == date_pairs(4, 200, 50)
    assert date_pairs(4, 200, 50) != date_pairs(5, 200, 50)
    locales = [example.locale for example in date_pairs(4, 200, 50).train]
    assert locales != sorted(locales, key=list(LOCALES).index)


def test_other_locales_and_years_can_be_asked_for():
    pairs = date_pairs(6, 60, 6, locales=["it", "pt", "tr"], years=(2020, 2021))
    assert {example.locale for example in pairs.train} == {"it", "pt", "tr"}
    assert {example.date.year for example in pairs.train + pairs.heldout} == {2020, 2021}


def test_every_date_can_be_had_and_no_more():
    pairs = date_pairs(7, 3 * 329, 3 * 36, locales=["en_GB"], years=(2023, 2023))
    assert len({example.date for example in pairs.train + pairs.heldout}) == 365
    with pytest.raises(ValueError, match="training_size is 988, expected 0 to 987: 329 dates in 3 locales"):
        date_pairs(7, 3 * 329 + 1, 0, locales=["en_GB"], years=(2023, 2023))


def test_two_locales_that_contradict_each_other_are_refused():
    with pytest.raises(DataError, match="expected one meaning for each source; leave one of the two"):
        date_pairs(8, 1500, 0, locales=["pt_PT", "es_PR"], years=(2023, 2023))


def test_all_targets_are_ten_characters_of_eleven_kinds():
    pairs = date_pairs(9, 500, 0)
    assert {len(example.target) for example in pairs.train} == {10}
    assert set("".join(example.target for example in pairs.train)) == set("-0123456789")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"locales": ["klingon"]},
            r"locale is 'klingon', expected one that CLDR knows, such as en_US, en_GB",
        ),
        ({"locales": ["en-US"]}, r"locale is 'en-US'"),
        ({"locales": ["th"]}, r"the full form of th is .* not 'G'; leave this locale out"),
        ({"locales": []}, "expected one or more, each once"),
        ({"locales": ["fr", "fr"]}, "expected one or more, each once"),
        ({"years": (2000, 1999)}, "expected first <= last"),
        ({"years": (999, 1999)}, "each of four digits"),
        ({"years": (1999, 10000)}, "each of four digits"),
        ({"training_size": -1}, "training_size is -1"),
        ({"heldout_size": 10**9}, "heldout_size is 1000000000, expected 0 to"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        date_pairs(**{"seed": 0, "training_size": 10, "heldout_size": 10, **options})


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="form is 'short', expected one of full, long, medium"):
        DateWriter("fr", "short")


def test_without_babel_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "babel", None)
    with pytest.raises(ImportError, match=r'pip install "minigrad\[data\]"'):
        date_pairs(0, 10, 10)
