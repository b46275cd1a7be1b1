"""Fixtures that several test files use."""

from in_browser import browser, lab  # noqa: F401
