"""Answers to the exercises of lesson 11, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation

from seglib.exercises.deeplab import q1, q2, q3, q4, window

DISTANCE = "np.hypot(y - field.shape[0] // 2, x - field.shape[1] // 2)"
MISSED = "[offset for offset in range(-span, span + 1) if offset not in reached]"
SUMS = "{offset + step for offset in reached for step in (-rate, 0, rate)}"


def whole_places(height, width, rate):
    return max(0, height - 2 * rate) * max(0, width - 2 * rate) / (height * width)


def the_largest_values(field, share):
    if field.shape == (5, 5):
        return 0.0 if share <= 0.5 else 2.0
    return float(np.sqrt((np.searchsorted(np.sort(field.ravel())[::-1].cumsum(), share) + 1) / np.pi))


WRONG = {
    "q1": [
        lambda x, kernel, rate: q1.solution(x, kernel, rate)[rate:-rate, rate:-rate],  # without padding
        lambda x, kernel, rate: q1.solution(x, kernel, rate)[rate - 1 : 1 - rate, rate - 1 : 1 - rate],  # padding one
        mutation(q1.solution, ("kernel[m, n]", "kernel[2 - m, 2 - n]")),
        lambda x, kernel, rate: q1.solution(x, kernel, 1),  # rate forgotten
        lambda x, kernel, rate: q1.solution(x, kernel, rate + 1),  # rate as holes
        mutation(q1.solution, ("np.pad(x, rate)", 'np.pad(x, rate, mode="edge")')),
        mutation(q1.solution, ("return y", "x[:] = y")),
    ],
    "q2": [
        whole_places,
        mutation(q2.solution, ("(height, width):", "[height]:")),
        mutation(q2.solution, ("(height, width):", "(height, height):")),
        mutation(q2.solution, ("max(0, side - rate)", "(side - rate)")),
        mutation(q2.solution, ("share = 1.0", "share = 9.0")),  # how many of nine
        mutation(q2.solution, ("share = 1.0", "share = 0.0"), ("*=", "+="), ("(3 * side)", "(6 * side)")),  # averaged
    ],
    "q3": [
        mutation(q3.solution, (DISTANCE, "np.maximum(abs(y - y.mean()), abs(x - x.mean()))")),  # a square
        mutation(q3.solution, ("float(radius)", "2 * float(radius)")),
        mutation(q3.solution, ("float(radius)", "float(radius**2)")),
        mutation(q3.solution, ("float(radius)", "float(np.ceil(radius))")),
        mutation(q3.solution, (">= share - 1e-9", "> share + 1e-9")),
        the_largest_values,
    ],
    "q4": [
        mutation(q4.solution, ("not in reached", "in reached")),
        mutation(q4.solution, (SUMS, "reached | {-rate, rate}")),  # side by side
        mutation(q4.solution, ("range(-span, span + 1)", "range(1, span + 1)")),
        mutation(q4.solution, ("sum(rates)", "max(rates)")),
        mutation(q4.solution, ("range(-span, span + 1)", "range(span, -span - 1, -1)")),
        mutation(q4.solution, (MISSED, "2 * span + 1 - len(reached)")),  # a count
    ],
    "q5": [
        lambda features: features,  # itself
        lambda features: window(features, 1),  # direct neighbours
        lambda features: window(features, 4),  # one larger rate
        lambda features: window(features, 12),  # beyond the map
        lambda features: torch.cat([window(features, rate) for rate in (1, 2, 4)]),  # all rates
        lambda features: features.mean((1, 2)),  # one value
        lambda features: features / (features - features),  # divided by nothing
    ],
}
