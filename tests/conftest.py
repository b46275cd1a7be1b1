"""Fixtures that several test files use."""

import sys

import pytest

# Not needed here and slow: it compiles 38 grammars when nbformat imports jsonschema, which works without it.
sys.modules["rfc3987_syntax"] = None

from in_browser import browser, lab  # noqa: E402, F401


@pytest.fixture
def downloaded(monkeypatch):
    """Call it with a state dict: whatever weights torchvision is then asked to download are these."""
    import torchvision

    def give(state):
        monkeypatch.setattr(torchvision.models.WeightsEnum, "get_state_dict", lambda *_, **__: state)

    return give
