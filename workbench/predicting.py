"""One picture predicted: label map, overlay, probabilities and objects."""

import sys
from functools import partial
from pathlib import Path

import numpy as np

from seglib.plotting import class_color
from seglib.training import predict_logits
from workbench.detections import detect, enlarged, paint
from workbench.drawing import outlined, save_labels, save_picture, with_legend
from workbench.networks import DETECTORS
from workbench.nuclei import reduction, typical_diameter
from workbench.objects import run_lengths
from workbench.pictures import Picture
from workbench.tiles import check_tiles, mean_of_looks, objects, predict_rows

LARGEST_FIGURE = 2048  # px; overlays of larger pictures are drawn smaller
LABELS, OVERLAYS, OBJECTS, CLASSES, SHARES = "labels", "overlays", "objects.json", "classes.txt", "probabilities"


def check(arguments, config):
    """Raise ValueError for options that the network can't follow."""
    model, diameter, threshold = config["model"], arguments.diameter, arguments.threshold
    check_tiles(arguments.tile, arguments.overlap)
    if diameter is not None and (model != "nuclei" or not diameter > 0):
        raise ValueError(f"--diameter is {diameter:g}, for {model}: it is above 0 px, and for nuclei")
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"--threshold is {threshold:g}; wanted is a probability between 0 and 1")
    if model in DETECTORS and (arguments.probabilities or threshold or arguments.looks > 1):
        wanted = "leave out --probabilities, --threshold and --looks"
        raise ValueError(f"{model} finds objects and has no probabilities of pixels: {wanted}")


def predict_one(network, config, name, path, arguments, show):
    """Write what is asked of one picture; return what `coco_content` wants: its name, size and objects."""
    picture, out = Picture(path, config["grey"], config["model"] == "nuclei", config.get("size")), Path(arguments.out)
    tiling, classes = (arguments.tile, arguments.overlap), list(enumerate(config["classes"]))[1:]
    if config["model"] == "nuclei":
        labels, found = painted(find_nuclei(network, picture, tiling, show, arguments.diameter), picture.size)
    elif config["model"] in DETECTORS:
        detections = detect(network, picture.read, picture.size, *tiling, show)
        labels, found = painted(at_full_size(detections, picture), picture.size)
    else:
        labels, found = by_pixels(network, picture, config, arguments, out / SHARES / f"{name}.npy", show)
    step = -(-max(picture.size) // LARGEST_FIGURE)
    shown = picture.reduced(step)
    if config["objects"]:
        counted = [label for _, label, *_ in found]
        legend = [(f"{text}: {counted.count(label)}", None) for label, text in classes]
        small = [
            (score, label, -(-top // step), -(-left // step), mask[-top % step :: step, -left % step :: step])
            for score, label, top, left, mask in found
        ]
        drawn, _ = paint(small, shown.shape[:2])
        figure = outlined(shown, drawn, drawn)
    else:
        legend = [(text, class_color(label)) for label, text in classes if (labels == label).any()]
        figure = outlined(shown, labels[::step, ::step])
    save_labels(out / LABELS / f"{name}.png", labels)
    save_picture(out / OVERLAYS / f"{name}.png", with_legend(figure, legend or [("background alone", None)]))
    return f"{name}{path.suffix}", picture.size, [as_annotation(*each, picture.size) for each in found]


def as_annotation(score, label, top, left, mask, size):
    """An object in a picture of ``size`` as COCO has it, with its score."""
    facts = {"category_id": label, "bbox": [left, top, *mask.shape[::-1]], "area": int(mask.sum()), "iscrowd": 0}
    return facts | {"segmentation": run_lengths(top, left, mask, size), "score": round(score, 4)}


def at_full_size(detections, picture):
    """Detections of a picture that was read reduced, as those of the whole picture, which it then is."""
    step, picture.step = picture.step, 1
    return [enlarged(each, step, picture.size) for each in detections]


def by_pixels(network, picture, config, arguments, shares_path, show):
    """Class of every pixel, uint8 (H, W); and, if they are to be cut apart, objects (score, label, top, left, mask)."""
    labels, certainty = np.zeros((2, *picture.size), np.uint8)  # of the first class in 1/255
    if arguments.probabilities:
        shares_path.parent.mkdir(parents=True, exist_ok=True)
        kept = np.lib.format.open_memmap(shares_path, "w+", np.float16, (len(config["classes"]), *picture.size))
    logits_of = mean_of_looks(partial(predict_logits, network), arguments.looks)
    for top, shares in predict_rows(logits_of, picture.read, picture.size, arguments.tile, arguments.overlap):
        rows = slice(top, top + shares.shape[1])
        labels[rows] = shares.argmax(0).numpy()
        if arguments.threshold is not None:
            best, other = shares[1:].max(0)
            labels[rows] = (other + 1).where(best >= arguments.threshold, 0).numpy()
        if arguments.probabilities:
            kept[:, rows] = shares.numpy()
        certainty[rows] = (shares[1] * 255).round().numpy()
        show(rows.stop / picture.size[0])
    found, step = [], picture.step
    for top, left, mask in objects(labels > 0) if config["objects"] else ():
        score = certainty[top : top + mask.shape[0], left : left + mask.shape[1]][mask].mean() / 255
        found.append((float(score), 1, top, left, mask))
    found = at_full_size(found, picture)
    return labels.repeat(step, 0).repeat(step, 1)[: picture.size[0], : picture.size[1]], found


def painted(detections, size):
    """As `by_pixels`, of a detector's answers: a pixel belongs to the best object that claims it."""
    instances, kept = paint(detections, size)
    return np.array([0, *(label for _, label, *_ in kept)], np.uint8)[instances], kept


def find_nuclei(network, picture, tiling, show, diameter=None):
    """Detections of `nuclei.Nuclei` in a picture that is reduced so that they have the size it knows best.

    Without a ``diameter`` a first look, at half of the picture's size, tells it. Says so on stderr if the picture is
    none of fluorescence.
    """
    if picture.is_bright_field():
        made = "This network was made for fluorescence, bright nuclei on dark ground"
        useless = "what it finds in stained tissue or in bright field means nothing"
        print(f"{picture.path}: most of it is bright. {made}; {useless}", file=sys.stderr)
    look, found = 2, None
    if diameter is None:
        picture.step = look
        found = detect(network, picture.read, picture.size, *tiling, lambda share: show(share / 5))
        diameter = look * typical_diameter([mask.sum() for *_, mask in found])
    picture.step = reduction(diameter)
    if found is None or picture.step != look:
        found = detect(network, picture.read, picture.size, *tiling, show)
    return at_full_size(found, picture)
