"""Proof that exercises judge rightly: test_exercises.py puts every lesson to it, and
test_exercises_planted.py shows that it finds what is planted."""

import ast
import importlib
import importlib.util
import inspect
import linecache
import pkgutil
import re
import sys
import textwrap
from pathlib import Path

import nbformat
import numpy as np

import seglib.exercises
from seglib.exercises import Exercise, check
from seglib.exercises._check import source

TESTS = Path(__file__).parent
NOTEBOOKS = TESTS.parent / "notebooks"
USELESS = (42, 0.5, "text", [], {}, True, object(), np.zeros(3), len, lambda *args: args, int)


def lessons():
    """Topic -> module, for every lesson's file in seglib/exercises."""
    names = [module.name for module in pkgutil.iter_modules(seglib.exercises.__path__) if module.name[0] != "_"]
    return {name: importlib.import_module(f"seglib.exercises.{name}") for name in names}


def exercises(module):
    """Variable name -> exercise."""
    return {name: value for name, value in vars(module).items() if isinstance(value, Exercise)}


def answers(topic, folder=TESTS / "answers"):
    """WRONG and RIGHT of tests/answers/topic.py: exercise name -> list of attempts; RIGHT may be missing."""
    path = folder / f"{topic}.py"
    if not path.is_file():
        raise AssertionError(f"{path.name} is missing in tests/answers: write WRONG = {{'q1': [...], ...}}")
    spec = importlib.util.spec_from_file_location(f"answers_{topic}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WRONG, getattr(module, "RIGHT", {})


def mutation(solution, *changes):
    """A solution with one or a few pieces of its source replaced: ``mutation(q1.solution, ("< 0.5", "> 0.5"))``.

    Its name says what was changed. Raises AssertionError where a piece does not occur, or occurs more than once.
    """
    text = textwrap.dedent(inspect.getsource(solution))
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {solution.__name__}"
        text = text.replace(old, new)
    space = dict(vars(sys.modules[solution.__module__]))
    file = f"<{solution.__name__} with {changes}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # for messages and inspect
    exec(compile(text, file, "exec"), space)
    attempt = space[solution.__name__]
    attempt.__name__ = attempt.__qualname__ = ", ".join(f"{old} -> {new}" for old, new in changes)
    return attempt


def faults(exercise, name, wrong, right=()):
    """Everything that is wrong with an exercise, as a list of sentences."""
    return [
        *_form(exercise, name),
        *_stubs(exercise),
        *_solution(exercise),
        *_wrong(exercise, wrong),
        *_right(exercise, right),
        *_useless(exercise),
    ]


def lesson_faults(topic, names, folder=NOTEBOOKS):
    """What the lesson's notebook leaves out; nothing while there is no notebook."""
    for path in folder.glob(f"[0-9][0-9]_{topic}.ipynb"):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        for name in names:
            checks = [cell for cell in cells if re.search(rf"\bcheck\({name}\b", cell.source)]
            shown = [output.get("data", {}).get("text/plain", "") for cell in checks for output in cell.outputs]
            if not checks:
                yield f"{path.name} never calls check({name}, ...)"
            elif f"○ {name}: Not attempted yet." not in shown:
                yield f"{path.name} does not store 'Not attempted yet.' below check({name}, ...): {shown}"
            if not any(f"hints({name})" in cell.source for cell in cells):
                yield f"{path.name} never calls hints({name})"


def _form(exercise, name):
    if exercise.name != name:
        yield f"is called {exercise.name!r} but bound to {name}"
    hints = exercise.hints
    if not isinstance(hints, tuple) or len(hints) < 2 or not all(isinstance(h, str) and h.strip() for h in hints):
        yield "hints: a tuple of two texts or more is wanted"
    try:
        tree = ast.parse(source(exercise.solution))
    except SyntaxError:
        yield "the source of the solution does not stand alone: write it with def or class, not as a lambda"
        return
    for node in ast.walk(tree):
        for each in node.names if isinstance(node, ast.ImportFrom) else ():
            if not hasattr(importlib.import_module(node.module), each.name):
                yield f"the solution as it is shown imports {each.name} from {node.module}, which has none"


def _stubs(exercise):
    stubs = [None, ...]
    if inspect.isroutine(exercise.solution):
        stubs.append(_stub)
    if inspect.isclass(exercise.solution):
        stubs.append(type("Stub", (exercise.solution,), {"__init__": _stub}))
        if hasattr(exercise.solution, "forward"):
            stubs.append(type("Stub", (exercise.solution,), {"forward": _stub}))
    for stub in stubs:
        result = check(exercise, stub)
        if result.state != "not attempted":
            yield f"the stub {stub} is {result.state!r} ({result.message})"


def _stub(*args, **kwargs):
    raise NotImplementedError


def _solution(exercise):
    """The solution passes, also after an attempt that overwrites what it is given, which does not."""
    if inspect.isroutine(exercise.solution):
        check(exercise, _vandal(exercise.solution))
    result = check(exercise, exercise.solution)
    if result.state != "correct":
        yield f"its solution is {result.state!r} after an attempt that overwrites its arguments: {result.message}"


def _vandal(solution):
    def attempt(*args, **kwargs):
        result = solution(*args, **kwargs)
        for value in (*args, *kwargs.values()):
            if hasattr(value, "detach"):
                value.detach().zero_()
            elif isinstance(value, np.ndarray):
                value[...] = 0
        return result

    return attempt


def _wrong(exercise, wrong):
    if len(wrong) < 3:
        yield f"{len(wrong)} wrong answers, three or more are wanted in tests/answers"
    seen = {}
    for attempt in wrong:
        label = getattr(attempt, "__name__", repr(attempt))
        result = check(exercise, attempt)
        if result.state != "not yet":
            yield f"the wrong answer {label} is {result.state!r}"
        elif not result.message.strip() or "cannot be used" in result.message:
            yield f"the wrong answer {label} is not explained: {result.message!r}"
        elif result.message in seen:
            yield f"the wrong answers {seen[result.message]} and {label} get the same message: {result.message!r}"
        seen.setdefault(result.message, label)


def _right(exercise, right):
    for attempt in right:
        result = check(exercise, attempt)
        if result.state != "correct":
            yield f"the right answer {getattr(attempt, '__name__', attempt)!r} is {result.state!r}: {result.message}"


def _useless(exercise):
    for attempt in USELESS:
        same = type(attempt) is type(exercise.solution) and bool(np.all(attempt == exercise.solution))
        if check(exercise, attempt).state == "correct" and not same:
            yield f"it takes {attempt!r} for right"
