"""The command line: ``seglib data | train | predict | score``."""

import argparse
import sys

from workbench import data, predict, score, train

COMMANDS = {"data": data, "train": train, "predict": predict, "score": score}


def main(argv=None):
    """Run a command and return its exit status: 0 fine, 1 something is wrong, 2 wrong arguments."""
    parser = argparse.ArgumentParser(prog="seglib", description="Image segmentation from the course: work with it.")
    subparsers = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS.values():
        command.add_parser(subparsers)
    arguments = parser.parse_args(argv)
    try:
        return COMMANDS[arguments.command].run(arguments)
    except (ValueError, OSError) as error:
        print(f"seglib {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nseglib {arguments.command}: stopped", file=sys.stderr)
        return 130
