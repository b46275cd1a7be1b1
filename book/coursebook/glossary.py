"""The glossary, collected from the tables under each lesson's "## Terms"."""

import itertools
import re

from coursebook import lessons

BRACKETS = re.compile(r"\s*\([^)]*\)")
COMMA = re.compile(r"[,，]\s*(?![^()]*\))")  # none inside of brackets
ROW = re.compile(r"^\|([^|]+)\|([^|]+)\|\s*$", re.M)


def terms(lesson):
    """(English, Chinese) pairs of one lesson, in the order of its table."""
    rows = [tuple(cell.strip() for cell in row) for row in ROW.findall(lesson.text("Terms"))]
    return [(english, chinese) for english, chinese in rows if english != "English" and not set(english) <= set("-: ")]


def collect(all_lessons):
    """(English, Chinese, lessons) sorted by the English term; the same English term is listed once.

    What stands in brackets is no part of a name: "average precision" and "average precision (AP)" are one term, and
    the longer form is shown. Where lessons translate a term differently, each translation is kept, in their order.
    """
    found = {}
    for lesson in all_lessons:
        for english, chinese in itertools.chain.from_iterable(itertools.starmap(part, terms(lesson))):
            names, translations, where = found.setdefault(BRACKETS.sub("", english).casefold(), ([], [], []))
            for value, values in ((english, names), (chinese, translations), (lesson, where)):
                if value not in values:
                    values.append(value)
    return [(max(names, key=len), translations, where) for _, (names, translations, where) in sorted(found.items())]


def part(english, chinese):
    """A row that names several terms as one pair for each: "edge, border" and "边缘，边界"."""
    pairs = [COMMA.split(text) for text in (english, chinese)]
    return list(zip(*pairs, strict=True)) if len(pairs[0]) == len(pairs[1]) else [(english, chinese)]


def page(all_lessons):
    """Markdown of the glossary."""
    rows = [
        f"| {english} | {'；'.join(translations)} | {', '.join(map(link, where))} |"
        for english, translations, where in collect(all_lessons)
    ]
    return "\n".join(
        [
            "# Glossary",
            "",
            f"The {len(rows)} terms that the lessons introduce, in English and Chinese, and where they come up.",
            "The browser's own search finds a term in either language.",
            "",
            "| English | 中文 | lesson |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def link(lesson):
    number, name = lessons.title(lesson)
    return f"[{number} {name}](lessons/{lesson.path.name}#Terms)"
