"""The book's generated pages: the glossary, what was measured, the API."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason='the book is not installed: pip install -e ".[book]"')

from test_book import write

import seglib
from coursebook import docstrings, glossary, measured, reference
from seglib import results

ROOT = Path(__file__).parent.parent
TERMS = "## Terms\n\n| English | 中文 |\n| --- | --- |\n| mask | 掩码 |\n| Edge, border | 边缘 |\n"


def test_the_glossary_joins_what_several_lessons_name(tmp_path):
    first = write(tmp_path / "a", TERMS)
    second = write(tmp_path / "b", TERMS.replace("掩码", "掩膜").replace("mask", "Mask").replace("Edge, border", "arc"))
    assert glossary.terms(first) == [("mask", "掩码"), ("Edge, border", "边缘")]
    assert glossary.collect([first, second]) == [
        ("arc", ["边缘"], [second]),
        ("Edge, border", ["边缘"], [first]),
        ("mask", ["掩码", "掩膜"], [first, second]),
    ]
    assert glossary.part("precision, recall", "精确率，召回率") == [("precision", "精确率"), ("recall", "召回率")]
    assert glossary.part("IoU (intersection, union), Dice", "交并比, Dice") == [
        ("IoU (intersection, union)", "交并比"),
        ("Dice", "Dice"),
    ]
    abbreviated = write(tmp_path / "c", TERMS.replace("| mask |", "| mask (M) |"))
    assert glossary.collect([first, abbreviated])[1] == ("mask (M)", ["掩码"], [first, abbreviated])
    link = "[04 Measuring](lessons/04_measuring.ipynb#Terms)"
    assert f"| mask | 掩码；掩膜 | {link}, {link} |" in glossary.page([first, second])


def rows(*lines, **others):
    return [dict(zip(("variant", "seed", "iou"), line, strict=True), steps=200.0, **others) for line in lines]


def test_claims_are_averaged_over_their_seeds():
    table = measured.table(rows(("with", 0.0, 0.8), ("with", 1.0, 0.9), ("with|out", 0.0, 0.5), ("with|out", 1.0, 0.5)))
    assert table.splitlines() == [
        "| variant | IoU |",
        "| --- | --: |",
        "| with | 0.850 ±\N{NO-BREAK SPACE}0.071 |",
        r"| with\|out | 0.500 |",
        "",
        "The same in all rows: steps 200.",
    ]


def test_what_is_not_averaged_and_what_is_missing():
    """Settings that are numbers are not averaged, missing figures stay empty, rows not averaged name their seeds."""
    table = measured.table([*rows(("a", 0.0, 0.5)), *[row | {"steps": 400.0} for row in rows(("a", 0.0, 0.7))]])
    assert table.splitlines()[2:] == ["| 0.5 | 200 |", "| 0.7 | 400 |", "", "The same in all rows: variant a."]
    table = measured.table(rows(("a", 0.0, 0.5), ("a", 1.0, 0.5), ("b", 0.0, ""), ("b", 1.0, "")))
    assert table.splitlines()[2:4] == ["| a | 0.500 |", "| b |  |"]
    table = measured.table(rows(("a", 0.0, 0.5), ("a", 1.0, "")))
    assert table.splitlines()[:3] == ["| seed | IoU |", "| --: | --: |", "| 0 | 0.5 |"]


@pytest.mark.parametrize(
    ("mean", "deviation", "count", "text"),
    [
        (0.8, 0.05, 3, "0.800 ±\N{NO-BREAK SPACE}0.050"),
        (73.2, 4.0, 5, "73.2 ±\N{NO-BREAK SPACE}4.0"),
        (482466.0, 0.0, 5, "482,466"),
        (2300.4, 12.2, 5, "2,300 ±\N{NO-BREAK SPACE}12"),
        (0.6281, 0.0, 5, "0.628"),
        (0.62814, 0.0, 1, "0.6281"),
    ],
)
def test_means_are_as_long_as_their_spread_allows(mean, deviation, count, text):
    assert measured.with_spread(mean, deviation, count) == text


def test_across_has_one_column_a_picture():
    table = measured.across([{"m": "A", "p": "x", "f": 0.5}, {"m": "B", "p": "y", "f": 1.0}], "m", "p", "f")
    assert table.splitlines() == ["| m (f by p) | x | y |", "| --- | --: | --: |", "| A | 0.50 |  |", "| B |  | 1 |"]


def test_every_results_file_is_on_the_page():
    page = measured.page(ROOT)
    for path in (ROOT / "results").rglob("*.csv"):
        name = path.relative_to(ROOT / "results").with_suffix("").as_posix()
        assert f"`all rows <results/{name}.csv>`" in page
        assert f"`{results.read(name)[0]['command']}`" in page


def test_the_reference_holds_all_that_is_public():
    pages = reference.pages()
    assert set(pages) == {"index.rst", *(f"{name}.rst" for name in seglib.__all__)}
    assert ".. autofunction:: seglib.metrics.mean_iou" in pages["metrics.rst"]
    assert ".. autoclass:: seglib.models.UNet" in pages["models.rst"]
    assert ".. autofunction:: seglib.losses.dice_loss" in pages["losses.rst"]
    assert not re.search(r"auto\w+:: \S+\._", "".join(pages.values()))
    assert all("auto" in text.partition("no-index")[2] for name, text in pages.items() if name != "index.rst")


def test_what_is_returned_is_told_as_numpydoc_reads_it():
    """In a first line such as "float: 1.0 for two empty masks" it would take the words before the colon for a name."""
    wrong = []
    for name in seglib.__all__:
        for _, full in reference.public(import_module(f"seglib.{name}")):
            thing = getattr(import_module(full.rpartition(".")[0]), full.rpartition(".")[2])
            returned = re.search(r"^Returns\n-+\n((?:.*\n?)*?)(?:\n\w+\n---|\Z)", inspect.getdoc(thing) or "", re.M)
            lines = returned[1].splitlines() if returned else []
            wrong += [f"{full}: {line}" for line in lines if re.match(r"\S.*\S: ", line)]
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "kept"),
    [("the sum of |g - p| over", r"the sum of \|g - p\| over"), (">>> a|b|c", ">>> a|b|c"), ("`|x|`", r"`\|x\|`")],
)
def test_bars_in_docstrings_are_bars(line, kept):
    lines = [line]
    docstrings.keep_bars(None, "", "", None, None, lines)
    assert lines == [kept]
