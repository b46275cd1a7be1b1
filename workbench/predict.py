"""``seglib predict``: label maps, overlays and objects of pictures of any size."""

import json
import sys
from pathlib import Path

LARGEST_FIGURE = 2048  # px; overlays of larger pictures are drawn smaller
LABELS, OVERLAYS, OBJECTS, CLASSES = "labels", "overlays", "objects.json", "classes.txt"


def add_parser(subparsers):
    """Add ``predict`` to the command line."""
    parser = subparsers.add_parser(
        "predict",
        help="predict pictures of any size",
        description="Predict pictures by overlapping tiles: label maps (PNG with a palette), overlays, and for nuclei "
        "the objects in COCO's format. Files that can't be read are reported and passed over; the exit status is "
        "then 1.",
    )
    parser.add_argument("pictures", nargs="+", help="pictures, folders of pictures, or dsb2018, camvid: held-back ones")
    parser.add_argument(
        "--weights",
        default="nuclei",
        help="a run's folder, or its weights.safetensors (default: %(default)s, a network for fluorescence pictures "
        "of nuclei that comes with the course)",
    )
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--tile", type=int, default=512, help="side of the tiles, a multiple of 32")
    parser.add_argument("--overlap", type=int, default=128, help="of the tiles, a multiple of 32")
    parser.add_argument(
        "--diameter",
        type=float,
        help="of typical nuclei, in px, for the network that comes with the course and those that began with it; "
        "without it a first look at each picture tells",
    )


def run(arguments):
    """Predict all pictures; return the exit status, 1 if one of them failed."""
    from seglib.progress import Progress
    from seglib.training import best_device
    from seglib.training.weights import write_whole
    from workbench.networks import load_run
    from workbench.pictures import find_pictures
    from workbench.tiles import check_tiles

    check_tiles(arguments.tile, arguments.overlap)
    network, config = load_run(arguments.weights)
    if arguments.diameter is not None and (config["model"] != "nuclei" or not arguments.diameter > 0):
        raise ValueError(
            f"--diameter is {arguments.diameter:g}, for {config['model']}: it is above 0 px, and for nuclei"
        )
    network.to(best_device())
    found, out, failed, entries = find_pictures(arguments.pictures), Path(arguments.out), [], []
    with Progress("predicting") as bar:
        for number, (name, path) in enumerate(found.items()):

            def show(share, number=number, name=name):
                bar.update((number + share) / len(found), name)

            try:
                tiling = (arguments.tile, arguments.overlap)
                entries.append(predict_one(network, config, path, out, tiling, show, arguments.diameter))
            except ValueError as error:
                failed.append(str(error))
        bar.close_with(f"{len(entries)} of {len(found)} pictures, in {out}")
    for reason in failed:
        print(f"passed over: {reason}", file=sys.stderr)
    if entries:
        write_whole(out / CLASSES, ("\n".join(config["classes"]) + "\n").encode())
    if entries and config["objects"]:
        write_whole(out / OBJECTS, json.dumps(as_coco(entries, config["classes"])).encode())
    return 1 if failed else 0


