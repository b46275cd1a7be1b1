"""Compare an answer with the wanted one and say, in the learner's terms, what is wrong with it.

`name` is what was computed, as the learner knows it: "`my_iou(a, b)`".
"""

import ast
import inspect
import numbers
import textwrap

import numpy as np

from seglib.arrays import to_numpy

_ARRAY, _TENSOR, _NUMBER = "a NumPy array", "a PyTorch tensor", "a number"
_KINDS = {"b": "True and False", "i": "integers", "u": "integers", "f": "real numbers"}


class NotYet(Exception):
    """Raised by an exercise's check: the attempt is wrong, and the message says why."""


def expect_array(name, got, want, tolerance=1e-5):
    """Raise NotYet unless `got` equals `want` in type, shape, kind of numbers and values.

    Parameters
    ----------
    name : str
    got : object
    want : NumPy array or PyTorch tensor
        NaN equals NaN. Integers of all sizes count as one kind, so do floats.
    tolerance : float
        Largest difference, relative to the largest finite value wanted.
    """
    _expect_kind(name, got, [_described(want)])
    expect_shape(name, got, want.shape)
    got, want = to_numpy(got), to_numpy(want)
    if _KINDS.get(got.dtype.kind) != _KINDS[want.dtype.kind]:
        advice = {
            "b": "A comparison such as `x > 0.5` gives them.",
            "f": "Was something rounded or cut off, or stored in an array of integers?",
        }.get(want.dtype.kind, "Labels and counts are whole numbers.")
        holds = _KINDS.get(got.dtype.kind, "neither numbers nor True and False")
        raise NotYet(f"{name} holds {holds} ({got.dtype}), wanted {_KINDS[want.dtype.kind]}. {advice}")
    _expect_values(name, got, want, tolerance)


def expect_number(name, got, want, tolerance=1e-5):
    """Raise NotYet unless `got` is one number equal to `want`, up to a relative tolerance; NaN equals NaN.

    Numbers of Python and NumPy, and arrays and tensors without axes are numbers; True and False are not.
    """
    if _described(got) in (_ARRAY, _TENSOR):
        got = to_numpy(got)
        if got.ndim > 0:
            advice = "`.item()` takes it out." if got.size == 1 else "Is a sum or mean missing?"
            raise NotYet(f"{name} has shape {got.shape}, wanted one number. {advice}")
        got = got[()]
    _expect_kind(name, got, [_NUMBER])
    _expect_values(name, np.asarray(got), np.asarray(want), tolerance)


def expect_shape(name, got, shape):
    """Raise NotYet unless `got` is an array or tensor of this shape."""
    _expect_kind(name, got, [_ARRAY, _TENSOR])
    has, shape = tuple(got.shape), tuple(shape)
    if has == shape:
        return
    if [n for n in has if n != 1] == [n for n in shape if n != 1]:
        advice = f"An axis of length 1 is {'too many' if len(has) > len(shape) else 'missing'}."
    elif len(has) == len(shape) == 2 and has == shape[::-1]:
        advice = "Rows and columns are swapped."
    elif sorted(has) == sorted(shape):
        advice = "The axes are in another order."
    elif np.prod(has) == np.prod(shape):
        advice = "As many numbers, in another arrangement: look at `reshape`."
    elif len(has) != len(shape):
        advice = f"It has {len(has)} axes, not {len(shape)}: over which one did you sum, stack or index?"
    else:
        axis = next(i for i, (a, b) in enumerate(zip(has, shape, strict=True)) if a != b)
        advice = f"Axis {axis} has length {has[axis]} instead of {shape[axis]}."
    raise NotYet(f"{name} has shape {has}, wanted {shape}. {advice}")


def expect_none_of(name, got, wrong, tolerance=1e-5):
    """Raise NotYet with the reason if `got` is one of the usual wrong answers.

    Parameters
    ----------
    name : str
    got : object
    wrong : dict of str -> number, array or tensor
        What is wrong with it, as a clause without a full stop, and the answer that this mistake gives.
    tolerance : float
        Relative and absolute.
    """
    if _described(got) not in (_ARRAY, _TENSOR, _NUMBER):
        return
    got = to_numpy(got)
    if got.dtype.kind not in _KINDS:  # objects and texts, which `np.allclose` cannot compare
        return
    for why, value in wrong.items():
        value = to_numpy(value)
        if got.shape == value.shape and np.allclose(got, value, rtol=tolerance, atol=tolerance, equal_nan=True):
            raise NotYet(f"{name}: {why}.")


def expect_choice(got, right, wrong):
    """Raise NotYet unless `got` is the right one of several choices, in capitals or not.

    Parameters
    ----------
    got : object
    right : str
    wrong : dict of str -> str
        Every other choice, and why it is not the answer.
    """
    choices = {choice.casefold(): choice for choice in sorted([right, *wrong])}
    answer = choices.get(got.strip().casefold()) if isinstance(got, str) else None
    if answer is None:
        raise NotYet(f"Answer with one of {', '.join(map(repr, choices.values()))}; you gave {_described(got)}.")
    if answer != right:
        raise NotYet(wrong[answer])


