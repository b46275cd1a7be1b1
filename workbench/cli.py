"""The command line: ``seglib data | train | predict | score | evaluate | export | models``."""

import sys
from importlib.metadata import version
from pathlib import Path

from workbench import data, evaluate, export, models, predict, score, train
from workbench.arguments import Parser, printable

COMMANDS = {each.__name__.partition(".")[2]: each for each in (data, train, predict, score, evaluate, export, models)}


def main(argv=None):
    """Run a command and return its exit status: 0 fine, 1 something is wrong, 2 wrong arguments."""
    printable()
    parser = Parser(prog="seglib", description="Image segmentation from the course: work with it.")
    parser.add_argument("--version", action="version", version=f"seglib {version('seglib')}")
    subparsers = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS.values():
        command.add_parser(subparsers)
    arguments = parser.parse_args(argv)
    try:
        from unittest import mock

        # Pillow refuses pictures above 180 megapixels, in case that somebody sent them to fill the memory.
        with mock.patch("PIL.Image.MAX_IMAGE_PIXELS", None):
            status = COMMANDS[arguments.command].run(arguments)
    except (ValueError, OSError) as error:
        cause = str(error).rpartition("\nValueError: ")[2]  # of a traceback that a worker sent
        print(f"seglib {arguments.command}: {cause}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        hint = "; the same command with --resume goes on" if arguments.command == "train" else ""
        print(f"\nseglib {arguments.command}: stopped{hint}", file=sys.stderr)
        return 130
    if status == 1 and getattr(arguments, "verb", None) != "convert":
        tell_unconverted(arguments)
    return status


def tell_unconverted(arguments):
    """Where a command failed on an annotation tool's export, say what it is and how to convert it."""
    from workbench.formats import unconverted

    for name in ("data", "folder", "truth", "masks", "val"):
        place = getattr(arguments, name, None) or ""
        place = Path(place[0] if isinstance(place, list) else place)
        if place.name and place.exists() and (hint := unconverted(place)):
            print(hint, file=sys.stderr)
