"""seglib's docstrings are plain text first; what reStructuredText would take for markup is kept as it is."""

import re

BARS = re.compile(r"(?<!\\)\|([^|`]+)\|")


def keep_bars(app, what, name, thing, options, lines):
    """Keep the bars of |g - p|: reStructuredText would look for a substitution of that name."""
    lines[:] = [line if line.lstrip().startswith(">>>") else BARS.sub(r"\|\1\|", line) for line in lines]
