"""What exercise 3 of lesson 04, HD95, is tried on, and what the usual mistakes give."""

import numpy as np
from scipy import ndimage


def pairs_of_masks():
    """Five pairs (prediction, truth) of bool (40, 56): an ellipse and a disc, or a diamond; a disc with a notch and the
    disc; a holed disc and the diamond; two squares that do not touch.

    A square at the picture's frame goes with all but the last. The mistakes below give another number for at
    least one of them.
    """
    rows, columns = np.indices((40, 56))
    down, right = rows - 18, columns - 22
    prediction = ((rows - 22) / 9) ** 2 + ((columns - 26) / 6) ** 2 <= 1
    prediction[:12, 45:] = True
    disc, diamond = down**2 + right**2 <= 12**2, abs(down) + abs(right) <= 14
    disc[:14, 44:] = diamond[:14, 44:] = True
    notched = disc & ((right < 0) | (abs(down) > 2))
    holed = disc.copy()
    holed[15:22, 19:26] = False
    left, apart = np.zeros((2, 40, 56), bool)
    left[16:24, 16:24] = apart[16:24, 31:39] = True  # each pixel moved by 15
    yield from ((prediction, disc), (prediction, diamond), (notched, disc), (holed, diamond), (left, apart))


def wrong_distances(prediction, truth):
    """The reason -> the distance that a wrong answer gives; some may be the right one by chance."""
    masks, corners = (prediction, truth), np.ones((3, 3))
    far = _distances([_outline(mask) for mask in masks])
    ends = [np.percentile(each, 95) for each in far]
    wrong = {
        "this is the largest distance: the Hausdorff distance itself, or a percentile near 100. Take the 95th": max(
            map(np.max, far)
        ),
        "0 comes from the distances to what is *off* the outline (`~outline` is wanted), or from a percentile below 1: "
        "`np.percentile` counts to 100": 0,
        "this is the percentile of both lists in one. Take one percentile of each, then the larger": np.percentile(
            np.concatenate(far), 95
        ),
        "this is the mean of the two percentiles. Take the larger": np.mean(ends),
        "this is the smaller of the two percentiles. Measure in both directions, then take the larger": min(ends),
        "this is the mean surface distance. Take the 95th percentile of each list": np.concatenate(far).mean(),
    }
    outlines = {
        "you fill holes before you measure. A hole has an outline, too": [
            _outline(ndimage.binary_fill_holes(mask)) for mask in masks
        ],
        "you measure from all pixels of the masks, inside too. Take the outlines": masks,
        "you count the picture's frame as an outline. `border_value=1` leaves it out": [
            mask & ~ndimage.binary_erosion(mask) for mask in masks
        ],
        "in your outlines are pixels that touch the outside with a corner only. Four neighbours count: up, down, left "
        "and right": [mask & ~ndimage.binary_erosion(mask, corners, border_value=1) for mask in masks],
        "your outlines lie outside of the masks. The lesson's pixels of an outline belong to the mask": [
            ndimage.binary_dilation(mask) & ~mask for mask in masks
        ],
    }
    to_masks = [ndimage.distance_transform_edt(~masks[1 - i])[_outline(masks[i])] for i in (0, 1)]
    if not (prediction & truth).any():
        wrong["the two masks do not overlap, and you give infinity. Both have outlines, so measure"] = np.inf
    # outlines first: the fourth pair tells only about holes, and there other mistakes give the same number
    first = {why: _distances(pair) for why, pair in outlines.items()}
    first["you measure to the nearest pixel of the other mask. Take the nearest of its outline"] = to_masks
    return {why: max(np.percentile(each, 95) for each in lists) for why, lists in first.items()} | wrong


def _outline(mask):
    return mask & ~ndimage.binary_erosion(mask, border_value=1)


def _distances(outlines):
    return [ndimage.distance_transform_edt(~outlines[1 - i])[outlines[i]] for i in (0, 1)]
