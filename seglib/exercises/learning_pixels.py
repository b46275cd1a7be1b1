"""Exercises of lesson 05, learning pixels."""

from functools import cache

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from torch.nn import functional as F

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape
from seglib.exercises._pixel_mistakes import (
    VOID,
    after_steps,
    alike,
    expect_slopes,
    explain_step,
    judge_folds,
    wrong_slopes,
)
from seglib.metrics import confusion_matrix, iou
from seglib.scenes import Cells
from seglib.transforms import Standardize


def _conv2d(x, k, stride, padding):
    x, k = (torch.tensor(np.array(array, float))[None, None] for array in (x, k))
    return F.conv2d(x, k, stride=stride, padding=padding)[0, 0].numpy()


def _strided(x, k, stride, padding):
    x = np.pad(x, padding)
    height = (x.shape[0] - k.shape[0]) // stride + 1
    width = (x.shape[1] - k.shape[1]) // stride + 1
    y = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            y[i, j] = (k * x[top : top + k.shape[0], left : left + k.shape[1]]).sum()
    return y


@exercise(
    "Pad first with `np.pad(x, padding)`; then only the stride is new.",
    "Place (i, j) of the result looks at rows from `i * stride` and columns from `j * stride`.",
    "How many places fit? `(padded height - kernel height) // stride + 1`, and the same for the width.",
    solution=_strided,
)
def q1(strided):
    rng = np.random.default_rng(5)
    x, k = rng.integers(1, 10, (7, 9)).astype(float), rng.integers(-4, 5, (3, 3)).astype(float)
    name, got, want = "`strided(x, k, 1, 0)`", strided(x, k, 1, 0), _conv2d(x, k, 1, 0)
    expect_shape(f"For x (7, 9) and k (3, 3), {name}", got, want.shape)
    turned = {
        "you turn the kernel by 180°, as mathematics does. Networks leave it as it is": k[::-1, ::-1],
        "the kernel's rows and columns are swapped": k.T,
        "the kernel is mirrored. Networks leave it as it is": k[:, ::-1],
        "the kernel is upside down. Networks leave it as it is": k[::-1],
    }
    expect_none_of(name, got, {why: _conv2d(x, kernel, 1, 0) for why, kernel in turned.items()})
    expect_array(name, got, want)
    name, got, want = "With padding 1, `strided(x, k, 1, 1)`", strided(x, k, 1, 1), _conv2d(x, k, 1, 1)
    expect_shape(f"{name} for x (7, 9)", got, want.shape)
    wrong = {
        "you repeat the picture's frame outside. Zeros are wanted there": _conv2d(np.pad(x, 1, "edge"), k, 1, 0),
        "you mirror the picture outside. Zeros are wanted there": _conv2d(np.pad(x, 1, "reflect"), k, 1, 0),
        "the zeros are laid around the result. They belong around x": np.pad(_conv2d(x, k, 1, 0), 1),
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    name, got, want = "With stride 2 and padding 1, `strided(x, k, 2, 1)`", strided(x, k, 2, 1), _conv2d(x, k, 2, 1)
    if np.shape(got) == (7, 9):
        raise NotYet("The stride changes nothing. With stride 2 the kernel takes every second place: (4, 5) is wanted.")
    expect_shape(f"{name} for x (7, 9)", got, want.shape)
    near = _conv2d(x, k, 1, 1)
    wrong = {
        "the shape is right, but the window moves on by 1: rows from `i * stride`, columns from `j * stride`": near[
            :4, :5
        ],
        "the window moves down by the stride, but to the right by 1": near[::2, :5],
        "the window moves to the right by the stride, but down by 1": near[:4, ::2],
        "you drop every second pixel, then convolve. All of them count: move the window by 2 instead": _conv2d(
            x[::2, ::2], k, 1, 1
        ),
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    for kernel in (rng.normal(size=(4, 2)), rng.normal(size=(2, 5)), np.ones((1, 1))):
        for stride, padding in ((1, 0), (3, 2)):
            name = f"For x (7, 9) and a kernel {kernel.shape}, `strided(x, k, {stride}, {padding})`"
            got, want = _of_sides(strided, name, x, kernel, stride, padding), _conv2d(x, kernel, stride, padding)
            _expect_sides(name, got, want, x, kernel, stride, padding)
            expect_array(name, got, want)
    x, k = rng.normal(size=(6, 5)), np.array([[-1, 0, 1]] * 3)
    name, want = "For x of real numbers and k of integers, `strided(x, k, 1, 0)`", _conv2d(x, k, 1, 0)
    expect_array(name, strided(x, k, 1, 0), want)
    photo, k = rng.integers(0, 256, (6, 5), np.uint8), np.array([[-1, 0, 1]] * 3)
    got = strided(photo, k, 1, 0)
    if isinstance(got, np.ndarray) and got.dtype.kind in "iu":  # whole numbers are right here
        got = got.astype(float)
    why = "numbers below 0 come out as large ones. In an array of the picture's own type, uint8, -1 becomes 255"
    name, want = "For x of uint8, as a file gives it, `strided(x, k, 1, 0)`", _conv2d(photo, k, 1, 0)
    expect_none_of(name, got, {why: want % 256})
    products = np.lib.stride_tricks.sliding_window_view(photo, k.shape) * k.astype(np.uint8)
    expect_none_of(name, got, {"the kernel is turned into uint8: its -1 becomes 255": products.sum((2, 3))})
    expect_array(name, got, want)
    return "A stride of 2 is a convolution that forgets every second place: another way to make maps smaller."


def _of_sides(strided, name, x, k, stride, padding):
    """What `strided` gives; a kernel that does not fit into the window that was cut is explained."""
    try:
        return strided(x, k, stride, padding)
    except ValueError as error:
        if "broadcast" not in str(error):
            raise
        raise NotYet(
            f"{name} multiplies arrays of unequal shape ({error}). {_TWO_SIDES} If both are right, the last window "
            "sticks out of the padded picture: are there too many places?"
        ) from None


_TWO_SIDES = "A kernel has two sides: `k.shape[0]` belongs to the rows, `k.shape[1]` to the columns."


def _expect_sides(name, got, want, x, k, stride, padding):
    sizes = [tuple((length + 2 * padding - side) // stride + 1 for length in x.shape) for side in k.shape]
    if np.shape(got) in sizes and np.shape(got) != want.shape:
        raise NotYet(f"{name} has shape {np.shape(got)}, wanted {want.shape}. {_TWO_SIDES}")
    expect_shape(name, got, want.shape)


def _weight_slopes(W1, W2, x, true_class):
    a = W1 @ x
    h = np.maximum(a, 0)
    p = np.exp(W2 @ h) / np.exp(W2 @ h).sum()
    slope_z = p - np.eye(len(p))[true_class]  # rule 1
    slope_h = W2.T @ slope_z  # rule 2
    slope_a = slope_h * (a > 0)  # rule 3
    return np.outer(slope_a, x), np.outer(slope_z, h)  # rule 4


@exercise(
    "Go forward first, and keep a, h and p: the way back needs them all.",
    "`np.eye(len(p))[true_class]` is y. Rule 2 for all of h at once: `W2.T @ slope_z`.",
    "`a > 0` is where ReLU is open. `np.outer(slope, number)` has a row for each slope.",
    solution=_weight_slopes,
)
def q2(weight_slopes):
    rng = np.random.default_rng(2)
    for inputs, hidden, classes, true_class in ((2, 3, 2, 1), (4, 5, 3, 0), (4, 5, 3, 2)):
        W1, W2 = rng.normal(size=(hidden, inputs)), rng.normal(size=(classes, hidden))
        x = W1[0] - W1[1]  # opens the first ReLU or shuts the second
        W1[4:] = 0  # gives the last of five exactly 0
        name = f"`weight_slopes(W1, W2, x, {true_class})` for W1 {W1.shape} and W2 {W2.shape}"
        tensors = [torch.tensor(weights, requires_grad=True) for weights in (W1, W2)]
        logits = tensors[1] @ (tensors[0] @ torch.tensor(x)).relu()
        F.cross_entropy(logits[None], torch.tensor([true_class])).backward()
        want, wrong = [weights.grad.numpy() for weights in tensors], wrong_slopes(W1, W2, x, true_class)
        expect_slopes(name, weight_slopes(W1, W2, x, true_class), want, wrong)
    return "Autograd gives the same numbers. It does this for every layer of a network, whatever its depth."


def _folds(groups, k):
    pictures = np.unique(groups)
    pairs = []
    for number in range(k):
        inside = np.isin(groups, pictures[number::k])
        pairs.append((np.flatnonzero(~inside), np.flatnonzero(inside)))
    return pairs


@exercise(
    "What must be split: tiles, or pictures?",
    "`np.unique(groups)` lists the pictures; `pictures[number::k]` is one k-th of them.",
    "`np.isin(groups, some_pictures)` says which tiles belong to them; `np.flatnonzero` gives their places.",
    solution=_folds,
)
def q3(folds):
    # tile i comes from picture groups[i]; 0 is one more picture, and so is one with gaps before it, or a name
    judge_folds("folds(groups, 3)", folds, np.array([3, 3, 0, 0, 0, 1, 2, 2, 4, 4, 5, 1]), 3)
    judge_folds("folds(groups, 2)", folds, np.array([907, 907, 12, 44, 44, 44, 12, 300, 5]), 2)
    judge_folds('folds(np.array(["ann", "bob", ...]), 3)', folds, np.array(["ann", "bob", "cy", "ann", "cy"]), 3)
    for pictures in (6, 11):  # in 4 folds: neither an empty one nor one that takes the rest
        judge_folds(f"folds(np.tile(np.arange({pictures}), 2), 4)", folds, np.tile(np.arange(pictures), 2), 4)
    return "scikit-learn calls it GroupKFold. Patients, slides, videos: whatever is alike is one group."


def _repaired_step(net, images, masks, optimizer):
    net.train()
    loss = F.cross_entropy(net(images), masks, ignore_index=255)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@exercise(
    "Compare it line by line with `one_step` and `learn` in the lesson: what differs, which lines are missing?",
    "In which mode must batch norm be? What does cross-entropy expect: logits or probabilities? What is 255?",
    "`net.train()`, no softmax, `ignore_index=255`, and `optimizer.zero_grad()` before `backward()`.",
    solution=_repaired_step,
)
def q4(repaired_step):
    try:
        values, state, calls = after_steps(repaired_step)
    except IndexError as error:
        if "255" in str(error):
            raise NotYet(next(iter(VOID))) from None
        raise
    for value in values:
        if isinstance(value, torch.Tensor) and value.requires_grad:
            raise NotYet("`repaired_step(...)` returns a tensor that still hangs on its network: `loss.item()`.")
        expect_number("what `repaired_step(...)` returns", value, value)
    losses, right, _ = after_steps(_repaired_step)
    if "step" not in calls or not alike(state, right):
        explain_step(state, calls, right)
    if not np.allclose([float(value) for value in values], losses, rtol=1e-3):
        raise NotYet(
            f"The weights move rightly, but the first step returns {float(values[0]):.4g}, and the loss was "
            f"{losses[0]:.4g}."
        )
    return "Four bugs, and none of them raises an error. Curves and small checks are all you have."


AIM = 0.66  # IoU; brightness alone reaches 0.56


@cache
def _nuclei():
    return list(Cells(100, size=64, seed=21, transform=Standardize()))


def feature_score(features):
    """IoU on 50 pictures of nuclei of a small random forest that learned on 50 others from ``features(image)``.

    ``features`` takes a standardised picture (H, W) and gives (H, W, F), F at most 8.
    """
    values, masks = [], [sample["mask"].flatten().numpy() for sample in _nuclei()]
    for sample in _nuclei():
        found = np.asarray(features(sample["image"][0].numpy().copy()))
        if found.ndim != 3 or found.shape[:2] != (64, 64) or not 1 <= found.shape[2] <= 8:
            raise NotYet(f"`features(image)` has shape {found.shape}, wanted (64, 64, F) with F from 1 to 8.")
        if not np.isfinite(found).all():
            raise NotYet("`features(image)` holds NaN or infinity: is something divided by 0?")
        values.append(found.reshape(64 * 64, -1))
    part, depth = np.shape(features(_nuclei()[0]["image"][0, :40, :56].numpy().copy())), values[0].shape[1]
    if part != (40, 56, depth):
        raise NotYet(f"For a picture (40, 56), `features(image)` has shape {part}, wanted (40, 56, {depth}).")
    rng = np.random.default_rng(0)
    chosen = [rng.choice(64 * 64, 200, replace=False) for _ in range(50)]
    forest = RandomForestClassifier(20, min_samples_leaf=5, random_state=0)
    forest.fit(
        np.concatenate([values[i][places] for i, places in enumerate(chosen)]),
        np.concatenate([masks[i][places] for i, places in enumerate(chosen)]),
    )
    found = forest.predict(np.concatenate(values[50:]))
    return float(iou(confusion_matrix(found, np.concatenate(masks[50:]), 2))[1])


def _features(image):
    from scipy import ndimage

    blurred = [ndimage.gaussian_filter(image, sigma) for sigma in (0.7, 1.5, 3, 6, 12)]
    edges = ndimage.gaussian_gradient_magnitude(image, 1)
    return np.dstack([*blurred, edges, ndimage.gaussian_laplace(image, 2), ndimage.gaussian_laplace(image, 4)])


@exercise(
    "A noisy pixel looks clearer when its neighbours have a say. And bright compared with what?",
    "`scipy.ndimage.gaussian_filter` at several sigmas: the neighbourhood, small and large.",
    "Add `gaussian_gradient_magnitude` (edges) and `gaussian_laplace` (blobs of a size); `np.dstack` joins maps.",
    solution=_features,
)
def q5(features):
    reached = feature_score(features)
    if reached < AIM:
        raise NotYet(
            f"The forest reaches an IoU of {reached:.3f} on new pictures with your features; {AIM} is wanted. What "
            "does a person look at, beyond the pixel's own brightness?"
        )
    return f"IoU {reached:.3f}. Hand-made features are good, and each one cost you a thought; a network finds its own."
