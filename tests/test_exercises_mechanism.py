"""check and hints say what they should, whatever they are given."""

import linecache
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from seglib.exercises import NotYet, _check, check, exercise, expect_choice, expect_number, expect_shape
from seglib.exercises import hints as show_hints

A, B = np.array([[1, 1, 0, 0]]), np.array([[0, 1, 1, 0]])


@pytest.fixture(autouse=True)
def planted_exercises_count_as_seglib(monkeypatch):
    monkeypatch.setattr(_check, "_OURS", (*_check._OURS, Path(__file__)))


def _my_iou(a, b):
    """Pixels of <both> by pixels of <either>."""
    union = (a | b).sum()
    return (a & b).sum() / union if union else np.nan


@exercise("What is shared?", "`a & b`, over <what>?", solution=_my_iou)
def q1(my_iou):
    expect_number("`my_iou(a, b)`", my_iou(A, B), 1 / 3)
    if not np.isnan(my_iou(0 * A, 0 * B)):
        raise NotYet("Two empty masks have no IoU: wanted NaN.")
    return "One pixel shared, three covered."


@exercise("Think.", "Harder.", solution="b")
def q2(answer):
    expect_choice(answer, "b", {"a": "Accuracy counts sky too.", "c": "Dice counts twice."})


class Net(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layer = torch.nn.Conv2d(channels, 2, 3, padding=1)

    def forward(self, x):
        return self.layer(x)


@exercise("Convolve.", "Pad.", solution=Net)
def q3(net):
    expect_shape("`net(x)`", net(3)(torch.zeros(1, 3, 8, 8)), (1, 2, 8, 8))


def cell(code):
    """The function that a notebook's cell defines, known to linecache as Jupyter does it."""
    name = f"/tmp/ipykernel_1/{abs(hash(code))}.py"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    namespace = {"np": np, "torch": torch, "Module": torch.nn.Module}
    exec(compile(code, name, "exec"), namespace)
    return list(namespace.values())[-1]


CLASS = "class Net(Module):\n    def __init__(self, channels):\n        super().__init__()\n"


@pytest.mark.parametrize(
    ("asked", "attempt", "said"),
    [
        *((q, nothing, "○ {}: Not attempted yet.") for q in (q1, q2, q3) for nothing in (None, ...)),
        (q1, cell("def my_iou(a, b):\n    raise NotImplementedError"), "○ q1: Not attempted yet."),
        (q1, cell("def my_iou(a, b): raise NotImplementedError('write it')"), "○ q1: Not attempted yet."),
        (q3, cell(CLASS + "    def forward(self, x):\n        raise NotImplementedError"), "○ q3: Not attempted yet."),
        (q1, _my_iou, "✓ q1: Correct. One pixel shared, three covered."),
        (q2, " B", "✓ q2: Correct."),
        (q3, Net, "✓ q3: Correct."),
        (q1, lambda a, b: 3.0, "✗ q1: Not yet. `my_iou(a, b)` is 3, wanted 0.3333."),
        (q1, lambda a, b: 1 / 3, "✗ q1: Not yet. Two empty masks have no IoU: wanted NaN."),
        (q1, 0.5, "✗ q1: Not yet. This is a value (float). Give the function or class itself, without calling it."),
        (q2, "c", "✗ q2: Not yet. Dice counts twice."),
    ],
)
def test_three_states(asked, attempt, said, capsys):
    result = check(asked, attempt)
    shown = capsys.readouterr().out.removesuffix("\n")
    assert shown == said.format(asked.name)
    assert result.state == {"○": "not attempted", "✗": "not yet", "✓": "correct"}[shown[0]]
    assert shown.endswith(result.message)


STOPS = "Your code stops with an error in line {}, `{}`:\n`{}"
CALL = "Your function cannot be called as the exercise asks:\n`{}"
USE = "Your answer cannot be used as the exercise asks:\n`{}"


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (
            q1,
            "def f(a, b):\n    shared = a & b\n    return shared.sum() / nowhere",
            STOPS.format(3, "return shared.sum() / nowhere", "NameError: name 'nowhere' is not defined`"),
        ),
        (
            q1,
            "def f(a, b):\n    return g(a, b)\ndef g(a, b):\n    return np.concatenate([a, b[0]])\nf = f",
            STOPS.format(4, "return np.concatenate([a, b[0]])", "ValueError: all the input array"),
        ),
        (q1, "def f(a, b):\n    return f(b, a)", STOPS.format(2, "return f(b, a)", "RecursionError: maximum")),
        (
            q1,  # PyTorch raises NotImplementedError for operators it lacks: no stub
            "def f(a, b):\n    return torch.eye(2).to_sparse().flip(0)",
            STOPS.format(2, "return torch.eye(2).to_sparse().flip(0)", "NotImplementedError: Could not run"),
        ),
        (q1, "def f(a):\n    return a", CALL.format("TypeError: f() takes 1 positional argument but 2 were given`")),
        (q3, CLASS, USE.format('NotImplementedError: Module [Net] is missing the required "forward" function`')),
        (q3, "class Net:\n    pass", USE.format("TypeError: Net() takes no arguments`")),
        (
            q3,
            CLASS + "    def forward(self, x):\n        return x @ self.weight",
            STOPS.format(5, "return x @ self.weight", "AttributeError: 'Net' object has no attribute 'weight'`"),
        ),
    ],
)
def test_an_error_in_the_attempt_is_explained(asked, code, message):
    result = check(asked, cell(code))
    assert result.state == "not yet"
    assert result.message.startswith(message)
    assert len(result.message) < 500


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_an_attempt_cannot_change_the_data_and_is_told(kind):
    reference = kind([1.0, float("nan")])
    nested = [{"x": (reference,)}]

    def spoil_first(x, more):
        x[0] = 0

    def spoil_within(x, more):
        more[0]["x"][0][:1] = 0

    def drop(x, more):
        more[0].clear()

    def spoil_nothing(x, more):
        x = x * 0
        return more[0]["x"][0]

    @exercise(solution=spoil_nothing)
    def q1(attempt):
        attempt(reference, more=nested)

    for attempt in (spoil_first, spoil_within, drop):
        assert check(q1, attempt).message.startswith(f"`{attempt.__name__}` changes what it is given")
        assert reference[0] == 1
        assert list(nested[0]) == ["x"]
    assert check(q1, spoil_nothing).state == "correct"


