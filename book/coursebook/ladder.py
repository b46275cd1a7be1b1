"""The lessons as a ladder: the home page's pictures, the list of lessons, the names that other pages fill in."""

import html
import re
from itertools import pairwise
from pathlib import Path

from PIL import Image

from coursebook import lessons, names

GROUPS = {
    0: "Begin here",
    1: "Without learning",
    5: "A class for every pixel",
    12: "A mask for every object",
    16: "In earnest",
    21: "Today",
}
WIDTH = 360  # CSS pixels of a picture on the home page; there is a second one of twice the density
SPACE = "\N{NO-BREAK SPACE}"
COVER = re.compile(r"!\[([^\]]+)\]\(")
NAMED = re.compile(r"\{\{ (\d\d) \}\}")


def planned(readme):
    """Rows of the README's table of lessons: stem -> (question, pictures), in order."""
    rows = re.findall(r"^\| [`\[](\d\d_\w+)[^|]*\|([^|]+)\|([^|]*)\|", readme.read_text(encoding="utf-8"), re.M)
    return {stem: (question.strip(), pictures.strip()) for stem, question, pictures in rows}


def named(stem, there):
    """A lesson in a sentence: a link with its minutes if it is there, and else its name in words."""
    if stem in there:
        number, name = lessons.title(there[stem])
        minutes, _ = lessons.lesson_form.times(there[stem])
        return f"[{number} {name}](lessons/{stem}.ipynb) ({minutes}{SPACE}min)"
    return f"{stem[:2]} {names.title(stem[3:])} (being written)"


def fill_names(text, there, readme):
    """Replace ``{{ 08 }}`` by the lesson's name, link and minutes."""
    stems = {stem[:2]: stem for stem in planned(readme)}
    return NAMED.sub(lambda found: named(stems[found[1]], there), text)


def groups(stems):
    """(heading, stems) for each part of the course."""
    starts = [*GROUPS, 100]
    for start, end in pairwise(starts):
        yield GROUPS[start], [stem for stem in stems if start <= int(stem[:2]) < end]


def list_of_lessons(there, readme):
    """Markdown of the page that lists all lessons with their times."""
    rows = planned(readme)
    text = ["# The lessons", "", "Reading times are for an attentive first reading without the exercises;"]
    text += ["running times are for two processor cores.", ""]
    for heading, stems in groups(rows):
        text += [f"## {heading}", "", "| lesson | the question it answers | pictures | to read | to run |"]
        text += ["| --- | --- | --- | --: | --: |"]
        for stem in stems:
            question, pictures = rows[stem]
            text.append(f"| {cells_of(stem, question, pictures, there)} |")
        text.append("")
    text += ["```{toctree}", ":hidden:", ""]
    for stem, lesson in there.items():
        number, name = lessons.title(lesson)
        text.append(f"{number} {name} <{stem}>")
    return "\n".join([*text, "```", ""])


def cells_of(stem, question, pictures, there):
    if stem not in there:
        return f"{stem[:2]} {names.title(stem[3:])} | {question} | {pictures} | being written | "
    number, name = lessons.title(there[stem])
    minutes, seconds = lessons.lesson_form.times(there[stem])
    return f"[{number} {name}]({stem}.ipynb) | {question} | {pictures} | {minutes}{SPACE}min | {seconds}{SPACE}s"


def pictures(there, readme, covers, folder):
    """HTML of the ladder on the home page; its small pictures are written into ``folder``."""
    rows, text = planned(readme), []
    for heading, stems in groups(rows):
        text += [f'<section class="part"><h3>{heading}</h3>', '<ol class="ladder">']
        text += [card(stem, rows[stem][0], there.get(stem), covers, folder) for stem in stems]
        text += ["</ol></section>"]
    return "\n".join(text)


def card(stem, question, lesson, covers, folder):
    if lesson is None:
        return (
            f'<li class="rung planned"><p class="rung-name">{stem[:2]} {names.title(stem[3:])}</p>'
            f'<p>{html.escape(question)}</p><p class="rung-time">being written</p></li>'
        )
    number, name = lessons.title(lesson)
    minutes, seconds = lessons.lesson_form.times(lesson)
    alt = html.escape(COVER.search(lesson.cells[0].source)[1])
    small, large = (f"{stem}-{density}.png" for density in (1, 2))
    size = shrink(Path(covers, f"{stem}.png"), Path(folder, small), WIDTH)
    shrink(Path(covers, f"{stem}.png"), Path(folder, large), 2 * WIDTH)
    return (
        f'<li class="rung"><p class="rung-name"><a href="lessons/{stem}.html">{number} {html.escape(name)}</a></p>'
        f'<img src="pictures/{small}" srcset="pictures/{large} 2x" width="{size[0]}" height="{size[1]}" alt="{alt}">'
        f"<p>{html.escape(question)}</p>"
        f'<p class="rung-time">{minutes} min to read, {seconds} s to run</p></li>'
    )


def shrink(source, target, width):
    """Write the picture with at most ``width`` pixels across and 256 colours; return its size."""
    with Image.open(source) as picture:
        picture = picture.convert("RGB")
        picture.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
        picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)
        return picture.size
