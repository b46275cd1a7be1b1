"""Arguments of the command line: with a hint for what is misspelt, on consoles of any encoding."""

import argparse
import difflib
import sys


class Parser(argparse.ArgumentParser):
    """A parser that knows which of its options an unknown one resembles."""

    def parse_known_args(self, args=None, namespace=None):
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            near = difflib.get_close_matches(word, self._option_string_actions, 1)
            hint = f"; {word} is unknown, did you mean {near[0]}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return arguments, unknown


def printable():
    """Let nothing that is printed fail on a console of another encoding: what it lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
