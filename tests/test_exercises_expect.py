"""The functions that compare an answer with the wanted one explain wrong answers and let right ones pass."""

import numpy as np
import pytest
import torch

from seglib.exercises import NotYet, expect_array, expect_choice, expect_none_of, expect_number, expect_shape

W = np.array([[0.25, 0.5], [0.75, 1.0]])
NAN = np.array([1.0, np.nan])


@pytest.mark.parametrize(
    ("got", "want", "message"),
    [
        (None, W, "x is None, wanted a NumPy array. Is the `return` missing?"),
        ((W, W), W, "x is a tuple, wanted a NumPy array. Do you return one thing too many?"),
        (W.tolist(), W, "x is a list, wanted a NumPy array. `np.stack` or `torch.stack` makes one of it."),
        (0.5, W, "x is a number, wanted a NumPy array. Was a sum or mean taken over all axes?"),
        (torch.tensor(W), W, "x is a PyTorch tensor, wanted a NumPy array. `.numpy()` makes one of it."),
        (W, torch.tensor(W), "x is a NumPy array, wanted a PyTorch tensor. Stay with torch's functions."),
        (W[None], W, "x has shape (1, 2, 2), wanted (2, 2). An axis of length 1 is too many."),
        (W, W[..., None], "x has shape (2, 2), wanted (2, 2, 1). An axis of length 1 is missing."),
        (np.ones((2, 3)), np.ones((3, 2)), "x has shape (2, 3), wanted (3, 2). Rows and columns are swapped."),
        (np.ones((2, 3, 4)), np.ones((4, 2, 3)), "The axes are in another order."),
        (W.ravel(), W, "As many numbers, in another arrangement: look at `reshape`."),
        (W[0], W, "It has 1 axes, not 2: over which one did you sum"),
        (np.ones((3, 2)), W, "x has shape (3, 2), wanted (2, 2). Axis 0 has length 3 instead of 2."),
        (W.round().astype(int), W, "x holds integers (int64), wanted real numbers. Was something rounded"),
        (W, W > 0.5, "x holds real numbers (float64), wanted True and False. A comparison"),
        (W > 0.5, np.ones((2, 2), int), "x holds True and False (bool), wanted integers. Labels and counts"),
        (W.T, W, "x[0, 1] is 0.75, wanted 0.5 (wrong in 2 of 4 places): rows and columns are swapped."),
        (W[::-1], W, "it is upside down."),
        (W[:, ::-1], W, "left and right are swapped."),
        (W[0, ::-1], W[0], "the order is reversed."),
        (W * 255, W, "255 times too large"),
        (W / 255, W, "255 times too small"),
        (W * 100, W, "in per cent"),
        (-W, W, "the sign is flipped."),
        (1 - W, W, "it is 1 minus the wanted."),
        (W < 0.6, W > 0.6, "x[0, 0] is True, wanted False (wrong in 4 of 4 places): True and False are swapped."),
        (np.array([0, 1]), np.array([1, 2]), "one too few."),
        (np.array([3, 4]), np.array([2, 3]), "one too many."),
        (W * 2, W, "everything is 2 times the wanted."),
        (W * [[1, 1], [1, 1.1]], W, "x[1, 1] is 1.1, wanted 1 (wrong in 1 of 4 places)."),
        (np.array([1.0, 0.0]), NAN, "x[1] is 0, wanted NaN (wrong in 1 of 2 places): nothing is defined there"),
        (NAN, np.array([1.0, 0.0]), "x[1] is NaN, wanted 0 (wrong in 1 of 2 places): NaN comes from 0/0."),
        (np.array([0.25, np.inf]), W[0], "something was divided by 0."),
        (np.array([1e-9, 5e-9]), np.array([1e-9, 2e-9]), "x[1] is 5e-09, wanted 2e-09"),
    ],
)
def test_a_wrong_array_is_explained(got, want, message):
    with pytest.raises(NotYet) as caught:
        expect_array("x", got, want)
    assert message in str(caught.value)
    assert str(caught.value).startswith("x")


@pytest.mark.parametrize("got", [W, W.astype(np.float32), W + 1e-7, torch.tensor(W), torch.tensor(W).bfloat16()])
def test_a_right_array_passes(got):
    expect_array("x", got, torch.tensor(W) if torch.is_tensor(got) else W)
    expect_array("x", NAN, NAN.copy())
    expect_array("x", np.array([1, 0], np.uint8), np.array([1, 0]))


@pytest.mark.parametrize(
    ("got", "message"),
    [
        (0.2501, "x is 0.2501, wanted 0.25."),
        ("0.25", "x is the text '0.25', wanted a number."),
        (True, "x is True, wanted a number."),
        (len, "x is a function, wanted a number."),
        (torch.tensor([0.25]), "x has shape (1,), wanted one number. `.item()` takes it out."),
        (W, "x has shape (2, 2), wanted one number. Is a sum or mean missing?"),
    ],
)
def test_a_wrong_number_is_explained(got, message):
    with pytest.raises(NotYet) as caught:
        expect_number("x", got, 0.25)
    assert message in str(caught.value)


@pytest.mark.parametrize("got", [0.25, np.float32(0.25), torch.tensor(0.25, requires_grad=True), np.array(0.25)])
def test_a_right_number_passes(got):
    expect_number("x", got, 0.25)
    expect_number("x", float("nan"), np.nan)


def test_shapes_are_explained_for_arrays_and_tensors():
    expect_shape("x", torch.zeros(2, 3), (2, 3))
    expect_shape("x", np.zeros((2, 3)), [2, 3])
    with pytest.raises(NotYet, match=r"x has shape \(2, 4\), wanted \(2, 3\). Axis 1 has length 4 instead of 3."):
        expect_shape("x", torch.zeros(2, 4), (2, 3))
    with pytest.raises(NotYet, match=r"x is None, wanted a NumPy array or a PyTorch tensor. Is the `return` missing"):
        expect_shape("x", None, (2, 3))


def test_the_usual_wrong_answers_are_explained():
    wrong = {"rows and columns are swapped": W.T, "this is the mean": W.mean()}
    for got, why in [(W.T, "rows and columns are swapped"), (torch.tensor(W.T), "rows"), (0.625, "this is the mean")]:
        with pytest.raises(NotYet, match=f"^x: {why}.*"):
            expect_none_of("x", got, wrong)
    for other in (W, W.T + 1e-3, W.T.ravel(), W.T.tolist(), None):
        expect_none_of("x", other, wrong)


def test_choices_are_explained():
    wrong = {"A": "Accuracy counts the sky.", "C": "Dice counts twice."}
    for right in ("B", "b", " b "):
        expect_choice(right, "B", wrong)
    with pytest.raises(NotYet, match="Dice counts twice"):
        expect_choice("c", "B", wrong)
    for other, described in [("d", "the text 'd'"), (2, "a number"), (["b"], "a list"), (None, "None")]:
        with pytest.raises(NotYet, match=f"one of 'A', 'B', 'C'; you gave {described}"):
            expect_choice(other, "B", wrong)
