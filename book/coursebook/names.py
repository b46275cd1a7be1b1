"""Names of files and columns as the course writes them."""

SPELLED = {
    **{"ap": "AP", "deeplab": "DeepLab", "f1": "F1", "fcn": "FCN", "iou": "IoU", "pspnet": "PSPNet", "rcnn": "R-CNN"},
    **{"segnet": "SegNet", "unet": "U-Net"},
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
