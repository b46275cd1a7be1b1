"""Answers to the exercises of lesson 09, as learners give them."""

import torch
from exercise_proof import mutation

from seglib.exercises.segnet import q1, q2, q3, q4, q5

SCATTERED = "indices.flatten(1), values.flatten(1)"
PLACES = "2 * (rows % 2) + columns % 2"
MEDIAN = "np.median(frequency) / frequency"
DOUBT = "1 - samples.mean(0).amax(0)"


def doubles(height, width, levels):
    bottom = (-(-height // 2**levels), -(-width // 2**levels))
    return [(bottom[0] << level, bottom[1] << level) for level in range(1, levels + 1)]


def nearest(values, indices, size):
    return values.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, : size[0], : size[1]]


def corners(values, indices, size):
    out = torch.zeros(values.shape[0], size[0] + size[0] % 2, size[1] + size[1] % 2)
    out[:, ::2, ::2] = values
    return out[:, : size[0], : size[1]]


def channels_mixed(values, indices, size):
    flat = torch.zeros(size[0] * size[1])
    flat[indices.flatten()] = values.flatten()
    return flat.view(1, *size).repeat(values.shape[0], 1, 1)


def doubled_size(values, indices, size):
    return torch.nn.functional.max_unpool2d(values, indices % (2 * values.shape[2]), 2)


def logarithm_of_nothing(samples):
    mean = (samples.mean(0) - 0.01).clamp(min=0)
    return -(mean * mean.log()).sum(0)


WRONG = {
    "q1": [
        mutation(q1.solution, ("(height + 1) // 2, (width + 1) // 2", "height // 2, width // 2")),
        mutation(q1.solution, ("sizes[::-1]", "sizes")),  # the deepest last
        mutation(q1.solution, ("range(levels)", "range(levels + 1)")),  # with the bottom
        doubles,
        mutation(q1.solution, ("append((height, width))", "append((width, height))")),
        mutation(q1.solution, ("append((height, width))", "append(height)")),
    ],
    "q2": [
        nearest,
        corners,
        channels_mixed,
        mutation(q2.solution, (SCATTERED, SCATTERED.replace("(1)", "()[None]"))),
        doubled_size,
        mutation(q2.solution, ("values.flatten(1)", "indices.flatten(1).float()")),
    ],
    "q3": [
        mutation(q3.solution, ("return fours[:, 0]", "return places\n    fours[:, 0]")),  # a byte each
        mutation(q3.solution, ("reshape(-1, 4)", "reshape(-1, 4)[:, ::-1]")),  # the highest bits first
        mutation(q3.solution, (PLACES, "indices.numpy().ravel() % 4")),
        mutation(q3.solution, (PLACES, "rows % 2 + 2 * (columns % 2)")),
        mutation(q3.solution, ("np.pad(places, (0, -len(places) % 4))", "places[: len(places) // 4 * 4]")),
        mutation(q3.solution, ("| fours[:, 3] << 6", "| fours[:, 3].astype(int) << 6")),  # no bytes
    ],
    "q4": [
        mutation(q4.solution, ("/ pixels[occurs]", "/ counts.sum()")),  # shares of all pixels
        mutation(q4.solution, (MEDIAN, "1 / frequency")),
        mutation(q4.solution, ("np.median", "np.mean")),
        mutation(q4.solution, (MEDIAN, "frequency / np.median(frequency)")),
        mutation(q4.solution, ("np.median(frequency)", "np.median([*frequency, 0])")),
        mutation(q4.solution, ("np.zeros(counts.shape[1])", "np.full(counts.shape[1], np.inf)")),
    ],
    "q5": [
        mutation(q5.solution, (DOUBT, "samples.var(0).mean(0)")),  # the lesson's variance
        mutation(q5.solution, (DOUBT, "samples.amax(1).var(0)")),  # how the largest varies
        mutation(q5.solution, ("1 - ", "")),
        mutation(q5.solution, (DOUBT, "samples.var(0)")),  # a map for each class
        logarithm_of_nothing,
    ],
}