def predict_one(network, config, path, out, tiling, show, diameter=None):
    """Write labels and overlay of one picture; return its path, size and objects: (score, label, RLE, box) of each."""
    import numpy as np

    from seglib.plotting import overlay, overlay_instances
    from workbench.detections import detect
    from workbench.drawing import save_labels, save_picture
    from workbench.networks import DETECTORS
    from workbench.objects import run_lengths
    from workbench.pictures import Picture

    picture = Picture(path, config["grey"], exposed=config["model"] == "nuclei")
    if config["model"] == "nuclei":
        labels, found = painted(find_nuclei(network, picture, tiling, show, diameter), picture.size)
    elif config["model"] in DETECTORS:
        labels, found = painted(detect(network, picture.read, picture.size, *tiling, show), picture.size)
    else:
        labels, found = by_pixels(network, picture, config["objects"], tiling, show)
    step = -(-max(picture.size) // LARGEST_FIGURE)
    shown, drawn = picture.reduced(step), np.zeros([-(-side // step) for side in picture.size], np.int32)
    listed = []
    for score, label, top, left, mask in found:
        height, width = mask.shape
        listed.append((score, label, run_lengths(top, left, mask, picture.size), [left, top, width, height]))
        part = mask[-top % step :: step, -left % step :: step]
        down, right = -(-top // step), -(-left // step)
        drawn[down : down + part.shape[0], right : right + part.shape[1]][part] = len(listed)
    save_labels(out / LABELS / f"{path.stem}.png", labels)
    figure = overlay_instances(shown, drawn) if config["objects"] else overlay(shown, labels[::step, ::step])
    save_picture(out / OVERLAYS / f"{path.stem}.png", figure)
    return path, picture.size, listed


def by_pixels(network, picture, cut, tiling, show):
    """Class of every pixel, uint8 (H, W); and, if they are to be cut apart, objects (score, label, top, left, mask)."""
    import numpy as np

    from seglib.training import predict_logits
    from workbench.tiles import objects, predict_rows

    labels = np.zeros(picture.size, np.uint8)
    certainty = np.zeros(picture.size if cut else (0, 0), np.uint8)  # of the foreground, in 1/255
    for top, shares in predict_rows(lambda batch: predict_logits(network, batch), picture.read, picture.size, *tiling):
        rows = slice(top, top + shares.shape[1])
        labels[rows] = shares.argmax(0).numpy()
        if cut:
            certainty[rows] = (shares[1] * 255).round().numpy()
        show(rows.stop / picture.size[0])
    found, parts = [], objects(labels > 0) if cut else []
    for top, left, mask in parts:
        height, width = mask.shape
        score = certainty[top : top + height, left : left + width][mask].mean() / 255
        found.append((float(score), 1, top, left, mask))
    return labels, found


def painted(detections, size):
    """As `by_pixels`, of a detector's answers: a pixel belongs to the best object that claims it."""
    import numpy as np

    from workbench.detections import paint

    instances, kept = paint(detections, size)
    labels, found = np.zeros(size, np.uint8), []
    for number, (score, label, top, left, mask) in enumerate(kept, start=1):
        window = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
        seen = instances[window] == number
        labels[window][seen] = label
        found.append((score, label, top, left, seen))
    return labels, found


def find_nuclei(network, picture, tiling, show, diameter=None):
    """Detections of `nuclei.Nuclei` in a picture that is reduced so that they have the size it knows best.

    Without a ``diameter`` a first look, at half of the picture's size, tells it. Says so on stderr if the picture is
    none of fluorescence.
    """
    from workbench.detections import detect, enlarged
    from workbench.nuclei import reduction, typical_diameter

    if picture.is_bright_field():
        print(
            f"{picture.path}: most of it is bright. This network was made for fluorescence, bright nuclei on dark "
            "ground; what it finds in stained tissue or in bright field means nothing",
            file=sys.stderr,
        )
    look, found = 2, None
    if diameter is None:
        picture.step = look
        found = detect(network, picture.read, picture.size, *tiling, lambda share: show(share / 5))
        diameter = look * typical_diameter([mask.sum() for *_, mask in found])
    step = reduction(diameter)
    if found is None or step != look:
        picture.step = step
        found = detect(network, picture.read, picture.size, *tiling, show)
    picture.step = 1
    return [enlarged(each, step, picture.size) for each in found]


def as_coco(entries, classes):
    """The objects of all pictures in COCO's format, with "score" beside each annotation."""
    images, annotations = [], []
    for number, (path, (height, width), found) in enumerate(entries, start=1):
        images.append({"id": number, "file_name": path.name, "height": height, "width": width})
        for score, label, rle, box in found:
            area = sum(rle["counts"][1::2])
            annotation = {"id": len(annotations) + 1, "image_id": number, "category_id": label, "bbox": box}
            annotation |= {"area": area, "iscrowd": 0, "segmentation": rle, "score": round(score, 4)}
            annotations.append(annotation)
    categories = [{"id": number, "name": name} for number, name in enumerate(classes) if number > 0]
    return {"images": images, "annotations": annotations, "categories": categories}
