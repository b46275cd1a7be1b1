"""Wrong answers to the exercises of lesson 14, as learners give them."""

import numpy as np


def weights(at, length):
    return np.maximum(0, 1 - abs(at[:, None] - np.arange(length)))


def aligned(features, box, cells, half=0.5, middle=0.5, clip=True):
    left, top, right, bottom = np.array(box) - half
    places = (np.arange(cells) + middle) / cells
    at = [top + places * (bottom - top), left + places * (right - left)]
    if clip:
        at = [np.clip(each, 0, length - 1) for each, length in zip(at, features.shape[1:], strict=True)]
    return weights(at[0], features.shape[1]) @ features @ weights(at[1], features.shape[2]).T


def without_the_half_pixel(features, box, cells):
    return aligned(features, box, cells, half=0)


def at_the_corners(features, box, cells):
    return aligned(features, box, cells, middle=0)


def columns_first(features, box, cells):
    return aligned(features, box, cells).swapaxes(1, 2)


def zero_beyond(features, box, cells):
    return aligned(features, box, cells, clip=False)


def place_by_place(features, box, cells):
    return np.stack([aligned(feature[None], box, cells)[0] for feature in features])


def nearest(features, box, cells):
    left, top, right, bottom = box
    ys, xs = (np.arange(cells) + 0.5) / cells * (bottom - top) + top, (np.arange(cells) + 0.5) / cells * (right - left)
    return features[:, ys.astype(int)][:, :, (xs + left).astype(int)]


def judged(pictures, once=True, above=0.5):
    scores, hits = [], []
    for iou, score in pictures:
        free = np.ones(iou.shape[1], bool)
        for d in np.argsort(-score, kind="stable"):
            overlap = np.where(free, iou[d], 0)
            hits.append(overlap.max(initial=0) >= above)
            scores.append(score[d])
            if hits[-1] and once:
                free[overlap.argmax()] = False
    return np.array(scores), np.array(hits, bool), sum(iou.shape[1] for iou, _ in pictures)


def area(scores, hits, objects, fill=True, points=101):
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision = found / np.arange(1, len(found) + 1)
    if fill:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    return np.append(precision, 0)[np.searchsorted(found / objects, np.linspace(0, 1, points))].mean()


def mean_of_pictures(pictures):
    return np.mean([area(*judged([each])) for each in pictures if each[0].size])


def finds_twice(pictures):
    return area(*judged(pictures, once=False))


def leaves_the_dips(pictures):
    return area(*judged(pictures), fill=False)


def skips_pictures_without_answers(pictures):
    return area(*judged([each for each in pictures if len(each[1])]))


def skips_pictures_without_objects(pictures):
    return area(*judged([each for each in pictures if each[0].shape[1]]))


def eleven_points(pictures):
    return area(*judged(pictures), points=11)


def precision_alone(pictures):
    _, hits, _ = judged(pictures)
    return hits.mean()


def counted(answer, truth, void, in_union=True, least=0.5, equal=False, excused=0.5, half=0.5, at_least=False):
    ids, matched, ious = np.unique(answer[answer > 0]), set(), []
    for p in ids:
        mine = (answer == p) & ~void if in_union else answer == p
        for g in np.unique(truth[truth > 0]):
            iou = np.sum(mine & (truth == g)) / np.sum(mine | (truth == g))
            if iou > least or (equal and iou == least):
                matched.add(p)
                ious.append(iou)
    shares = {p: np.mean(void[answer == p]) for p in ids}
    alarms = sum(
        p not in matched and (share < excused if at_least else share <= excused) for p, share in shares.items()
    )
    misses = len(np.unique(truth[truth > 0])) - len(ious)
    sq, rq = np.mean(ious), len(ious) / (len(ious) + half * alarms + half * misses)
    return sq * rq, sq, rq


def void_in_the_union(answer, truth, void):
    return counted(answer, truth, void, in_union=False)


def from_exactly_half(answer, truth, void):
    return counted(answer, truth, void, equal=True)


def excuses_nothing(answer, truth, void):
    return counted(answer, truth, void, excused=1)


def excuses_half(answer, truth, void):
    return counted(answer, truth, void, at_least=True)


def errors_count_whole(answer, truth, void):
    return counted(answer, truth, void, half=1)


def quality_alone(answer, truth, void):
    return counted(answer, truth, void)[0]


def parts_first(answer, truth, void):
    pq, sq, rq = counted(answer, truth, void)
    return sq, rq, pq


def best_first(masks, labels, scores, least=0.5):
    objects = np.zeros(masks.shape[1:], int)
    for k in np.flatnonzero(scores >= least):
        objects[(masks[k] >= 0.5) & (objects == 0)] = k + 1
    return objects


def without_second_answers(masks, labels, scores):
    objects = np.zeros(masks.shape[1:], int)
    for k in np.flatnonzero(scores >= 0.5):
        free = (masks[k] >= 0.5) & (objects == 0)
        if free.sum() > 0.5 * (masks[k] >= 0.5).sum():
            objects[free] = k + 1
    return objects


def every_answer(masks, labels, scores):
    return best_first(masks, labels, scores, least=0)


def only_sure_ones(masks, labels, scores):
    return best_first(masks, labels, scores, least=0.9)


def surest_of_all(masks, labels, scores):
    return np.where(masks.max(0) >= 0.5, masks.argmax(0) + 1, 0)


def a_foreground(masks, labels, scores):
    return masks.max(0) >= 0.5


def one_map_each(masks, labels, scores):
    return masks >= 0.5


WRONG = {
    "q1": [without_the_half_pixel, at_the_corners, columns_first, zero_beyond, place_by_place, nearest],
    "q2": [
        mean_of_pictures,
        finds_twice,
        leaves_the_dips,
        skips_pictures_without_answers,
        skips_pictures_without_objects,
        eleven_points,
        precision_alone,
    ],
    "q3": [
        void_in_the_union,
        from_exactly_half,
        excuses_nothing,
        excuses_half,
        errors_count_whole,
        quality_alone,
        parts_first,
    ],
    "q4": [best_first, without_second_answers, every_answer, only_sure_ones, surest_of_all, a_foreground, one_map_each],
}
