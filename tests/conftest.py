"""Fixtures that several test files use."""

import sys

# Not needed here and slow: it compiles 38 grammars when nbformat imports jsonschema, which works without it.
sys.modules["rfc3987_syntax"] = None

from in_browser import browser, lab  # noqa: E402, F401
