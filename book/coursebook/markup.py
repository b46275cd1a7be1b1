"""What the theme leaves out of the HTML: sizes of pictures, the language of cells, the scope of header cells."""

import re
from pathlib import Path

from bs4 import BeautifulSoup
from PIL import Image

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def slug(heading):
    """The anchor of a heading as Jupyter makes it, so that links inside notebooks work here too."""
    return heading.replace(" ", "-")


def improve(app, pagename, templatename, context, doctree):
    """Rewrite the body of a page just before it is put into its template."""
    if not context.get("body"):
        return
    body = BeautifulSoup(context["body"], "html.parser")
    files = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}
    for count, image in enumerate(body.find_all("img")):
        describe_size(image, files, eager=count == 0)
    for cell in body.find_all(["th", "td"]):
        if cell.name == "th" and not cell.get("scope"):
            cell["scope"] = "col"
        if CHINESE.search(cell.get_text()):
            cell["lang"] = "zh"  # or a screen reader spells it out in English
    context["body"] = str(body)


def describe_size(image, files, eager):
    """Width and height keep the text in place while pictures load; all but the first load when they are near."""
    source = files.get(Path(image["src"]).name)
    if source and not image.get("width"):
        with Image.open(source) as picture:
            image["width"], image["height"] = map(str, picture.size)
    if not eager:
        image["loading"], image["decoding"] = "lazy", "async"
    image["class"] = [*image.get("class", []), "dark-light"]  # the theme then leaves its colours alone
