"""The command line: ``seglib data | train | predict | score | evaluate | export``."""

import argparse
import sys
from pathlib import Path

from workbench import data, evaluate, export, predict, score, train

COMMANDS = {"data": data, "train": train, "predict": predict, "score": score, "evaluate": evaluate, "export": export}


def main(argv=None):
    """Run a command and return its exit status: 0 fine, 1 something is wrong, 2 wrong arguments."""
    parser = argparse.ArgumentParser(prog="seglib", description="Image segmentation from the course: work with it.")
    subparsers = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS.values():
        command.add_parser(subparsers)
    arguments = parser.parse_args(argv)
    try:
        status = COMMANDS[arguments.command].run(arguments)
    except (ValueError, OSError) as error:
        print(f"seglib {arguments.command}: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print(f"\nseglib {arguments.command}: stopped", file=sys.stderr)
        return 130
    if status == 1 and getattr(arguments, "verb", None) != "convert":
        tell_unconverted(arguments)
    return status


def tell_unconverted(arguments):
    """Where a command failed on an annotation tool's export, say what it is and how to convert it."""
    from workbench.formats import unconverted

    for name in ("data", "folder", "truth", "masks", "val"):
        place = Path(getattr(arguments, name, None) or "")
        hint = unconverted(place) if place.name and place.exists() else None
        if hint:
            print(hint, file=sys.stderr)
