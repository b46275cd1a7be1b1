"""Answers to the exercises of lesson 04, as learners give them."""

import coin_rulers as rulers
import counted_pairs as pairs
import numpy as np
import torch
from exercise_proof import mutation
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import label
from skimage.segmentation import find_boundaries

from seglib import metrics
from seglib.exercises.measuring import q1, q2, q3, q4


def by_nearest_pixels(prediction, truth):
    """Every pair of outline pixels, without a distance transform."""
    rims = [np.argwhere(mask & ~ndimage.binary_erosion(mask, border_value=1)) for mask in (prediction, truth)]
    if min(map(len, rims)) == 0:
        return 0 if (prediction == truth).all() else float("inf")
    apart = np.linalg.norm(rims[0][:, None] - rims[1][None], axis=-1)
    return np.maximum(*(np.quantile(apart.min(axis), 0.95) for axis in (0, 1)))


def inner_boundaries(prediction, truth):
    """scikit-image's outlines; where there is none, the distances are an empty list."""
    rims = [find_boundaries(mask, connectivity=1, mode="inner") & mask for mask in (prediction, truth)]
    if not (rims[0].any() and rims[1].any()):
        return np.inf if np.any(prediction ^ truth) else 0.0
    far = [ndimage.distance_transform_edt(~rims[1 - i])[rims[i]] for i in (0, 1)]
    return float(max(np.percentile(each, 95) for each in far))


def of_four_neighbours(mask):
    return mask & ~ndimage.binary_erosion(mask, border_value=1)


def of_eight_neighbours(mask):
    return mask & ~ndimage.binary_erosion(mask, np.ones((3, 3)), border_value=1)


def outside(mask):
    return ndimage.binary_dilation(mask) & ~mask


def filled(mask):
    return of_four_neighbours(ndimage.binary_fill_holes(mask))


def of_outlines(outline=of_four_neighbours, **percentile):
    """Answers that differ from the right one in their outlines, or in the percentile."""

    def hausdorff_95(prediction, truth):
        rims = [outline(mask) for mask in (prediction, truth)]
        if not (rims[0].any() and rims[1].any()):
            return 0.0 if np.array_equal(prediction, truth) else np.inf
        far = [ndimage.distance_transform_edt(~rims[1 - i])[rims[i]] for i in (0, 1)]
        return max(np.percentile(each, **{"q": 95} | percentile) for each in far)

    return hausdorff_95


def tenth_of_iou(mask, instances):
    return metrics.instance_f1(label(mask, connectivity=1), instances).f1 + 0.1 * metrics.binary_iou(
        mask, instances > 0
    )


def to_whole_masks(prediction, truth):
    """From each outline to the other mask, not to its outline."""
    rims = [of_four_neighbours(mask) for mask in (prediction, truth)]
    if not (rims[0].any() and rims[1].any()):
        return 0.0 if np.array_equal(prediction, truth) else np.inf
    far = [ndimage.distance_transform_edt(~mask)[rim] for mask, rim in ((truth, rims[0]), (prediction, rims[1]))]
    return max(np.percentile(each, 95) for each in far)


def with_scipy_trees(prediction, truth):
    rims = [np.argwhere(of_four_neighbours(mask)) for mask in (prediction, truth)]
    if not (len(rims[0]) and len(rims[1])):
        return torch.tensor(0.0 if np.array_equal(prediction, truth) else np.inf)
    far = [cKDTree(rims[1 - i]).query(rims[i])[0] for i in (0, 1)]
    return torch.stack([torch.from_numpy(each).quantile(0.95) for each in far]).max()


def loop_over_classes(matrix):
    scores = []
    for k in range(len(matrix)):
        union = matrix[k].sum() + matrix[:, k].sum() - matrix[k, k]
        if union:
            scores.append(matrix[k, k] / union)
    return sum(scores) / len(scores)


def of_a_tensor(matrix):
    matrix = torch.from_numpy(matrix).double()
    return (matrix.diag() / (matrix.sum(0) + matrix.sum(1) - matrix.diag())).nanmean()


def rounded_f1(mask, instances):
    """As digits: three of object F1, then those of the IoU."""
    objects = metrics.instance_f1(label(mask, connectivity=1), instances).f1
    return round(objects, 3) + metrics.binary_iou(mask, instances > 0) / 1000


def count_error_first(mask, instances):
    """Merged objects, then the difference of the two counts: a miss and a speck cancel."""
    found = label(mask, connectivity=1)
    iou = metrics.binary_iou(mask, instances > 0)
    return -10 * metrics.merged_objects(found, instances) - abs(int(found.max()) - instances.max()) + 1e-3 * iou


def dice_second(mask, instances):
    found = label(mask, connectivity=1)
    return 1e4 * metrics.instance_f1(found, instances).f1 + metrics.binary_dice(mask, instances > 0)


