"""Answers to the exercises of lesson 08, as learners give them."""

import torch
from exercise_proof import mutation
from skimage.measure import label
from torch.nn import functional as F

from seglib.exercises.unet import q1, q2, q3, q4

FLOOD = "return watershed(-depth, summits, mask=foreground)"


WRONG = {
    "q1": [
        mutation(q1.solution, ("if size <= 0 or size % 2:", "if False:"), (" if size > 0 else None", "")),
        lambda size, depth: size if size % 2**depth == 0 or size == 572 else None,  # padding same
        mutation(q1.solution, ("2 * size - 4", "2 * size")),  # forgets the way up
        lambda size, depth: size - 184 if size % 16 == 0 else None,  # asks for multiples of sixteen
    ],
    "q2": [
        mutation(q2.solution, ("[skip[", "[x, skip["), ("left : left + width], x]", "left : left + width]]")),
        lambda skip, x: torch.cat([skip[..., : x.shape[-2], : x.shape[-1]], x], dim=1),  # corner
        lambda skip, x: torch.cat([F.interpolate(skip, x.shape[-2:]), x], dim=1),  # resized
        mutation(q2.solution, ("torch.cat([", ""), ("], x], dim=1)", "] + x.mean()")),  # added
    ],
    "q3": [
        mutation(q3.solution, (" + distances[1]", "")),
        mutation(q3.solution, ("distances[1]", "distances[-1]")),  # the farthest too
        mutation(q3.solution, ("np.where(instances == 0, weights, 0.0)", "weights")),  # on cells too
        mutation(q3.solution, ("((distances[0] + distances[1]) ** 2)", "(distances[0] + distances[1])")),
        mutation(q3.solution, ("(2 * sigma**2)", "sigma**2")),
        mutation(q3.solution, ("if len(ids) < 2:", "if False:")),  # one cell alone is an error
    ],
    "q4": [
        lambda probability: label(probability > 0.5, connectivity=1),  # components
        mutation(q4.solution, (FLOOD, "return watershed(-depth, 400, mask=foreground)")),  # in pieces
        lambda probability: probability > 0.5,  # a mask
        lambda probability: label(probability > 0.5)[::2, ::2],  # cut to half
    ],
}
