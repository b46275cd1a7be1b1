"""Answers to the exercises of lesson 16, as learners give them."""

import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from skimage.filters import threshold_otsu

from seglib.exercises.your_own_data import q1, q2, q3, q4

BLOCKS = "reshape(8, height // 8, 9, width // 9)"
BRIGHTER = "blocks[:, 1:] > blocks[:, :-1]"
REST = "[value for value in net.parameters() if id(value) not in known]"


def names_for_parameters(net, encoder_rate, decoder_rate):
    names = [name for name, _ in net.named_parameters()]
    return [{"params": names, "lr": encoder_rate}, {"params": [], "lr": decoder_rate}]


def one_rate_for_all(net, encoder_rate, decoder_rate):
    return [{"params": list(net.parameters()), "lr": decoder_rate}]


def a_dict(net, encoder_rate, decoder_rate):
    first, second = (group["params"] for group in q3.solution(net, encoder_rate, decoder_rate))
    return {encoder_rate: first, decoder_rate: second}


def otsu_alone(picture):
    return picture > threshold_otsu(picture)


def otsu_filled(picture):
    return ndimage.binary_fill_holes(picture > threshold_otsu(picture))


def everything(picture):
    return np.ones(picture.shape, bool)


def numbers(picture):
    return (picture > threshold_otsu(picture)).astype(int)


WRONG = {
    "q1": [
        mutation(q1.solution, ("(high - low).tolist()", "high.tolist()")),  # corners for a box
        mutation(q1.solution, ("abs(", "(")),
        mutation(q1.solution, (" / 2", "")),
        mutation(q1.solution, ("float(area)", "float(np.prod(high - low))")),  # the area of the box
        mutation(
            q1.solution, ("np.roll(y, -1)", "y[1:]"), ("x * ", "x[:-1] * "), ("np.roll(x, -1) * y", "x[1:] * y[:-1]")
        ),
        mutation(q1.solution, ("points.ravel().tolist()", "points.tolist()")),  # pairs of points
        mutation(q1.solution, ("[points.ravel().tolist()]", "points.ravel().tolist()")),
        mutation(q1.solution, ("points.ravel()", "points[:, ::-1].ravel()")),
        mutation(q1.solution, (', "area": float(area)', "")),
        mutation(q1.solution, ('"bbox": box', '"bbox": [12.0, 3.0, 8.0, 10.0]')),  # only for this place
    ],
    "q2": [
        mutation(q2.solution, (BRIGHTER, "blocks[:, :8] > blocks.mean()")),
        mutation(q2.solution, (" > ", " < ")),
        mutation(q2.solution, (f"picture.{BLOCKS}.mean((1, 3))", "picture[:: height // 8, :: width // 9]")),
        mutation(
            q2.solution, (BLOCKS, "reshape(9, height // 9, 8, width // 8)"), (BRIGHTER, "blocks[1:] > blocks[:-1]")
        ),
        mutation(q2.solution, (BRIGHTER, "blocks[:, 1:] - blocks[:, :-1] > 0.005")),
        mutation(q2.solution, (BRIGHTER, "blocks > np.roll(blocks, 1, axis=1)")),  # nine columns
        mutation(q2.solution, (BRIGHTER, f"({BRIGHTER})[:, ::-1]")),
    ],
    "q3": [
        mutation(q3.solution, (REST, "[*net.up.parameters(), *net.merge.parameters()]")),  # without the head
        mutation(q3.solution, (REST, "list(net.parameters())")),  # the encoder twice
        mutation(q3.solution, ("(net, encoder_rate, decoder_rate)", "(net, decoder_rate, encoder_rate)")),  # swapped
        names_for_parameters,
        one_rate_for_all,
        a_dict,
    ],
    "q4": [otsu_alone, otsu_filled, mutation(q4.solution, ("picture, 30", "picture, 4")), everything, numbers],
}
