"""Arguments of the command line: from a file, with a hint for what is misspelt, on consoles of any encoding."""

import argparse
import difflib
import json
import sys
from pathlib import Path

LENGTHS = ("seconds", "epochs", "steps")  # of a run, of which the first that a file holds counts
FACTS = ("grey", "objects", "reading")  # that a run's config.json holds beside options


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


def from_config(argv):
    """The arguments, with those of the file that --config names before the others of ``seglib train``.

    Raises ValueError or OSError for a file that holds none.
    """
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config")
    config, rest = finder.parse_known_args(argv[1:])
    if argv[:1] != ["train"] or config.config is None:
        return argv
    path, text = Path(config.config), Path(config.config).read_text(encoding="utf-8")
    if path.suffix == ".json":
        content = json.loads(text)
    else:
        import yaml  # comes with accelerate

        content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no options; wanted are lines such as `model: unet`")
    if "reading" in content:  # a run's own, where "classes" are the names that came of it
        content = {name: value for name, value in content.items() if name != "classes"} | content["reading"]
    lengths = [name for name in LENGTHS if content.get(name)]
    taken = {word.partition("=")[0][2:].replace("-", "_") for word in rest}
    dropped = {*FACTS, *(LENGTHS if taken & set(LENGTHS) else lengths[1:])}
    words = []
    for name, value in content.items():
        if value not in (None, False) and name not in dropped:
            values = value if isinstance(value, list) else [] if value is True else [value]
            words += [f"--{name.replace('_', '-')}"]
            words += [json.dumps(each) if isinstance(each, dict) else str(each) for each in values]
    return ["train", *words, *rest]


def printable():
    """Let nothing that is printed fail on a console of another encoding: what it lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
