"""Look through a folder of pictures and masks before training on it.

Told are sizes, channels, class frequencies; missing, broken and duplicate files, unknown labels, leakage between
splits. Exit status: 0 fine, 1 something is wrong.
"""

from collections import Counter

from workbench import convert
from workbench.options import add_options, said

SHOWN = 10  # sentences of a kind
CHANNELS = {"1": "black and white", "L": "grey, 8 bits", "RGB": "colour, 8 bits", "I;16": "grey, 16 bits"}


def add_parser(subparsers):
    """Add ``data`` and its verbs ``check`` and ``convert`` to the command line."""
    verbs = subparsers.add_parser("data", help="look at data sets").add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="look through a data set before training on it", description=__doc__)
    check.add_argument("folder", help="images/ and masks/, perhaps with train/, val/, test/; classes.csv beside them")
    add_options(check)
    check.add_argument("--page", metavar="FILE", default="data_check.html", help="thumbnails (default: %(default)s)")
    convert.add_parser(verbs)


def run(arguments):
    """Check, print what was found, write the page; return 1 if something is wrong, else 0.

    Raises ValueError or OSError where the folder can't be checked or the page can't be written.
    """
    if arguments.verb == "convert":
        return convert.run(arguments)
    from workbench.checking import check_folder
    from workbench.data_page import write_page
    from workbench.dataset import open_data

    report = check_folder(open_data(arguments.folder, **said(arguments)))
    write_page(report, arguments.page)
    print(*lines(report), sep="\n")
    print(f"pictures: {arguments.page}")
    return 1 if report.faults else 0


def lines(report):
    """The report, line by line."""
    splits = Counter(picture.split for picture in report.pictures)
    sizes = Counter(picture.size for picture in report.pictures if picture.size)
    modes = Counter(picture.mode for picture in report.pictures if picture.mode)
    yield f"{report.folder}: {len(report.pictures)} pictures"
    if "all" not in splits:
        yield from _table("splits", splits.items())
    common = [(f"{height} x {width}", count) for (height, width), count in sizes.most_common(5)]
    if len(sizes) > 5:
        common.append((f"{len(sizes) - 5} others, {' x '.join(map(_extent, zip(*sizes, strict=True)))}", ""))
    yield from _table("sizes (height x width)", common)
    yield from _table("channels", ((CHANNELS.get(mode, mode), count) for mode, count in modes.most_common()))
    yield from _table("classes", _frequencies(report))
    yield from _some(report.notes, "note: ")
    for kind, sentences in report.faults.items():
        yield f"WRONG, {kind}: {len(sentences)}"
        yield from _some(sentences, "  ")
    if not report.faults:
        yield "nothing is wrong"


def _extent(sides):
    return f"{min(sides)} to {max(sides)}"


def _table(title, rows):
    yield f"{title}:"
    yield from (f"  {name:<28} {value}" for name, value in rows)


def _some(sentences, start):
    """The first SHOWN sentences, and how many more there are."""
    yield from (start + sentence for sentence in sentences[:SHOWN])
    if len(sentences) > SHOWN:
        yield f"{start}... and {len(sentences) - SHOWN} more"


def _frequencies(report):
    """(class, share of the pixels and number of pictures), in the order of the labels."""
    pixels, seen = Counter(), Counter()
    for picture in report.pictures:
        pixels.update(picture.pixels)
        seen.update(picture.pixels.keys())
    for label in sorted(pixels)[:40]:
        share = pixels[label] / pixels.total()
        yield report.class_name(label), f"{share:7.2%} of the pixels, in {seen[label]} pictures"
    if len(pixels) > 40:
        yield f"{len(pixels) - 40} other labels", ""
