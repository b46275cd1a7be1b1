"""The glossary, collected from the tables under each lesson's "## Terms"."""

import re

from coursebook import lessons

ROW = re.compile(r"^\|([^|]+)\|([^|]+)\|\s*$", re.M)


def terms(lesson):
    """(English, Chinese) pairs of one lesson, in the order of its table."""
    rows = [tuple(cell.strip() for cell in row) for row in ROW.findall(lesson.text("Terms"))]
    return [(english, chinese) for english, chinese in rows if english != "English" and not set(english) <= set("-: ")]


def collect(all_lessons):
    """(English, Chinese, lessons) sorted by the English term; the same English term is listed once.

    Where lessons translate a term differently, each translation is kept, in the lessons' order.
    """
    found = {}
    for lesson in all_lessons:
        for english, chinese in terms(lesson):
            _, translations, where = found.setdefault(english.casefold(), (english, [], []))
            if chinese not in translations:
                translations.append(chinese)
            if lesson not in where:
                where.append(lesson)
    return [found[key] for key in sorted(found)]


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
            f"The {len(rows)} terms that the lessons introduce, in English and Chinese (中文), and where they come up.",
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
