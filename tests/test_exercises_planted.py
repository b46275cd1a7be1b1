"""The proof that test_exercises.py puts every exercise to finds each planted fault, and nothing in good ones."""

from dataclasses import replace
from pathlib import Path

import exercise_proof as proof
import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook, new_output

from seglib.exercises import Exercise, NotYet, _check, check, expect_array, expect_choice, expect_shape


@pytest.fixture(autouse=True)
def planted_exercises_count_as_seglib(monkeypatch):
    monkeypatch.setattr(_check, "_OURS", (*_check._OURS, Path(__file__)))


MASK = np.array([[0, 1], [2, 255]])


def verify_ids(ids):
    mask = MASK.copy()
    expect_array("`ids(mask)`", ids(mask), np.array([0, 1, 2]))


def ids(mask):
    return np.unique(mask[mask != 255])


def verify_net(net):
    expect_shape("`net()(x)`", net()(torch.zeros(1, 1, 4, 4)), (1, 2, 4, 4))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 2, 1)

    def forward(self, x):
        return self.layer(x)


def net_with(layer):
    return type("Net", (Net,), {"forward": lambda self, x: layer(self.layer(x))})


FUNCTION = Exercise("q1", ("What is in it?", "`np.unique`"), verify_ids, ids)
CHOICE = Exercise("q2", ("a?", "not a"), lambda x: expect_choice(x, "b", {"a": "A.", "c": "C.", "d": "D."}), "b")
CLASS = Exercise("q3", ("Layers.", "`Conv2d`"), verify_net, Net)
WRONG_FUNCTION = [np.unique, np.max, lambda mask: ids(mask)[1:], lambda mask: ids(mask).tolist()]
WRONG_CLASS = [net_with(torch.nn.MaxPool2d(2)), net_with(torch.nn.Flatten()), net_with(torch.sum)]


@pytest.mark.parametrize(
    ("exercise", "wrong"), [(FUNCTION, WRONG_FUNCTION), (CHOICE, ["a", "c", "d"]), (CLASS, WRONG_CLASS)]
)
def test_a_good_exercise_has_no_faults(exercise, wrong):
    assert proof.faults(exercise, exercise.name, wrong) == []


SHARED = MASK.copy()


def verify_unprotected(ids):
    """Hands over its data inside an object, where no copy is made."""
    expect_array("`ids(mask)`", ids(iter([SHARED])), np.array([0, 1, 2]))


def spoiling(masks):
    mask = next(masks)
    found = ids(mask)
    mask[:] = 0
    return found


def verify_catching(answer):
    try:
        verify_ids(answer)
    except NotImplementedError:
        raise NotYet("Write it.") from None


def verify_asserting(answer):
    assert answer(MASK).tolist() == [0, 1, 2]


PLANTED = {
    "is called 'q1' but bound to q9": (FUNCTION, WRONG_FUNCTION, "q9"),
    "hints: a tuple of two": (replace(FUNCTION, hints="a b"), WRONG_FUNCTION, "q1"),
    "hints: a tuple of two texts or": (replace(FUNCTION, hints=("a", " ")), WRONG_FUNCTION, "q1"),
    "does not stand alone": (replace(FUNCTION, solution=(lambda mask: ids(mask))), WRONG_FUNCTION, "q1"),
    "<function _stub": (replace(FUNCTION, verify=verify_catching), WRONG_FUNCTION, "q1"),
    "its solution is 'not yet'": (replace(FUNCTION, solution=np.max), WRONG_FUNCTION, "q1"),
    "spoils the data": (replace(FUNCTION, verify=verify_unprotected, solution=spoiling), WRONG_FUNCTION, "q1"),
    "2 wrong answers, three or more": (FUNCTION, WRONG_FUNCTION[:2], "q1"),
    "wrong answer ids is 'correct'": (FUNCTION, [*WRONG_FUNCTION, ids], "q1"),
    "is 'not attempted'": (FUNCTION, [*WRONG_FUNCTION, None], "q1"),
    "get the same message": (FUNCTION, [*WRONG_FUNCTION, lambda mask: ids(mask).tolist()], "q1"),
    "is not explained: 'Your answer cannot be used": (replace(FUNCTION, verify=verify_asserting), WRONG_FUNCTION, "q1"),
    "it takes 42 for right": (replace(CHOICE, verify=lambda answer: None), [], "q2"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_found(fault):
    exercise, wrong, name = PLANTED[fault]
    assert any(fault in found for found in proof.faults(exercise, name, wrong))


def test_missing_wrong_answers_are_a_clear_failure(tmp_path):
    with pytest.raises(AssertionError, match=r"topic.py is missing in tests/wrong_answers: write WRONG"):
        proof.wrong_answers("topic", tmp_path)
    (tmp_path / "topic.py").write_text("WRONG = {'q1': [1, 2, 3]}")
    assert proof.wrong_answers("topic", tmp_path) == {"q1": [1, 2, 3]}


def lesson(folder, *cells, topic="topic"):
    said = [[new_output("display_data", {"text/plain": text}) for text in texts] for _, texts in cells]
    codes = [new_code_cell(code, outputs=outputs) for (code, _), outputs in zip(cells, said, strict=True)]
    nbformat.write(new_notebook(cells=codes), folder / f"04_{topic}.ipynb")
    return list(proof.lesson_faults("topic", ["q1", "q2"], folder))


GOOD = [
    ("check(q1, f)\nhints(q1)", ["○ q1: Not attempted yet.", "q1: 2 hints"]),
    ("check(q2, answer)", ["○ q2: Not attempted yet."]),
    ("hints(q2)", ["q2: 2 hints"]),
]


def test_a_lesson_must_show_that_its_stubs_are_not_attempted(tmp_path):
    assert lesson(tmp_path, *GOOD, topic="other") == []
    assert lesson(tmp_path, *GOOD) == []
    assert lesson(tmp_path, *GOOD[:2]) == ["04_topic.ipynb never calls hints(q2)"]
    assert lesson(tmp_path, GOOD[0], GOOD[2]) == ["04_topic.ipynb never calls check(q2, ...)"]
    (fault,) = lesson(tmp_path, GOOD[0], ("check(q2, answer)", ["✓ q2: Correct."]), GOOD[2])
    assert "does not store 'Not attempted yet.' below check(q2, ...)" in fault
    assert len(lesson(tmp_path, GOOD[0], ("check(q22, answer)", ["○ q2: Not attempted yet."]), GOOD[2])) == 1


def test_every_lesson_is_put_to_the_proof():
    found = {name for module in proof.lessons().values() for name in proof.exercises(module)}
    assert all(name.startswith("q") for name in found)
    assert proof.exercises(type("module", (), {"q1": FUNCTION, "helper": ids, "check": check})) == {"q1": FUNCTION}
