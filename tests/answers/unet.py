"""Answers to the exercises of lesson 08, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from skimage.measure import label
from torch.nn import functional as F
from unet_by_hand import (
    by_cores,
    by_division,
    by_h,
    by_library,
    by_library_unseen,
    by_narrow,
    by_negative_padding,
    by_partition,
    by_peaks,
    by_torchvision,
    city_blocks,
    fixed_squares,
    gap_of_library,
    in_numpy,
    lines_of_minus_one,
    looked_at_after_halving,
    negative_ends,
    odd_by_bit,
    one_by_one,
    one_margin,
    one_pixel_less,
    overwrites,
    pieces_of_cells,
    pixel_by_pixel,
    recursive,
    renumbered_by_label,
    through_numpy,
    to_the_centres,
    up_to_the_largest,
    written_into_the_map,
)

from seglib.classical import split_touching as cut_touching
from seglib.exercises.unet import q1, q2, q3, q4
from seglib.losses import border_weights
from seglib.models.unet import crop_to

FLOOD = "return watershed(-depth, summits, mask=foreground)"
PARTS = "left : left + width]"
SUM = "((distances[0] + distances[1]) ** 2)"


WRONG = {
    "q1": [
        mutation(q1.solution, ("if size <= 0 or size % 2:", "if False:"), (" if size > 0 else None", "")),
        lambda size, depth: size if size % 2**depth == 0 or size == 572 else None,  # padding same
        mutation(q1.solution, ("2 * size - 4", "2 * size")),  # forgets the way up
        lambda size, depth: size - 184 if size % 16 == 0 else None,  # asks for multiples of sixteen
        mutation(q1.solution, ("size //= 2", "size /= 2")),  # a float
        mutation(q1.solution, (" if size > 0 else None", "")),  # negative sizes
        mutation(q1.solution, (" if size > 0 else None", " if size >= 0 else None")),  # no pixel left
        mutation(q1.solution, ("        size //= 2\n    size -= 4", "        size //= 2")),  # no bottom
        lambda size, depth: size - 184 if (size - 12) % 16 == 0 and size > 184 else None,  # depth is always 4
        lambda size, depth: by_division(size, depth) or 0,
        lambda size, depth: by_division(size, depth) or False,
        looked_at_after_halving,
    ],
    "q2": [
        mutation(q2.solution, ("[skip[", "[x, skip["), (PARTS + ", x]", PARTS + "]")),
        lambda skip, x: torch.cat([skip[..., : x.shape[-2], : x.shape[-1]], x], dim=1),  # corner
        lambda skip, x: torch.cat([skip[..., -x.shape[-2] :, -x.shape[-1] :], x], dim=1),  # the other corner
        lambda skip, x: torch.cat([F.interpolate(skip, x.shape[-2:]), x], dim=1),  # resized
        lambda skip, x: torch.cat([F.adaptive_avg_pool2d(skip, x.shape[-2:]), x], dim=1),
        lambda skip, x: torch.cat([skip, F.interpolate(x, skip.shape[-2:])], dim=1),  # the other one
        mutation(q2.solution, ("torch.cat([", ""), ("], x], dim=1)", "] + x.mean()")),  # added
        mutation(q2.solution, ("dim=1", "dim=2")),
        mutation(q2.solution, ("dim=1", "dim=0")),
        mutation(q2.solution, ("skip[...", "skip.detach()[...")),
        mutation(q2.solution, ("], x]", "], x.detach()]")),
        lambda skip, x: torch.cat([skip[..., 2:6, 3:7], x], dim=1),  # the example's numbers
        negative_ends,
        one_margin,
        one_pixel_less,
        through_numpy,
        lambda skip, x: (crop_to(skip, x.shape[-2:]), x),
    ],
    "q3": [
        mutation(q3.solution, (" + distances[1]", "")),
        mutation(q3.solution, ("distances[1]", "distances[-1]")),  # the farthest too
        mutation(q3.solution, ("np.where(instances == 0, weights, 0.0)", "weights")),  # on cells too
        mutation(q3.solution, (SUM, "(distances[0] + distances[1])")),
        mutation(q3.solution, (SUM, "(distances[0] ** 2 + distances[1] ** 2)")),
        mutation(q3.solution, ("(2 * sigma**2)", "sigma**2")),
        mutation(q3.solution, ("(2 * sigma**2)", "(2 * sigma)")),
        mutation(q3.solution, ("(2 * sigma**2)", "2 * sigma**2")),  # multiplied
        mutation(q3.solution, ("(2 * sigma**2)", "18")),
        mutation(q3.solution, ("w0 * np.exp", "10 * np.exp")),
        mutation(q3.solution, ("w0 * np.exp", "1 + w0 * np.exp")),
        mutation(q3.solution, ("if len(ids) < 2:", "if False:")),  # one cell alone is an error
        mutation(q3.solution, ("return np.zeros(instances.shape)", "return 0")),
        mutation(q3.solution, ("instances != i", "instances == i")),  # inside the cells
        mutation(q3.solution, ("np.sort(", "np.array("), ("], axis=0)", "])")),
        up_to_the_largest,
        renumbered_by_label,
        pieces_of_cells,
        city_blocks,
        to_the_centres,
        written_into_the_map,
        overwrites,
        lambda instances, w0, sigma: border_weights(instances),  # the default height and reach
        lambda instances, w0, sigma: border_weights(instances > 0, w0, sigma).numpy(),
    ],
    "q4": [
        lambda probability: label(probability > 0.5, connectivity=1),  # components
        mutation(q4.solution, (FLOOD, "return watershed(-depth, 400, mask=foreground)")),  # in pieces
        mutation(q4.solution, (FLOOD, "return summits")),
        mutation(q4.solution, (FLOOD, "return watershed(-depth, summits)")),
        mutation(q4.solution, (FLOOD, "return watershed(-depth, summits, mask=foreground) > 0")),
        mutation(q4.solution, (FLOOD, "return watershed(-depth, summits, mask=foreground) * 1.0")),
        lambda probability: (q4.solution(probability) > 0).astype(int),  # a mask of 0 and 1
        by_library_unseen,
        lambda probability: cut_touching(probability > 0.5),  # under another name
        mutation(q4.solution, ("h_maxima(depth, 0.5)", "h_maxima(depth, 5)")),
        lambda probability: label(probability > 0.5)[::2, ::2],  # cut to half
        lambda probability: label(probability > 0.5)[:30, :30],
        lambda probability: label(probability > 0.2, connectivity=1),
        lambda probability: np.arange(probability.size).reshape(probability.shape) * (probability > 0.5),
        fixed_squares,
        lines_of_minus_one,
        lambda probability: np.maximum(q4.solution(probability), not (probability > 0.5).any()),  # never empty
    ],
}

RIGHT = {
    "q1": [
        by_division,
        recursive,
        by_library,
        in_numpy,
        odd_by_bit,
        mutation(q1.solution, ("size <= 0 or size % 2", "size % 2")),  # what is negative stays so
    ],
    "q2": [
        by_torchvision,
        by_negative_padding,
        by_narrow,
        lambda skip, x: torch.cat([crop_to(skip, x.shape[-2:]), x], dim=1),
    ],
    "q3": [
        gap_of_library,
        one_by_one,
        by_partition,
        pixel_by_pixel,
        lambda instances, w0, sigma: border_weights(instances, w0=w0, sigma=sigma),  # a tensor
    ],
    "q4": [
        by_peaks,
        by_cores,
        by_h,
        mutation(q4.solution, (FLOOD, "return watershed(-depth, mask=foreground)")),  # every small summit
    ],
}
