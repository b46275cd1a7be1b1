"""Exercises, the verdict on an attempt, and the folded hints."""

import html
import inspect
import re
import sysconfig
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import numpy as np
from IPython import get_ipython
from IPython.display import display

from seglib.exercises._expect import NotYet

_LOOKS = {  # symbol, words, and a colour that stands out on a light page as on a dark one
    "not attempted": ("○", "Not attempted yet.", "#8a8a8a"),
    "not yet": ("✗", "Not yet.", "#d9730d"),
    "correct": ("✓", "Correct.", "#1a9850"),
}
_OURS = (Path(__file__).resolve().parent.parent, Path(sysconfig.get_path("stdlib")).resolve())


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson.

    Attributes
    ----------
    name : str
        As the lesson calls it: "q1".
    hints : tuple of str
        From vague to plain; `code` goes between backticks.
    verify : callable
        Takes the attempt. Raises `NotYet` with the reason if it is wrong; may return a line on what a right one
        shows. Arrays and tensors that it hands to an attempted function arrive there as copies, and a function that
        changes them is not accepted.
    solution : object
        A right attempt: a function or class, whose source is shown, or a value.
    """

    name: str
    hints: tuple[str, ...]
    verify: Callable
    solution: object


def exercise(*hints, solution):
    """Turn a check into an `Exercise`; a decorator. The check's name becomes the exercise's.

    Parameters
    ----------
    *hints : str
        From vague to plain.
    solution : object
        A right attempt: a function, a class or a value.
    """

    def made_of(verify):
        return Exercise(verify.__name__, hints, verify, solution)

    return made_of


@dataclass(frozen=True)
class Result:
    """Where an attempt stands: `state` is "not attempted", "not yet" or "correct"."""

    state: str
    message: str = ""

    def _ipython_display_(self):
        """Nothing: `check` has shown it already, and a cell's last value would be shown again."""


def check(exercise, attempt):
    """Say whether an attempt is right and, if not, why. An error inside it is explained, never raised.

    Parameters
    ----------
    exercise : Exercise
    attempt : object
        What the exercise asks for: a function, a class, a value. None, ... and code that raises
        NotImplementedError count as not attempted.

    Returns
    -------
    Result
    """
    result = _judge(exercise, attempt)
    symbol, words, colour = _LOOKS[result.state]
    rich = f"<b>{symbol} {exercise.name}: {words}</b> {_to_html(result.message)}"
    _show(
        f"{symbol} {exercise.name}: {words} {result.message}".rstrip(),
        f'<div style="border-left: 4px solid {colour}; padding-left: 12px">{rich}</div>',
    )
    return result


def hints(exercise):
    """Show the hints and the solution, each folded, so that one opens no more than needed."""
    folds = [(f"Hint {i}", _to_html(hint)) for i, hint in enumerate(exercise.hints, start=1)]
    folds.append(("Solution", f"<pre><code>{html.escape(source(exercise.solution))}</code></pre>"))
    _show(
        f"{exercise.name}: {len(exercise.hints)} hints and the solution, folded. Jupyter unfolds them.",
        "\n".join(
            f'<details><summary>{title}</summary><div style="padding-left: 16px">{text}</div></details>'
            for title, text in folds
        ),
    )


def source(solution):
    """Source code of a function or class, or the text of a value."""
    if inspect.isroutine(solution) or inspect.isclass(solution):
        text = textwrap.dedent(inspect.getsource(solution)).strip()
        # Whole names only: `_segment` is also the end of `kmeans_segment`.
        return re.sub(rf"\b{solution.__name__}\b", solution.__name__.lstrip("_"), text)
    return repr(solution)


def _judge(exercise, attempt):
    if attempt is None or attempt is ...:
        return Result("not attempted")
    if callable(exercise.solution) and not callable(attempt):
        kind = type(attempt).__name__
        return Result("not yet", f"This is a value ({kind}). Give the function or class itself, without calling it.")
    try:
        shows = exercise.verify(_guarded(attempt))
    except NotYet as reason:
        return Result("not yet", str(reason))
    except Exception as error:
        return _explained(error)
    return Result("correct", shows or "")


def _guarded(attempt):
    """The attempted function, working on copies, which it must not change."""
    if not inspect.isroutine(attempt):
        return attempt

    @wraps(attempt)
    def call_on_copies(*args, **kwargs):
        given = _copy((args, kwargs))
        answer = attempt(*given[0], **given[1])
        if not _alike(given, (args, kwargs)):
            raise NotYet(
                f"`{attempt.__name__}` changes what it is given, so its caller has other numbers afterwards. Work on a "
                "copy, as in `x = x.copy()` (`x.clone()` for a tensor), or write what you find into a new array."
            )
        return answer

    return call_on_copies


def _copy(x):
    if isinstance(x, np.ndarray):
        return x.copy()
    if hasattr(x, "detach") and hasattr(x, "clone"):
        return x.clone()
    if isinstance(x, dict):
        return {key: _copy(value) for key, value in x.items()}
    return type(x)(map(_copy, x)) if type(x) in (list, tuple) else x


def _alike(a, b):
    """Are the arrays and tensors in a, wherever they stand in it, those in b?"""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, np.ndarray) or hasattr(a, "detach"):
        return a.shape == b.shape and bool(((a == b) | (a != a)).all())  # NaN is not equal to itself
    return True


def _explained(error):
    frames = traceback.extract_tb(error.__traceback__)
    called = [i for i, frame in enumerate(frames) if frame.name == "call_on_copies"]
    theirs = [frame for frame in frames[called[-1] + 1 if called else 0 :] if _is_theirs(frame)]
    last = theirs[-1] if theirs else None
    # A stub raises it itself; PyTorch raises it too, for what an operator cannot do.
    if isinstance(error, NotImplementedError) and last is frames[-1] and "raise" in (last.line or "raise"):
        return Result("not attempted")
    text = textwrap.shorten(f"{type(error).__name__}: {error}".rstrip(": "), 300, placeholder=" ...")
    if last:
        line = f"line {last.lineno}" + (f", `{last.line}`" if last.line else "")
        return Result("not yet", f"Your code stops with an error in {line}:\n`{text}`")
    what = "function cannot be called" if called else "answer cannot be used"
    return Result("not yet", f"Your {what} as the exercise asks:\n`{text}`")


def _is_theirs(frame):
    """Does the frame lie in the learner's code, not in seglib, Python or another library?"""
    path = Path(frame.filename).resolve()
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    ours = installed or any(path.is_relative_to(folder) for folder in _OURS)
    return not (ours or frame.filename.startswith(("<frozen", "<__array_function__")))


def _to_html(text):
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text)).replace("\n", "<br>")


def _show(plain, rich):
    if get_ipython() is None:
        print(plain)
    else:
        display({"text/plain": plain, "text/html": rich}, raw=True)
