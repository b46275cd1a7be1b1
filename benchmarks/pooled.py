"""Scores of instance maps, pooled over pictures: what several programs measure of nuclei."""

from seglib.metrics import instance_f1


def pooled_scores(pairs):
    """IoU of the foreground; F1, precision and recall of the objects at IoU 0.5.

    ``pairs`` are (found, true) instance maps, integer (H, W), 0 = none.
    """
    shared = covered = 0
    objects = []
    for found, truth in pairs:
        shared += ((found > 0) & (truth > 0)).sum()
        covered += ((found > 0) | (truth > 0)).sum()
        objects.append(instance_f1(found, truth))
    pooled = sum(objects[1:], objects[0])
    figures = {"iou": shared / covered, "object_f1": pooled.f1, "precision": pooled.precision, "recall": pooled.recall}
    return {name: round(float(figure), 4) for name, figure in figures.items()}
