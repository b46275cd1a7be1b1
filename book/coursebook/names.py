"""Names of files and columns as the course writes them."""

SPELLED = {
    **{"ap": "AP", "ap50": "AP50", "ap75": "AP75", "f1": "F1", "iou": "IoU", "pq": "PQ", "rq": "RQ", "sq": "SQ"},
    **{"deeplab": "DeepLab", "fcn": "FCN", "pspnet": "PSPNet", "rcnn": "R-CNN", "segnet": "SegNet", "unet": "U-Net"},
    **{"roi": "RoI", "gib": "GiB"},
    **{"p5": "5 %", "p25": "25 %", "p50": "50 %", "p75": "75 %", "p95": "95 %"},
}


WHOLE = {
    "multiply_adds_m": "multiply-adds (millions)",
    "times_seglib": "times seglib's",
    "times_flood": "times flood's",
}


def words(name):
    """``object_f1`` gives "object F1", ``faster_rcnn`` "faster R-CNN"."""
    if name in WHOLE:
        return WHOLE[name]
    return " ".join(SPELLED.get(word, word) for word in name.split("_"))


def title(name):
    """The same for the beginning of a line: ``faster_rcnn`` gives "Faster R-CNN"."""
    text = words(name)
    return text[:1].upper() + text[1:]
