"""Answers to the exercises of lesson 14, as learners give them."""

import numpy as np
from exercise_proof import mutation

from seglib.exercises.mask_rcnn import best_first, q1, q2, q3

LOOP = "for iou, score in pictures:"
PLACES = "start + places * (end - start)"


def place_by_place(features, box, cells):
    return np.stack([q1.solution(feature[None], box, cells)[0] for feature in features])


def nearest(features, box, cells):
    left, top, right, bottom = box
    ys, xs = (np.arange(cells) + 0.5) / cells * (bottom - top) + top, (np.arange(cells) + 0.5) / cells * (right - left)
    return features[:, ys.astype(int)][:, :, (xs + left).astype(int)]


def without_second_answers(masks, labels, scores):
    objects = np.zeros(masks.shape[1:], int)
    for k in np.flatnonzero(scores >= 0.5):
        free = (masks[k] >= 0.5) & (objects == 0)
        if free.sum() > 0.5 * (masks[k] >= 0.5).sum():
            objects[free] = k + 1
    return objects


WRONG = {
    "q1": [
        mutation(q1.solution, ("np.array(box) - 0.5", "box")),  # without the half pixel
        mutation(q1.solution, ("(np.arange(cells) + 0.5)", "np.arange(cells)")),  # at the corners
        lambda features, box, cells: q1.solution(features, box, cells).swapaxes(1, 2),  # columns first
        mutation(q1.solution, (f"np.clip({PLACES}, 0, length - 1)", PLACES)),
        place_by_place,
        nearest,
    ],
    "q2": [
        lambda pictures: np.mean([q2.solution([each]) for each in pictures if each[0].size]),  # mean of pictures
        mutation(q2.solution, ("if hits[-1]:", "if False:")),  # finds objects twice
        mutation(q2.solution, ("np.maximum.accumulate(precision[::-1])[::-1]", "precision")),  # leaves the dips
        mutation(q2.solution, (LOOP, f"{LOOP}\n        if not len(score):\n            continue")),
        mutation(q2.solution, (LOOP, f"{LOOP}\n        if not iou.shape[1]:\n            continue")),
        mutation(q2.solution, ("101", "11")),
        mutation(q2.solution, ("np.append(best_from_here, 0)[at].mean()", "np.mean(hits)")),  # precision alone
    ],
    "q3": [
        mutation(q3.solution, (" & ~void", "")),
        mutation(q3.solution, ("iou > 0.5", "iou >= 0.5")),
        mutation(q3.solution, (" and np.mean(void[answer == p]) <= 0.5", "")),  # excuses nothing
        mutation(q3.solution, ("<= 0.5", "< 0.5")),
        mutation(q3.solution, ("alarms / 2 + misses / 2", "alarms + misses")),
        mutation(q3.solution, ("sq * rq, sq, rq", "sq * rq")),
        mutation(q3.solution, ("sq * rq, sq, rq", "sq, rq, sq * rq")),
    ],
    "q4": [
        best_first,
        without_second_answers,
        mutation(best_first, ("scores >= 0.5", "scores >= 0")),  # every answer
        mutation(best_first, ("scores >= 0.5", "scores >= 0.9")),  # only sure ones
        lambda masks, labels, scores: np.where(masks.max(0) >= 0.5, masks.argmax(0) + 1, 0),  # surest of all
        lambda masks, labels, scores: masks.max(0) >= 0.5,  # a foreground
        lambda masks, labels, scores: masks >= 0.5,  # one map each
    ],
}
