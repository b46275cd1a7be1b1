"""Exercises of lesson 14, Mask R-CNN."""

from functools import cache

import numpy as np
import torch
from scipy import ndimage
from torchvision.ops import roi_align

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape, has_loops
from seglib.exercises._judging_mistakes import ranked_pictures
from seglib.metrics import panoptic_quality
from seglib.scenes import Digits


def _library_align(features, box, cells, aligned=True):
    rois = torch.tensor([[0.0, *box]], dtype=torch.float64)
    return roi_align(torch.from_numpy(features)[None], rois, cells, sampling_ratio=1, aligned=aligned)[0].numpy()


def _align(features, box, cells):
    left, top, right, bottom = np.array(box) - 0.5
    places = (np.arange(cells) + 0.5) / cells

    def weights(start, end, length):
        at = np.clip(start + places * (end - start), 0, length - 1)
        return np.maximum(0, 1 - abs(at[:, None] - np.arange(length)))

    height, width = features.shape[1:]
    return weights(top, bottom, height) @ features @ weights(left, right, width).T


@exercise(
    "At which indices of the map does each of the cells read? One list for rows, one for columns.",
    "`left + (np.arange(cells) + 0.5) / cells * (right - left) - 0.5`, clipped to 0 and the last index.",
    "`np.maximum(0, 1 - abs(at[:, None] - np.arange(length)))` for each axis; `rows @ features @ columns.T`.",
    solution=_align,
)
def q1(align):
    features = np.random.default_rng(1).normal(size=(3, 6, 8))
    box = [1.2, 0.9, 5.6, 4.8]
    name = f"`align(features, {box}, 4)`"
    got, want = align(features, box, 4), _library_align(features, box, 4)
    expect_shape(name, got, (3, 4, 4))
    corners = np.array(box) - [4.4 / 8, 3.9 / 8] * 2
    usual = {
        "the half pixel is missing; the place 1.2 is at index 0.7": _library_align(features, box, 4, aligned=False),
        "rows and columns are swapped: (C, row, column) is wanted": want.swapaxes(1, 2),
        "each cell has its sample in its middle, not in its upper left corner": _library_align(features, corners, 4),
    }
    expect_none_of(name, got, usual, tolerance=1e-6)
    expect_array(name, got, want)
    name, inside = "`align(features, [0.1, 0, 8.3, 6], 16)`", np.s_[:, 2:-2, 2:-2]
    got, want = align(features, [0.1, 0, 8.3, 6], 16), _library_align(features, [0.1, 0, 8.3, 6], 16)
    expect_shape(name, got, want.shape)
    if np.allclose(got[inside], want[inside], atol=1e-6) and not np.allclose(got, want, atol=1e-6):
        raise NotYet(f"{name}: beyond the outermost values the map goes on with them; clip the places first.")
    expect_array(name, got, want)
    if has_loops(align):
        raise NotYet("The values are right, but your function has a loop. Matrices of weights do all places at once.")
    return "Rows @ features @ columns: RoIAlign is linear, so its gradient is the same two matrices, transposed."


def _hits(pictures, once=True):
    """Scores and hits of all answers, and the number of objects."""
    scores, hits = [], []
    for iou, score in pictures:
        free = np.ones(iou.shape[1], bool)
        for d in np.argsort(-score, kind="stable"):
            overlap = np.where(free, iou[d], 0)
            hits.append(overlap.max(initial=0) >= 0.5)
            scores.append(score[d])
            if hits[-1] and once:
                free[overlap.argmax()] = False
    return np.array(scores), np.array(hits, bool), sum(iou.shape[1] for iou, _ in pictures)


def _area(scores, hits, objects, dips=False, points=101):
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision = found / np.arange(1, len(found) + 1)
    if not dips:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(found / objects, np.linspace(0, 1, points))
    return float(np.append(precision, 0)[at].mean())


