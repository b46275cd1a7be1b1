"""Arguments of the command line: with a hint for what is misspelt, from a file too, on consoles of any encoding."""

import argparse
import difflib
import json
import sys
from pathlib import Path

LENGTHS = {"steps", "epochs", "seconds"}  # of which one counts
FOUND = {"reading", "classes", "grey", "objects"}  # what a run's config.json holds of its data, beside the options


class Parser(argparse.ArgumentParser):
    """A parser that knows which of its options an unknown one resembles, and takes options from --config FILE."""

    def parse_known_args(self, args=None, namespace=None):
        if "--config" in self._option_string_actions:
            first = argparse.ArgumentParser(add_help=False)
            first.add_argument("--config")
            path = first.parse_known_args(args)[0].config
            args = [*(self._from_file(path, args) if path else ()), *args]
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            near = difflib.get_close_matches(word, self._option_string_actions, 1)
            hint = f"; {word} is unknown, did you mean {near[0]}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return arguments, unknown

    def _from_file(self, path, args):
        """The words that say what a YAML file or a run's config.json says, but for what ``args`` says in its place."""
        import yaml  # comes with Jupyter, and reads JSON

        try:
            content = dict(yaml.safe_load(Path(path).read_text(encoding="utf-8-sig")))
        except (yaml.YAMLError, ValueError, TypeError, OSError) as error:
            self.error(f"--config {path} holds no options, in lines such as model: unet ({error})")
        if "objects" in content:  # a run's
            content = content.get("reading", {}) | {name: content[name] for name in content.keys() - FOUND}
        if {word.partition("=")[0].strip("-") for word in args} & LENGTHS:
            content = {name: content[name] for name in content if name not in LENGTHS}
        for name, value in content.items():
            words = [json.dumps(value) if isinstance(value, dict) else str(value)]
            if isinstance(value, list):
                words = [*map(str, value)] if name == "val" else [",".join(map(str, value))]
            if value is not None and value is not False:
                yield from (f"--{name.replace('_', '-')}", *(words if value is not True else ()))


def printable():
    """Let nothing that is printed fail on a console of another encoding: what it lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