def mean_of_coins_second(mask, instances):
    """Where object F1 is equal, the mean IoU of the single coins decides."""
    table = metrics.overlap_table(label(mask, connectivity=1), instances)
    both = table[1:, 1:]
    ious = both / (table.sum(1)[1:, None] + table.sum(0)[None, 1:] - both)
    return objects_f1(mask, instances) + 1e-6 * ious.max(1).mean()


def objects_first(share):
    return lambda mask, instances: objects_f1(mask, instances) + share * metrics.binary_iou(mask, instances > 0)


def jaccard_of_objects(mask, instances):
    score = metrics.instance_f1(label(mask, connectivity=1), instances)
    errors = score.false_positives + score.false_negatives
    return score.true_positives / (score.true_positives + errors) + 1e-6 * metrics.binary_iou(mask, instances > 0)


def objects_f1(mask, instances):
    return metrics.instance_f1(label(mask, connectivity=1), instances).f1


def covered_centres(mask, instances):
    """A coin is found if an object covers its centre, and this object has no other coin's."""
    found = label(mask, connectivity=1)
    centres = ndimage.center_of_mass(instances > 0, instances, range(1, instances.max() + 1))
    at = np.array([found[round(y), round(x)] for y, x in centres])
    hits = sum((at == object_id).sum() == 1 for object_id in range(1, found.max() + 1))
    return 2 * hits / (found.max() + instances.max()) + 1e-6 * metrics.binary_iou(mask, instances > 0)


def on_a_new_map(mask, instances):
    """Throws the true map away, so that touching coins are one."""
    return objects_f1(mask, label(instances > 0, connectivity=1)) + 1e-6 * metrics.binary_iou(mask, instances > 0)


def as_a_factor(mask, instances):
    """Of two masks without a right object, neither is ahead."""
    return objects_f1(mask, instances) * (1 + 1e-6 * metrics.binary_iou(mask, instances > 0))


def scipy_labels(mask, instances):
    found, _ = ndimage.label(mask)  # four neighbours
    return metrics.instance_f1(found, instances).f1 + 1e-4 * metrics.binary_iou(mask, instances > 0)


def in_order(mask, instances):
    """Object F1 in millionths, as a whole number, and the IoU behind the point."""
    score = metrics.instance_f1(label(mask, connectivity=1), instances)
    return round(1e6 * score.f1) + metrics.binary_iou(mask, instances > 0)


