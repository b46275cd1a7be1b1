"""Answers to the exercises of lesson 05, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from scipy import ndimage
from sklearn.model_selection import GroupKFold
from torch.nn import functional as F

from seglib.exercises.learning_pixels import q1, q2, q3, q4

KEEPS_SLOPES = ("    optimizer.zero_grad()\n", "")
SOFTMAX = ("net(images)", "net(images).softmax(1)")
EVALUATES = ("    net.train()\n", "")

WRONG = {
    "q1": [
        mutation(q1.solution, ("    x = np.pad", "    k = k[::-1, ::-1]\n    x = np.pad")),
        mutation(q1.solution, ("    x = np.pad", "    stride = 1\n    x = np.pad")),
        mutation(q1.solution, ("np.pad(x, padding)", "x")),
        mutation(q1.solution, ("np.pad(x, padding)", 'np.pad(x, padding, "edge")')),
        mutation(q1.solution, ("(x.shape[0] - k.shape[0]) // stride + 1", "(x.shape[0] - k.shape[0] + 1) // stride")),
        mutation(  # one side of the kernel for both
            q1.solution,
            ("(x.shape[1] - k.shape[1])", "(x.shape[1] - k.shape[0])"),
            ("left : left + k.shape[1]", "left : left + k.shape[0]"),
        ),
        mutation(q1.solution, ("x.shape[1] - k.shape[1]", "x.shape[1] - k.shape[0]")),
        mutation(q1.solution, ("top : top + k.shape[0]", "top : top + k.shape[1]")),
        mutation(q1.solution, ("np.zeros((height, width))", "np.zeros((height, width), x.dtype)")),
        mutation(q1.solution, ("np.zeros((height, width))", "np.zeros((height, width), int)")),
    ],
    "q2": [
        mutation(q2.solution, ("        jump *= 2\n", "")),
        lambda view: max(0, int(np.ceil(np.log2(view)))),  # counts powers of two
        mutation(q2.solution, ("field < view", "field <= view")),
        mutation(q2.solution, ("    return poolings\n", "")),
    ],
    "q3": [
        mutation(q3.solution, ("np.isin(groups, pictures[number::k])", "np.arange(len(groups)) % k == number")),
        mutation(q3.solution, ("return pairs", "return pairs[:1]")),
        mutation(q3.solution, ("np.flatnonzero(~inside)", "np.arange(len(groups))")),
        mutation(q3.solution, ("(np.flatnonzero(~inside), np.flatnonzero(inside))", "(~inside, inside)")),
        mutation(q3.solution, ("pictures[number::k]", "[number]")),
        mutation(q3.solution, ("pictures[number::k]", "([0, 1, 2, 5], [3], [4])[number]")),
        mutation(q3.solution, ("np.unique(groups)", "np.arange(max(groups) + 1)")),  # names without gaps
        mutation(q3.solution, ("np.isin(groups, pictures[number::k])", "np.asarray(groups) % k == number")),
    ],
    "q4": [
        mutation(q4.solution, KEEPS_SLOPES),
        mutation(q4.solution, SOFTMAX),
        mutation(q4.solution, EVALUATES),
        mutation(q4.solution, (", ignore_index=255", "")),
        mutation(q4.solution, ("    optimizer.step()\n", "")),
        mutation(q4.solution, KEEPS_SLOPES, SOFTMAX),
        mutation(q4.solution, SOFTMAX, EVALUATES),
        mutation(q4.solution, ("masks, ignore", "masks.clamp(max=1), ignore"), KEEPS_SLOPES),
        mutation(q4.solution, ("loss.item()", "0.0")),
    ],
    "q5": [
        lambda image: image[..., None],  # brightness
        lambda image: np.dstack(np.indices(image.shape)),  # place only
        lambda image: np.dstack([ndimage.gaussian_filter(image, sigma) for sigma in range(1, 12)]),  # too many
        lambda image: np.stack([image.ravel(), image.ravel()], axis=1),  # flat
        lambda image: np.dstack([image, np.where(image > 0, image, np.nan)]),  # divides by zero
    ],
}


def by_pytorch(x, k, stride, padding):
    x, k = (torch.tensor(np.asarray(array, np.float32))[None, None] for array in (x, k))
    return F.conv2d(x, k, stride=stride, padding=padding)[0, 0].numpy()


def by_windows(x, k, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, padding), k.shape)
    return (windows[::stride, ::stride] * k).sum((2, 3))


def by_scikit_learn(groups, k):
    return GroupKFold(k).split(groups, groups=groups)


def lists_of_places(groups, k):
    names = sorted(set(groups))
    parts = [set(names[number::k]) for number in range(k)]
    return [
        ([i for i, g in enumerate(groups) if g not in part], [i for i, g in enumerate(groups) if g in part])
        for part in parts
    ]


def closed_form(view):
    return 0 if view <= 5 else int(np.ceil(np.log2((view + 4) / 9)))


def zeroed_first(net, images, masks, optimizer):
    net.train(True)
    net.zero_grad()
    logits = net(images)
    counted = masks != 255
    loss = -logits.log_softmax(1).gather(1, masks.where(counted, 0)[:, None])[:, 0][counted].mean()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


RIGHT = {
    "q1": [by_pytorch, by_windows],
    "q2": [closed_form],
    "q3": [by_scikit_learn, lists_of_places],
    "q4": [zeroed_first],
}
