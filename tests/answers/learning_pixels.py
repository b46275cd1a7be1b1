"""Answers to the exercises of lesson 05, as learners give them."""

import numpy as np
from exercise_proof import mutation
from scipy import ndimage

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
    ],
    "q5": [
        lambda image: image[..., None],  # brightness
        lambda image: np.dstack(np.indices(image.shape)),  # place only
        lambda image: np.dstack([ndimage.gaussian_filter(image, sigma) for sigma in range(1, 12)]),  # too many
        lambda image: np.stack([image.ravel(), image.ravel()], axis=1),  # flat
        lambda image: np.dstack([image, np.where(image > 0, image, np.nan)]),  # divides by zero
    ],
}