def _expect_values(name, got, want, tolerance):
    known = np.abs(want[np.isfinite(want)].astype(float))
    margin = tolerance * (known.max(initial=0) or 1)
    same = np.isclose(got, want, rtol=0, atol=margin, equal_nan=True)
    if same.all():
        return
    place = tuple(map(int, np.argwhere(~same)[0]))
    has, wanted = _written(got[place], want[place])
    if place:
        text = f"{name}{list(place)} is {has}, wanted {wanted} (wrong in {(~same).sum()} of {same.size} places)"
    else:
        text = f"{name} is {has}, wanted {wanted}"
    if np.isnan(want[place]):
        reason = "nothing is defined there (0/0), and NaN says so"
    elif np.isnan(got[place]):
        reason = "NaN comes from 0/0"
    elif np.isinf(got[place]):
        reason = "something was divided by 0"
    else:
        reason = _reason(got, want, margin)
    raise NotYet(f"{text}: {reason}." if reason else f"{text}.")


def _reason(got, want, margin):
    """The one simple change that would turn `got` into `want`, if there is one."""
    changes = {"True and False are swapped" if got.dtype == bool else "it is 1 minus the wanted": 1 - got.astype(float)}
    if got.dtype.kind in "iu" and want.dtype.kind in "iu":
        changes |= {"one too few": got + 1, "one too many": got - 1}
    got, want = got.astype(float), want.astype(float)
    changes |= {
        "the sign is flipped": -got,
        "it is 255 times too large, as if 0..255 were not yet 0..1": got / 255,
        "it is 255 times too small, as if 0..1 were wanted and not 0..255": got * 255,
        "it is in per cent, wanted a share of 1": got / 100,
    }
    if got.ndim == 1:
        changes["the order is reversed"] = got[::-1]
    if got.ndim == 2:
        changes |= {"it is upside down": got[::-1], "left and right are swapped": got[:, ::-1]}
        changes["rows and columns are swapped"] = got.T
    for reason, changed in changes.items():
        if changed.shape == want.shape and np.allclose(changed, want, rtol=0, atol=margin, equal_nan=True):
            return reason
    there = np.isfinite(got) & np.isfinite(want) & (np.abs(want) > margin)
    factor = (got[there] / want[there]).mean() if there.sum() > 1 else 1
    if factor and np.allclose(got / factor, want, rtol=0, atol=margin, equal_nan=True):
        return f"everything is {factor:.4g} times the wanted"
    return ""


def _written(got, want):
    """Both numbers, in as few digits as tell them apart."""
    for digits in (4, 7, 17):
        texts = [f"{x:.{digits}g}".replace("nan", "NaN") if x.dtype.kind == "f" else str(x) for x in (got, want)]
        if texts[0] != texts[1]:
            break
    return texts


def _expect_kind(name, got, wanted):
    kind = _described(got)
    if kind in wanted:
        return
    if got is None:
        advice = " Is the `return` missing?"
    elif isinstance(got, tuple):
        advice = " Do you return one thing too many?"
    elif wanted == [_NUMBER]:
        advice = ""
    else:
        advice = {
            _TENSOR: " `.numpy()` makes one of it.",
            _ARRAY: " Stay with torch's functions.",
            _NUMBER: " Was a sum or mean taken over all axes?",
            "a list": " `np.stack` or `torch.stack` makes one of it.",
        }.get(kind, "")
    raise NotYet(f"{name} is {kind}, wanted {' or '.join(wanted)}.{advice}")


def _described(x):
    if x is None or isinstance(x, bool | np.bool_):
        return str(x)
    if isinstance(x, str):
        return f"the text {x!r}"
    if isinstance(x, numbers.Real):
        return _NUMBER
    if hasattr(x, "detach"):
        return _TENSOR
    if isinstance(x, np.ndarray):
        return _ARRAY
    return "a function" if inspect.isroutine(x) else f"a {type(x).__name__}"


def has_loops(function):
    """Whether the function, or one of its own module that it calls, has a loop or a comprehension or calls itself.

    False where the source can't be read.
    """
    function = inspect.unwrap(function)
    if not inspect.isfunction(function):
        return False
    called = [function.__globals__.get(name) for name in function.__code__.co_names]
    near = [each for each in called if inspect.isfunction(each) and each.__module__ == function.__module__]
    return function in near or any(map(_loops_in, [function, *near]))


def _loops_in(function):
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # typed into a bare interpreter
        return False
    return any(isinstance(node, ast.For | ast.While | ast.comprehension) for node in ast.walk(tree))
