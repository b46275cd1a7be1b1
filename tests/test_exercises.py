"""Every exercise of every lesson: the stub is not attempted, the solution right, wrong answers explained.

Wrong answers stand in tests/wrong_answers/<topic>.py: ``WRONG = {"q1": [attempt, ...], ...}``.
"""

import exercise_proof as proof
import pytest

LESSONS = proof.lessons()
EXERCISES = [(topic, name) for topic, module in LESSONS.items() for name in proof.exercises(module)]


@pytest.mark.parametrize(("topic", "name"), EXERCISES, ids=lambda text: text)
def test_exercise_judges_rightly(topic, name):
    exercise = proof.exercises(LESSONS[topic])[name]
    assert proof.faults(exercise, name, proof.wrong_answers(topic).get(name, [])) == []


@pytest.mark.parametrize("topic", LESSONS)
def test_wrong_answers_belong_to_an_exercise(topic):
    assert set(proof.wrong_answers(topic)) == set(proof.exercises(LESSONS[topic]))


@pytest.mark.parametrize("topic", LESSONS)
def test_the_lesson_uses_its_exercises(topic):
    assert list(proof.lesson_faults(topic, proof.exercises(LESSONS[topic]))) == []