WRONG = {
    "q1": [
        mutation(q1.solution, ("true * num_classes + called", "called * num_classes + true")),
        mutation(
            q1.solution,
            ("target != 255", "target >= 0"),
            ("target[counted].", "np.where(target == 255, num_classes - 1, target)[counted]."),
        ),
        mutation(q1.solution, ("    return", "    num_classes = true.max() + 1\n    return")),
        mutation(q1.solution, ("reshape(num_classes, num_classes)", "reshape(num_classes, num_classes) / len(true)")),
        mutation(
            q1.solution,
            ("target[counted].astype(int), prediction[counted].astype(int)", "target[counted], prediction[counted]"),
        ),
        mutation(q1.solution, ("ids.max(initial=0) >= num_classes", "False")),  # lands in another row
        mutation(q1.solution, ("target != 255", "(target != 255) & (prediction >= 0)")),
        mutation(q1.solution, ("min(initial=0)", "min()"), ("max(initial=0)", "max()")),
        *(
            pairs.of_21_classes,
            pairs.up_to_20,
            pairs.only_predictions_looked_at,
            pairs.of_two_axes,
            pairs.bare_everywhere,
        ),
        *(
            pairs.with_a_loop,
            pairs.only_hits,
            pairs.adding_at,
            pairs.adding_at_strictly,
            pairs.by_sklearn,
            pairs.strict_everywhere,
            pairs.in_bytes,
            pairs.in_short_numbers,
            pairs.looked_at_in_bytes,
            pairs.asserting,
        ),
    ],
    "q2": [
        lambda matrix: np.nan_to_num(metrics.iou(matrix), nan=0).mean(),  # absent is zero
        lambda matrix: np.nan_to_num(metrics.iou(matrix), nan=1).mean(),  # absent is one
        lambda matrix: metrics.iou(matrix).mean(),  # nan spreads
        mutation(q2.solution, ("matrix.sum(0) + matrix.sum(1) - hits", "matrix.sum(1)")),
        mutation(q2.solution, ("hits[occurs] /", "2 * hits[occurs] /"), (" - hits", "")),
        lambda matrix: matrix.trace() / (2 * matrix.sum() - matrix.trace()),  # pooled over classes
        mutation(q2.solution, ("union > 0", "matrix.sum(1) > 0")),
        mutation(q2.solution, ("union > 0", "matrix.sum(0) > 0")),
        mutation(q2.solution, ("matrix.sum(0) + matrix.sum(1) - hits", "matrix.sum(0)")),
        mutation(q2.solution, (" - hits", "")),
        mutation(q2.solution, ("hits[occurs] /", "hits[occurs] //")),
        mutation(q2.solution, ("hits[occurs] / union[occurs]", "(hits[occurs] / union[occurs])[1:]")),
        lambda matrix: matrix.trace() / matrix.sum(),  # accuracy
        lambda matrix: np.nanmean(metrics.iou(matrix)[:3]),  # three classes, for ever
        lambda matrix: metrics.mean_iou(matrix[:3, :3]),
        lambda matrix: metrics.mean_iou(matrix.astype(np.uint8)),
    ],
    "q3": [
        mutation(q3.solution, ("return max(np.percentile(distances[1][outlines[0]], 95), ", "return max(0, ")),
        mutation(q3.solution, (", np.percentile(distances[0][outlines[1]], 95))", ", 0)")),
        mutation(q3.solution, ("outlines[0]], 95)", "outlines[0]], 100)"), ("outlines[1]], 95)", "outlines[1]], 100)")),
        mutation(q3.solution, ("mask & ~ndimage.binary_erosion(mask, border_value=1)", "mask")),
        mutation(q3.solution, (", border_value=1", "")),
        mutation(q3.solution, ("return max(", "return 0.5 * sum(("), ("outlines[1]], 95))", "outlines[1]], 95)))")),
        mutation(q3.solution, ("np.inf", "np.nan")),
        mutation(q3.solution, ("return 0.0 if np.array_equal(prediction, truth) else", "return")),
        mutation(q3.solution, ("np.array_equal(prediction, truth)", "not (prediction.any() or truth.any())")),
        mutation(q3.solution, ("np.array_equal(prediction, truth)", "not (outlines[0].any() or outlines[1].any())")),
        mutation(q3.solution, ("edt(~outline)", "edt(outline)")),
        mutation(
            q3.solution, ("not outlines[0].any() or not outlines[1].any()", "not (prediction.any() and truth.any())")
        ),
        to_whole_masks,
        of_outlines(of_eight_neighbours),
        of_outlines(outside),
        of_outlines(q=90),
        of_outlines(filled),
        mutation(
            q3.solution,
            ("    distances = [", "    if not (prediction & truth).any():\n        return np.inf\n    distances = ["),
        ),
    ],
    "q4": [
        lambda mask, instances: metrics.binary_iou(mask, instances > 0),
        lambda mask, instances: metrics.boundary_f1(mask, instances > 0, tolerance=1),  # outline only
        mutation(q4.solution, (" + 1e-6 * binary_iou(mask, instances > 0)", "")),
        mutation(q4.solution, ("1e-6 * ", "")),
        mutation(q4.solution, ("return objects + 1e-6", "return -objects - 1e-6")),
        mutation(q4.solution, ("label(mask, connectivity=1)", "mask")),
        *(count_error_first, tenth_of_iou, covered_centres, rulers.matched_above(0.45)),
        lambda mask, instances: objects_f1(mask, instances) + 1e-6 * mask.sum(),  # the bare area
        lambda mask, instances: objects_f1(mask, instances) + 1e-6 * (mask & (instances > 0)).sum(),
        lambda mask, instances: objects_f1(mask, instances) - 1e-6 * mask.sum(),
        lambda mask, instances: objects_f1(mask, instances) + 1e-3 * metrics.boundary_f1(mask, instances > 0, 1),
        lambda mask, instances: objects_f1(mask, instances) + 1e-3 * metrics.boundary_iou(mask, instances > 0),
        mutation(q4.solution, ("1e-6 * ", "0.01 * ")),
        mutation(q4.solution, ("1e-6 * ", "0.005 * ")),
        *(objects_first(1e-3), objects_first(4e-4), rounded_f1, mean_of_coins_second),
        *(rulers.half_of_each, rulers.half_is_enough, rulers.with_holes_filled),
        mutation(q4.solution, ("connectivity=1", "connectivity=2")),
        *(on_a_new_map, as_a_factor),
    ],
}

RIGHT = {
    "q1": [pairs.adding_at_translated, pairs.through_one_hot, pairs.numbering_pairs, pairs.counted_by_sklearn],
    "q2": [lambda matrix: float(np.nanmean(metrics.iou(matrix))), loop_over_classes, of_a_tensor],
    "q3": [
        *(by_nearest_pixels, inner_boundaries, with_scipy_trees),
        *(of_outlines(method=method) for method in ("nearest", "lower", "higher")),
    ],
    "q4": [dice_second, scipy_labels, in_order, jaccard_of_objects, objects_first(1e-4), objects_first(1e-9)],
}