def _ap50(pictures):
    scores, hits, objects = [], [], 0
    for iou, score in pictures:
        free = np.ones(iou.shape[1], bool)
        objects += iou.shape[1]
        for d in np.argsort(-score, kind="stable"):
            overlap = np.where(free, iou[d], 0)
            hits.append(overlap.max(initial=0) >= 0.5)
            scores.append(score[d])
            if hits[-1]:
                free[overlap.argmax()] = False
    found = np.cumsum(np.array(hits)[np.argsort(-np.array(scores), kind="stable")])
    precision = found / np.arange(1, len(found) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(found / objects, np.linspace(0, 1, 101))
    return np.append(best_from_here, 0)[at].mean()


@exercise(
    "Match picture by picture, as `match` does. What do you need to keep of each answer for the ranking?",
    "Its score and whether it is a hit. Add up the objects of all pictures, those without answers too.",
    "Sort all hits by score, then go on as `interpolated`; `max(initial=0)` helps where a picture has no object.",
    solution=_ap50,
)
def q2(ap50):
    pictures = ranked_pictures()
    scores, hits, objects = _hits(pictures)
    got, want = ap50(pictures), _area(scores, hits, objects)
    expect_number("`ap50(pictures)`", got, got)  # is it a number at all?
    each = [_area(*_hits([picture])) for picture in pictures[:2]]
    usual = {
        "that is the mean of the pictures' APs. Put the answers of all pictures into one ranking": np.mean(each),
        "an object is found more than once; the answer that takes it uses it up": _area(*_hits(pictures, once=False)),
        "precision at a recall is the best there *or later*; fill the dips": _area(scores, hits, objects, dips=True),
        "the picture without answers is left out, its 3 objects are missed": _area(scores, hits, objects - 3),
        "the picture without objects is left out, its answers are false alarms": _area(*_hits(pictures[:3])),
        "these are 11 recalls, as in PASCAL VOC; COCO takes 101": _area(scores, hits, objects, points=11),
        "picture by picture is no ranking; sort *all* by score": _area(np.arange(12.0)[::-1], hits, objects),
    }
    if not np.isclose(got, want, atol=1e-5):
        expect_none_of(f"`ap50(pictures)` is {float(got):.4f}, wanted {want:.4f}", got, usual)
    expect_number("`ap50(pictures)`", got, want)
    expect_number("with one picture, `ap50(pictures[:1])`", ap50(pictures[:1]), each[0])
    return "A false alarm in an empty picture counts: with a mean over pictures it would not even be seen."


def _void_maps():
    answer, truth, void = np.zeros((3, 8, 12), int)
    truth[0:4, 0:5] = 1  # shares 16 of 20 px with the answer, whose fifth column void takes off
    answer[0:4, 1:6] = 11
    void[0:4, 5] = 1
    truth[5:8, 0:4] = 2  # half: no match
    answer[5:8, 2:4] = 12
    answer[5:8, 5:9] = 13  # half void: an alarm
    void[5:8, 5:7] = 1
    answer[0:2, 7:11] = 14  # more than half void: excused
    void[0:2, 8:12] = 1
    truth[5:8, 10:12] = 3
    answer[5:8, 10:12] = 15
    return answer, truth, void.astype(bool)


def _pq(answer, truth, void):
    matched, ious = set(), []
    for p in np.unique(answer[answer > 0]):
        mine = (answer == p) & ~void
        for g in np.unique(truth[truth > 0]):
            iou = np.sum(mine & (truth == g)) / np.sum(mine | (truth == g))
            if iou > 0.5:
                matched.add(p)
                ious.append(iou)
    alarms = sum(p not in matched and np.mean(void[answer == p]) <= 0.5 for p in np.unique(answer[answer > 0]))
    misses = len(np.unique(truth[truth > 0])) - len(ious)
    sq, rq = np.mean(ious), len(ious) / (len(ious) + alarms / 2 + misses / 2)
    return sq * rq, sq, rq


@exercise(
    "For every pair of an answer and an object: the IoU without the answer's void pixels. Above 0.5 is a match.",
    "False alarms: answers without a match whose share of void, `void[answer == p].mean()`, is at most 0.5.",
    "SQ is the mean IoU of the matches, RQ their number / (their number + alarms / 2 + misses / 2).",
    solution=_pq,
)
def q3(pq):
    answer, truth, void = _void_maps()
    found = {"mask": (answer > 0).astype(int), "instances": answer}
    there = {"mask": np.where(void, 255, truth > 0), "instances": truth}
    scores = panoptic_quality([found], [there])["per_class"][1]
    got, want = pq(answer, truth, void), [scores[name] for name in ("PQ", "SQ", "RQ")]
    if not isinstance(got, tuple | list) or len(got) != 3:
        raise NotYet("`pq(answer, truth, void)` should return three numbers: PQ, SQ, RQ.")
    usual_sq = {
        "SQ counts void pixels in a union. Take them off the answer first": (16 / 24 + 1) / 2,
        "an IoU of exactly 0.5 is a match for you; above 0.5 is asked": (2 * want[1] + 0.5) / 3,
    }
    usual_rq = {
        "the answer that is mostly void is counted as a false alarm": 2 / (2 + 3 / 2 + 1 / 2),
        "an answer that is half void, not more, is excused": 2 / (2 + 1 / 2 + 1 / 2),
        "RQ counts false alarms and misses whole; they count half, as in F1": 2 / (2 + 2 + 1),
    }
    expect_none_of("`pq(answer, truth, void)`", got[1], usual_sq)
    expect_none_of("`pq(answer, truth, void)`", got[2], usual_rq)
    for name, value, wanted in zip(("PQ", "SQ", "RQ"), got, want, strict=True):
        expect_number(f"{name} of `pq(answer, truth, void)`", value, wanted)
    return "Void excuses what nobody can judge, and no more."


@cache
def _made_up():
    """Pictures with answers as a network gives them: masks that spill, digits found twice, alarms."""
    rng, made = np.random.default_rng(12), []
    for sample in Digits(30, seed=55, least_seen=0.25):
        seen, full = (sample[key].numpy().astype(float) for key in ("masks", "full_masks"))
        masks, labels, scores = [], [], []
        for k, label in enumerate(sample["labels"].tolist()):
            visible, whole = ndimage.gaussian_filter(seen[k], 0.7), ndimage.gaussian_filter(full[k], 0.7)
            masks.append(np.maximum(visible, rng.uniform(0.5, 0.8) * whole))
            labels.append(label if rng.random() < 0.95 else 1 + rng.integers(10))
            scores.append(rng.uniform(0.6, 1))
            if rng.random() < 0.4:  # once more
                masks.append(np.roll(masks[-1], rng.integers(-1, 2, 2), (0, 1)))
                labels.append(label if rng.random() < 0.4 else 1 + rng.integers(10))
                scores.append(scores[-1] * rng.uniform(0.6, 0.95))
        for _ in range(rng.poisson(0.6)):
            masks.append(np.roll(masks[0], rng.integers(20, 76, 2), (0, 1)))
            labels.append(1 + rng.integers(10))
            scores.append(rng.uniform(0.1, 0.65))
        best = np.argsort(-np.array(scores))
        made.append((sample, np.stack(masks)[best], np.array(labels)[best], np.array(scores)[best]))
    return made


def _map_score(to_instances):
    """PQ, SQ and RQ of the digits, and answers kept as a share of the digits there are."""
    maps, kept, there = [], 0, 0
    for sample, masks, labels, scores in _made_up():
        objects = np.asarray(to_instances(masks.copy(), labels.copy(), scores.copy()))
        expect_shape("`to_instances(masks, labels, scores)`", objects, masks.shape[1:])
        if objects.dtype.kind not in "iu" or objects.min() < 0 or objects.max() > len(masks):
            has = f"{objects.dtype}, from {objects.min()} to {objects.max()}"
            raise NotYet(f"The map holds integers from 0 to n = {len(masks)}, k + 1 for answer k; yours is {has}.")
        maps.append({"instances": objects, "mask": np.append(0, labels)[objects]})
        kept += len(np.unique(objects[objects > 0]))
        there += len(sample["labels"])
    per_class = panoptic_quality(maps, [sample for sample, *_ in _made_up()])["per_class"]
    return [np.mean([per_class[k][name] for k in per_class if k]) for name in ("PQ", "SQ", "RQ")], kept / there


def best_first(masks, labels, scores):
    """The lesson's `to_map`, the mark to beat."""
    objects = np.zeros(masks.shape[1:], int)
    for k in np.flatnonzero(scores >= 0.5):
        objects[(masks[k] >= 0.5) & (objects == 0)] = k + 1
    return objects


@cache
def _mark():
    (pq, *_), _ = _map_score(best_first)
    return pq


def _to_instances(masks, labels, scores):
    taken, kept = np.zeros(masks.shape[1:], bool), []
    for k in np.flatnonzero(scores >= 0.5):
        mask = masks[k] >= 0.5
        if taken[mask].sum() < 0.5 * mask.sum():  # else it is the same thing once more
            kept.append(k)
            taken |= mask
    if not kept:
        return np.zeros(masks.shape[1:], int)
    surest = np.array(kept)[masks[kept].argmax(0)]  # a pixel goes to the mask that is surest of it
    return np.where(masks[kept].max(0) >= 0.5, surest + 1, 0)


@exercise(
    "In `to_map`, a digit found twice leaves a rim, and who is first takes its neighbour's pixels too.",
    "Leave an answer out if half of its mask is taken already, of whatever class. Which mask is surest of a pixel?",
    "First choose the answers to keep. Then `masks[kept].argmax(0)` gives each pixel to the surest of them.",
    solution=_to_instances,
)
def q4(to_instances):
    mark = _mark()
    (reached, sq, rq), share = _map_score(to_instances)
    if reached < mark + 0.15:
        if share > 1.05:
            what = f"You keep {share:.2f} answers for each digit: what of the one that hardly shows behind another?"
        elif share < 0.9:
            what = f"You keep {share:.2f} answers for each digit: too strict."
        else:
            what = f"SQ {sq:.3f}, RQ {rq:.3f}: as many answers as digits, but who gets the pixels that two claim?"
        raise NotYet(f"PQ {reached:.3f}; the lesson's map has {mark:.3f}, wanted {mark + 0.15:.3f}. {what}")
    return f"PQ {reached:.3f}; the lesson's map has {mark:.3f}."
