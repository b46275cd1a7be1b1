"""Every exercise of every lesson: the stub is not attempted, the solution right, wrong answers explained.

Wrong answers, and right ones in another style than the solution's, stand in tests/answers/<topic>.py:
``WRONG = {"q1": [attempt, ...], ...}``, ``RIGHT`` likewise.
"""

import exercise_proof as proof
import pytest

from seglib.exercises import check

LESSONS = proof.lessons()


SLOW = {("judging_objects", "q1"), ("judging_objects", "q4"), ("learning_pixels", "q4")}  # seconds each


def every_exercise():
    """Topic and name; the last one of a lesson is slow, too: it works on photos or trains a network."""
    for topic, module in LESSONS.items():
        names = list(proof.exercises(module))
        for name in names:
            slow = name == names[-1] or (topic, name) in SLOW
            yield pytest.param(topic, name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize(("topic", "name"), list(every_exercise()))
def test_exercise_judges_rightly(topic, name):
    exercise = proof.exercises(LESSONS[topic])[name]
    wrong, right = (answers.get(name, []) for answers in proof.answers(topic))
    assert proof.faults(exercise, name, wrong, right) == []


@pytest.mark.parametrize(
    ("topic", "name", "said"),
    [
        ("clustering", "q3", "these are squared distances"),
        ("region_growing", "q2", "there is a loop in it"),
        pytest.param("judging_objects", "q1", "their hits are never ranked", marks=pytest.mark.slow),
        pytest.param("judging_objects", "q4", "the last picture is never drawn", marks=pytest.mark.slow),
    ],
)
def test_a_usual_mistake_is_named(topic, name, said):
    asked = proof.exercises(LESSONS[topic])[name]
    assert any(said in check(asked, wrong).message for wrong in proof.answers(topic)[0][name])


@pytest.mark.parametrize("topic", LESSONS)
def test_answers_belong_to_an_exercise(topic):
    wrong, right = proof.answers(topic)
    assert set(wrong) == set(proof.exercises(LESSONS[topic])) >= set(right)


@pytest.mark.parametrize("topic", LESSONS)
def test_the_lesson_uses_its_exercises(topic):
    assert list(proof.lesson_faults(topic, proof.exercises(LESSONS[topic]))) == []