class Folds(HTMLParser):
    """Reads HTML the way a sanitiser does: tags must be plain and closed in order."""

    ALLOWED = frozenset(["details", "summary", "pre", "code", "div", "b", "br"])

    def __init__(self, text):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in self.ALLOWED
        assert {name for name, _ in attributes} <= {"style"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append((tuple(self.open), text.strip()))


@pytest.fixture
def displayed(monkeypatch):
    bundles = []
    monkeypatch.setattr(_check, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(_check, "display", lambda data, raw: bundles.append(data))
    return bundles


def test_hints_are_folded_and_end_with_the_source(displayed, capsys):
    show_hints(q1)
    (bundle,) = displayed
    texts = Folds(bundle["text/html"]).texts
    assert [text for tags, text in texts if tags[-1:] == ("summary",)] == ["Hint 1", "Hint 2", "Solution"]
    assert all(tags[:1] == ("details",) for tags, text in texts if text)
    assert (("details", "div", "code"), "a & b") in texts
    assert (("details", "div"), ", over <what>?") in texts
    (solution,) = [text for tags, text in texts if "pre" in tags]
    assert solution.startswith('def my_iou(a, b):\n    """Pixels of <both> by pixels of <either>."""\n    union')
    assert bundle["text/plain"] == "q1: 2 hints and the solution, folded. Jupyter unfolds them."
    show_hints(q2)
    assert (("details", "div", "pre", "code"), "'b'") in Folds(displayed[1]["text/html"]).texts
    assert capsys.readouterr().out == ""


def test_a_verdict_is_shown_with_words_not_by_colour_alone(displayed):
    check(q1, lambda a, b: "<b>")
    (bundle,) = displayed
    assert bundle["text/plain"] == "✗ q1: Not yet. `my_iou(a, b)` is the text '<b>', wanted a number."
    texts = dict(reversed(Folds(bundle["text/html"]).texts))
    assert texts["div", "b"] == "✗ q1: Not yet."
    assert texts["div", "code"] == "my_iou(a, b)"


@pytest.mark.slow
def test_in_a_notebook_verdict_and_hints_are_shown_once():
    cells = [
        "from seglib.exercises import Exercise, check, hints\n"
        "q1 = Exercise('q1', ('Add.',), lambda answer: 1 / answer and 'Not zero.', 3)",
        "answer = ...\ncheck(q1, answer)\nhints(q1)",
        "check(q1, 0)",
        "result = check(q1, 3)\nresult.state",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    nbformat.validate(notebook)
    shown = [[output.data["text/plain"] for output in cell.outputs] for cell in notebook.cells]
    assert shown == [
        [],
        ["○ q1: Not attempted yet.", "q1: 1 hints and the solution, folded. Jupyter unfolds them."],
        [
            "✗ q1: Not yet. Your code stops with an error in line 2, `q1 = Exercise('q1', ('Add.',), lambda answer: "
            "1 / answer and 'Not zero.', 3)`:\n`ZeroDivisionError: division by zero`"
        ],
        ["✓ q1: Correct. Not zero.", "'correct'"],
    ]
    assert all("text/html" in output.data for cell in notebook.cells[1:3] for output in cell.outputs)
