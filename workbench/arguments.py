"""Arguments of the command line: with a hint for what is misspelt, on consoles of any encoding."""

import argparse
import difflib
import sys


class Parser(argparse.ArgumentParser):
    """A parser that knows which of its options an unknown one resembles."""

    words = ()

    def parse_known_args(self, args=None, namespace=None):
        self.words = [word.partition("=")[0] for word in args or () if word.startswith("--")]
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return arguments, unknown

    def error(self, message):
        known = list(self._option_string_actions)
        wrong = [word for word in self.words if not any(option.startswith(word) for option in known)]
        near = difflib.get_close_matches(wrong[0], known, 1) if wrong else ()
        super().error(message + (f"; {wrong[0]} is unknown, did you mean {near[0]}?" if near else ""))


def printable():
    """Let nothing that is printed fail on a console of another encoding: what it lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
