"""Answers to the exercises of lesson 05, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from scipy import ndimage
from scipy.signal import correlate2d
from sklearn.model_selection import GroupKFold
from torch.nn import functional as F

from seglib.exercises.learning_pixels import q1, q2, q3, q4, q5

KEEPS_SLOPES = ("    optimizer.zero_grad()\n", "")
SOFTMAX = ("net(images)", "net(images).softmax(1)")
EVALUATES = ("    net.train()\n", "")

BY_HAND = "    with torch.no_grad():\n        for w in net.parameters():\n            w -= 0.5 * w.grad\n"
BOTH = "(np.flatnonzero(~inside), np.flatnonzero(inside))"


def rounded_up(groups, k):
    names = list(dict.fromkeys(groups.tolist()))
    many = -(-len(names) // k)
    return by_parts(groups, [names[number * many : (number + 1) * many] for number in range(k)])


def rest_in_the_last(groups, k):
    names = list(dict.fromkeys(groups.tolist()))
    many = len(names) // k
    parts = [names[number * many : (number + 1) * many] for number in range(k - 1)]
    return by_parts(groups, [*parts, names[(k - 1) * many :]])


def by_parts(groups, parts):
    inside = [np.isin(groups, part) if part else np.zeros(len(groups), bool) for part in parts]
    return [(np.flatnonzero(~tiles), np.flatnonzero(tiles)) for tiles in inside]


def loss_afterwards(net, images, masks, optimizer):
    q4.solution(net, images, masks, optimizer)
    return F.cross_entropy(net(images), masks, ignore_index=255).item()


def every_second_pixel(x, k, stride, padding):
    return q1.solution(x[::stride, ::stride], k, 1, padding)


def zeros_around_the_result(x, k, stride, padding):
    return np.pad(q1.solution(x, k, stride, 0), padding)


def always_64(image):
    maps = np.zeros((64, 64, 8))
    maps[: image.shape[0], : image.shape[1]] = q5.solution(image)
    return maps


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
        mutation(q1.solution, ("np.zeros((height, width))", "np.zeros((height, width), k.dtype)")),
        mutation(q1.solution, ("    x = np.pad", "    x = x.astype(int)\n    x = np.pad")),
        mutation(q1.solution, ("    x = np.pad", "    k = k.T\n    x = np.pad")),
        mutation(q1.solution, ("    x = np.pad", "    k = k[:, ::-1]\n    x = np.pad")),
        mutation(q1.solution, ("    x = np.pad", "    k = k[::-1]\n    x = np.pad")),
        mutation(q1.solution, ("    x = np.pad", "    k = k.astype(x.dtype)\n    x = np.pad")),
        mutation(q1.solution, ("np.pad(x, padding)", 'np.pad(x, padding, "reflect")')),
        mutation(q1.solution, ("i * stride, j * stride", "i, j")),
        mutation(q1.solution, ("i * stride, j * stride", "i * stride, j")),
        mutation(q1.solution, ("i * stride, j * stride", "i, j * stride")),
        mutation(q1.solution, ("(x.shape[1] - k.shape[1]) // stride", "-(-(x.shape[1] - k.shape[1]) // stride)")),
        mutation(q1.solution, ("top : top + k.shape[0], left : left + k.shape[1]", "top : top + 3, left : left + 3")),
        every_second_pixel,
        zeros_around_the_result,
    ],
    "q2": [
        mutation(q2.solution, ("p - np.eye(len(p))[true_class]", "np.eye(len(p))[true_class] - p")),
        mutation(q2.solution, ("p - np.eye(len(p))[true_class]", "p")),
        mutation(q2.solution, ("p - np.eye(len(p))[true_class]", "W2 @ h - np.eye(len(p))[true_class]")),
        mutation(q2.solution, (" * (a > 0)", "")),
        mutation(q2.solution, ("(a > 0)", "(a >= 0)")),
        mutation(q2.solution, ("(a > 0)", "h")),
        mutation(q2.solution, ("np.outer(slope_z, h)", "np.outer(slope_z, a)")),
        mutation(
            q2.solution, ("np.outer(slope_a, x), np.outer(slope_z, h)", "np.outer(x, slope_a), np.outer(h, slope_z)")
        ),
        mutation(
            q2.solution, ("np.outer(slope_a, x), np.outer(slope_z, h)", "np.outer(slope_z, h), np.outer(slope_a, x)")
        ),
        mutation(q2.solution, ("return np.outer(slope_a, x), ", "return ")),
        mutation(q2.solution, ("W2.T @ slope_z", "np.abs(W2.T) @ slope_z")),
        mutation(q2.solution, ("np.outer(slope_z, h)", "-np.outer(slope_z, h)")),
        mutation(q2.solution, (" / np.exp(W2 @ h).sum()", "")),
        mutation(q2.solution, ("np.exp(W2 @ h) / np.exp(W2 @ h).sum()", "1 / (1 + np.exp(-(W2 @ h)))")),
        mutation(q2.solution, ("np.maximum(a, 0)", "a")),
        mutation(q2.solution, ("np.maximum(a, 0)", "a"), (" * (a > 0)", "")),
        mutation(q2.solution, ("np.maximum(a, 0)", "np.abs(a)")),
        mutation(q2.solution, ("p - np.eye(len(p))[true_class]", "-np.eye(len(p))[true_class] / p")),
        mutation(q2.solution, ("p - np.eye(len(p))[true_class]", "(p - np.eye(len(p))[true_class]) / len(p)")),
        mutation(q2.solution, ("[true_class]", "[0]")),
        mutation(q2.solution, ("[true_class]", "[1]")),
        mutation(q2.solution, ("[true_class]", "[-1]")),
        mutation(q2.solution, ("W2.T @ slope_z", "W2 @ slope_z")),
    ],
    "q3": [
        rounded_up,
        rest_in_the_last,
        mutation(q3.solution, (BOTH, "(np.repeat(np.flatnonzero(~inside), 2), np.flatnonzero(inside))")),
        mutation(q3.solution, ("~inside", "np.arange(len(groups)) < np.flatnonzero(inside)[0]")),
        mutation(q3.solution, (BOTH, "(np.flatnonzero(~inside) + 1, np.flatnonzero(inside) + 1)")),
        mutation(q3.solution, ("np.isin(groups, pictures[number::k])", "np.arange(len(groups)) % k == number")),
        mutation(q3.solution, ("return pairs", "return pairs[:1]")),
        mutation(q3.solution, ("np.flatnonzero(~inside)", "np.arange(len(groups))")),
        mutation(q3.solution, ("(np.flatnonzero(~inside), np.flatnonzero(inside))", "(~inside, inside)")),
        mutation(q3.solution, ("pictures[number::k]", "[number]")),
        mutation(q3.solution, ("pictures[number::k]", "([0, 1, 2, 5], [3], [4])[number]")),
        mutation(q3.solution, ("np.unique(groups)", "np.arange(max(groups) + 1)")),  # names without gaps
        mutation(q3.solution, ("np.isin(groups, pictures[number::k])", "np.asarray(groups) % k == number")),
        mutation(q3.solution, (BOTH, "(groups[~inside], groups[inside])")),
        mutation(q3.solution, (BOTH, "(np.flatnonzero(inside), np.flatnonzero(~inside))")),
        mutation(q3.solution, ("pictures[number::k]", "pictures[number * k : (number + 1) * k]")),
        mutation(q3.solution, ("pictures[number::k]", "pictures[number + 1 :: k]")),
    ],
    "q4": [
        loss_afterwards,
        mutation(q4.solution, ("loss.item()", "loss")),
        mutation(q4.solution, ("    loss.backward()\n", "")),
        mutation(q4.solution, KEEPS_SLOPES, ("loss.backward()", "loss.backward()\n    optimizer.zero_grad()")),
        mutation(q4.solution, ("    loss.backward()\n", ""), ("    return", "    loss.backward()\n    return")),
        mutation(q4.solution, ("masks, ignore", "masks % 255, ignore")),
        mutation(q4.solution, (", ignore_index=255", ", ignore_index=255, reduction='sum'")),
        mutation(q4.solution, KEEPS_SLOPES),
        mutation(q4.solution, SOFTMAX),
        mutation(q4.solution, EVALUATES),
        mutation(q4.solution, (", ignore_index=255", "")),
        mutation(q4.solution, ("    optimizer.step()\n", "")),
        mutation(q4.solution, KEEPS_SLOPES, SOFTMAX),
        mutation(q4.solution, SOFTMAX, EVALUATES),
        mutation(q4.solution, ("masks, ignore", "masks.clamp(max=1), ignore"), KEEPS_SLOPES),
        mutation(q4.solution, ("loss.item()", "0.0")),
        mutation(q4.solution, ("    optimizer.step()\n", BY_HAND)),  # 0.5 is the optimizer's rate
        mutation(q4.solution, ("optimizer.step()\n", "optimizer.step()\n    optimizer.step()\n")),
        mutation(q4.solution, ("loss.backward()", "loss.backward(retain_graph=True)\n    loss.backward()")),
        mutation(q4.solution, EVALUATES, ("    loss.backward()", "    net.train()\n    loss.backward()")),
        mutation(q4.solution, ("net(images), masks", "net(images[:1]), masks[:1]")),
        mutation(q4.solution, (", ignore_index=255", ", ignore_index=255, reduction='none').mean(")),
        mutation(q4.solution, ("net(images)", "net(images).softmax(-1)")),
        mutation(q4.solution, ("net(images)", "net(images).log_softmax(-1)")),
        mutation(q4.solution, ("net(images)", "net(images).sigmoid()")),
        mutation(q4.solution, ("F.cross_entropy", "F.nll_loss")),
        mutation(q4.solution, ("F.cross_entropy", "F.nll_loss"), SOFTMAX),
        mutation(q4.solution, ("F.cross_entropy", "-F.cross_entropy")),
    ],
    "q5": [
        lambda image: image[..., None],  # brightness
        lambda image: np.dstack(np.indices(image.shape)),  # place only
        lambda image: np.dstack([ndimage.gaussian_filter(image, sigma) for sigma in range(1, 12)]),  # too many
        lambda image: np.stack([image.ravel(), image.ravel()], axis=1),  # flat
        lambda image: np.dstack([image, np.where(image > 0, image, np.nan)]),  # divides by zero
        always_64,
    ],
}


def by_pytorch(x, k, stride, padding):
    x, k = (torch.tensor(np.asarray(array, np.float32))[None, None] for array in (x, k))
    return F.conv2d(x, k, stride=stride, padding=padding)[0, 0].numpy()


def by_windows(x, k, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, padding), k.shape)
    return (windows[::stride, ::stride] * k).sum((2, 3))


def by_lists(x, k, stride, padding):
    rows, columns = (range(-padding, x.shape[i] + padding - k.shape[i] + 1, stride) for i in (0, 1))
    return np.array([[_sum_below(x, k, i, j) for j in columns] for i in rows])


def _sum_below(x, k, i, j):
    inside = [(u, v) for u, v in np.ndindex(k.shape) if 0 <= i + u < x.shape[0] and 0 <= j + v < x.shape[1]]
    return sum((float(x[i + u, j + v]) * k[u, v] for u, v in inside), 0.0)


def by_shifts(x, k, stride, padding):
    x = np.pad(x, padding).astype(np.float32)
    height, width = (x.shape[i] - k.shape[i] + 1 for i in (0, 1))
    y = sum(k[u, v] * x[u : u + height, v : v + width] for u, v in np.ndindex(k.shape))
    return y[::stride, ::stride]


def by_scipy(x, k, stride, padding):
    return correlate2d(np.pad(x, padding).astype(float), k, "valid")[::stride, ::stride]


def by_scikit_learn(groups, k):
    return GroupKFold(k).split(groups, groups=groups)


def lists_of_places(groups, k):
    names = sorted(set(groups))
    parts = [set(names[number::k]) for number in range(k)]
    return [
        ([i for i, g in enumerate(groups) if g not in part], [i for i, g in enumerate(groups) if g in part])
        for part in parts
    ]


def slopes_by_loops(W1, W2, x, true_class):
    h = [max(0.0, float(row @ x)) for row in W1]
    e = [np.exp(float(row @ h)) for row in W2]
    slope_z = [value / sum(e) - (k == true_class) for k, value in enumerate(e)]
    slope_h = [sum(W2[k, i] * slope_z[k] for k in range(len(e))) if h[i] else 0.0 for i in range(len(h))]
    return np.array([[s * value for value in x] for s in slope_h]), np.array([[s * v for v in h] for s in slope_z])


def slopes_by_autograd(W1, W2, x, true_class):
    W1, W2 = (torch.tensor(weights, requires_grad=True) for weights in (W1, W2))
    F.cross_entropy(W2 @ (W1 @ torch.tensor(x)).relu(), torch.tensor(true_class)).backward()
    return W1.grad.numpy(), W2.grad.numpy()


def parts_of_names(groups, k):
    for part in np.array_split(np.random.default_rng(0).permutation(np.unique(groups)), k):
        yield np.flatnonzero(~np.isin(groups, part)), np.flatnonzero(np.isin(groups, part))


def slopes_by_einsum(W1, W2, x, true_class):
    h = np.einsum("hi,i->h", W1, x).clip(0)
    z = W2 @ h
    slope_z = np.exp(z - z.max()) / np.exp(z - z.max()).sum() - (np.arange(len(z)) == true_class)
    slope_a = np.where(h > 0, slope_z @ W2, 0)
    return [np.einsum("h,i->hi", slope_a, x), np.einsum("k,h->kh", slope_z, h)]


def slopes_of_columns(W1, W2, x, true_class):
    x = x[:, None].astype(np.float32)
    h = np.maximum(W1.astype(np.float32) @ x, 0)
    slope_z = torch.tensor(W2 @ h).softmax(0).numpy()
    slope_z[true_class] -= 1
    return (W2.T @ slope_z * (h > 0)) @ x.T, slope_z @ h.T


def as_two_classes(net, images, masks, optimizer):
    def closure():
        optimizer.zero_grad()
        logits, counted = net(images), masks != 255
        loss = F.binary_cross_entropy_with_logits((logits[:, 1] - logits[:, 0])[counted], masks[counted].float())
        loss.backward()
        return loss

    net.train()
    return optimizer.step(closure).item()


def flattened(net, images, masks, optimizer):
    logits = net.train()(images).permute(0, 2, 3, 1)[masks != 255]
    loss = torch.nn.CrossEntropyLoss()(logits.double(), masks[masks != 255])
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach().numpy().item()


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
    "q1": [by_pytorch, by_windows, by_lists, by_shifts, by_scipy],
    "q2": [slopes_by_loops, slopes_by_autograd, slopes_by_einsum, slopes_of_columns],
    "q3": [by_scikit_learn, lists_of_places, parts_of_names],
    "q4": [zeroed_first, as_two_classes, flattened],
}
