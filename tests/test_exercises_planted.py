"""The proof that test_exercises.py puts every exercise to finds each planted fault, and nothing in good ones."""

from dataclasses import replace
from pathlib import Path

import exercise_proof as proof
import numpy as np
import pytest

from seglib.exercises import NotYet, _check, exercise, expect_array, expect_choice


@pytest.fixture(autouse=True)
def planted_exercises_count_as_seglib(monkeypatch):
    monkeypatch.setattr(_check, "_OURS", (*_check._OURS, Path(__file__)))


MASK = np.array([[0, 1], [2, 255]])


def ids(mask):
    return np.unique(mask[mask != 255])


@exercise("What is in it?", "`np.unique`", solution=ids)
def q1(ids):
    expect_array("`ids(mask)`", ids(MASK), np.array([0, 1, 2]))


@exercise("a?", "not a", solution="b")
def q2(answer):
    expect_choice(answer, "b", {"a": "A.", "c": "C.", "d": "D."})


WRONG = {
    "q1": [np.unique, np.max, *(proof.mutation(ids, ("255])", end)) for end in ("255])[1:]", "255]).tolist()"))],
    "q2": ["a", "c", "d"],
}


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
        q1.verify(answer)
    except NotImplementedError:
        raise NotYet("Write it.") from None


def verify_asserting(answer):
    assert answer(MASK).tolist() == [0, 1, 2]


PLANTED = {
    "is called 'q1' but bound to q9": (q1, WRONG["q1"], "q9"),
    "hints: a tuple of two": (replace(q1, hints=("a", " ")), WRONG["q1"], "q1"),
    "does not stand alone": (replace(q1, solution=(lambda mask: ids(mask))), WRONG["q1"], "q1"),
    "<function _stub": (replace(q1, verify=verify_catching), WRONG["q1"], "q1"),
    "its solution is 'not yet'": (replace(q1, solution=np.max), WRONG["q1"], "q1"),
    "after an attempt that overwrites its arguments": (
        replace(q1, verify=verify_unprotected, solution=spoiling),
        WRONG["q1"],
        "q1",
    ),
    "2 wrong answers, three or more": (q1, WRONG["q1"][:2], "q1"),
    "wrong answer ids is 'correct'": (q1, [*WRONG["q1"], ids], "q1"),
    "get the same message": (q1, [np.max, np.max], "q1"),
    "is not explained: 'Your answer cannot be used": (replace(q1, verify=verify_asserting), WRONG["q1"], "q1"),
    "it takes 42 for right": (replace(q2, verify=lambda answer: None), [], "q2"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_found(fault):
    planted, wrong, name = PLANTED[fault]
    assert any(fault in found for found in proof.faults(planted, name, wrong))


def test_a_right_answer_that_is_refused_is_found():
    right = [lambda mask: np.array(sorted(set(mask.ravel().tolist()) - {255})), np.unique]
    (found,) = proof.faults(q1, "q1", WRONG["q1"], right)
    assert found.startswith("the right answer 'unique' is 'not yet'")
