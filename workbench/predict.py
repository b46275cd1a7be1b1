"""``seglib predict``: label maps, overlays and objects of pictures of any size."""

import json
import sys
from pathlib import Path

LARGEST_FIGURE = 2048  # px; overlays of larger pictures are drawn smaller
LABELS, OVERLAYS, OBJECTS, CLASSES, SHARES = "labels", "overlays", "objects.json", "classes.txt", "probabilities"


def add_parser(subparsers):
    """Add ``predict`` to the command line."""
    parser = subparsers.add_parser(
        "predict",
        help="predict pictures of any size",
        description="Predict pictures by overlapping tiles: label maps (PNG with a palette), overlays, and for nuclei "
        "the objects in COCO's format. Folders are walked. Files that can't be read are reported and passed over; the "
        "exit status is then 1.",
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
    pixels = parser.add_argument_group("networks that name classes of pixels")
    pixels.add_argument(
        "--probabilities", action="store_true", help="write them too: NumPy's float16 (classes, height, width)"
    )
    pixels.add_argument(
        "--threshold",
        type=float,
        help="a pixel is of the first class unless another one has this probability",
    )
    pixels.add_argument(
        "--looks",
        type=int,
        choices=(1, 4, 12),
        default=1,
        help="take the mean over 4 mirrored looks, or over these in three sizes: slower by as much",
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
    check_pixels(arguments, config)
    network.to(best_device())
    found, out, failed, entries = find_pictures(arguments.pictures), Path(arguments.out), [], []
    with Progress("predicting") as bar:
        for number, (name, path) in enumerate(found.items()):

            def show(share, number=number, name=name):
                bar.update((number + share) / len(found), name)

            try:
                entries.append(predict_one(network, config, name, path, arguments, show))
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


def check_pixels(arguments, config):
    """Raise ValueError for options that the network can't follow."""
    from workbench.networks import DETECTORS

    if arguments.threshold is not None and not 0 < arguments.threshold < 1:
        raise ValueError(f"--threshold is {arguments.threshold:g}; wanted is a probability between 0 and 1")
    if config["model"] in DETECTORS and (arguments.probabilities or arguments.threshold or arguments.looks > 1):
        raise ValueError(
            f"{config['model']} finds objects and has no probabilities of pixels: leave out --probabilities, "
            "--threshold and --looks"
        )


def predict_one(network, config, name, path, arguments, show):
    """Write what is asked of one picture; return its name, size and objects: (score, label, RLE, box) of each."""
    import numpy as np

    from seglib.plotting import class_color
    from workbench.detections import detect
    from workbench.drawing import outlined, save_labels, save_picture, with_legend
    from workbench.networks import DETECTORS
    from workbench.objects import run_lengths
    from workbench.pictures import Picture

    picture = Picture(path, config["grey"], config["model"] == "nuclei", config.get("size"))
    out = Path(arguments.out)
    tiling = arguments.tile, arguments.overlap
    if config["model"] == "nuclei":
        labels, found = painted(find_nuclei(network, picture, tiling, show, arguments.diameter), picture.size)
    elif config["model"] in DETECTORS:
        labels, found = painted(detect(network, picture.read, picture.size, *tiling, show), picture.size)
    else:
        labels, found = by_pixels(network, picture, config["objects"], arguments, out / SHARES / f"{name}.npy", show)
    if picture.step > 1:
        labels, found = at_full_size(picture, labels, found)
    step = -(-max(picture.size) // LARGEST_FIGURE)
    shown, drawn = picture.reduced(step), np.zeros([-(-side // step) for side in picture.size], np.int32)
    listed = []
    for score, label, top, left, mask in found:
        height, width = mask.shape
        listed.append((score, label, run_lengths(top, left, mask, picture.size), [left, top, width, height]))
        part = mask[-top % step :: step, -left % step :: step]
        down, right = -(-top // step), -(-left // step)
        drawn[down : down + part.shape[0], right : right + part.shape[1]][part] = len(listed)
    save_labels(out / LABELS / f"{name}.png", labels)
    if config["objects"]:
        figure, counted = outlined(shown, drawn, drawn), [label for _, label, *_ in found]
        legend = [(f"{text}: {counted.count(k)}", None) for k, text in enumerate(config["classes"]) if k > 0]
    else:
        figure, seen = outlined(shown, labels[::step, ::step]), set(np.unique(labels).tolist())
        legend = [(text, class_color(k)) for k, text in enumerate(config["classes"]) if k > 0 and k in seen]
    save_picture(out / OVERLAYS / f"{name}.png", with_legend(figure, legend or [("background alone", None)]))
    return f"{name}{path.suffix}", picture.size, listed


def at_full_size(picture, labels, found):
    """Label map and objects of a picture that was read reduced, as those of the whole picture, which it then is."""
    from workbench.detections import enlarged

    step, picture.step = picture.step, 1
    height, width = picture.size
    labels = labels.repeat(step, 0).repeat(step, 1)[:height, :width]
    return labels, [enlarged(each, step, picture.size) for each in found]


def by_pixels(network, picture, cut, arguments, shares_path, show):
    """Class of every pixel, uint8 (H, W); and, if they are to be cut apart, objects (score, label, top, left, mask)."""
    import numpy as np

    from seglib.training import predict_logits
    from workbench.tiles import mean_of_looks, objects, predict_rows

    labels = np.zeros(picture.size, np.uint8)
    certainty = np.zeros(picture.size if cut else (0, 0), np.uint8)  # of the foreground, in 1/255
    logits_of, kept = mean_of_looks(lambda batch: predict_logits(network, batch), arguments.looks), None
    tiling = arguments.tile, arguments.overlap
    for top, shares in predict_rows(logits_of, picture.read, picture.size, *tiling):
        rows = slice(top, top + shares.shape[1])
        labels[rows] = shares.argmax(0).numpy()
        if arguments.threshold is not None:
            best, other = shares[1:].max(0)
            labels[rows] = (other + 1).where(best >= arguments.threshold, 0).numpy()
        if arguments.probabilities:
            if kept is None:
                shares_path.parent.mkdir(parents=True, exist_ok=True)
                whole = (len(shares), *picture.size)
                kept = np.lib.format.open_memmap(shares_path, "w+", np.float16, whole)
            kept[:, rows] = shares.numpy()
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
    for number, (file_name, (height, width), found) in enumerate(entries, start=1):
        images.append({"id": number, "file_name": file_name, "height": height, "width": width})
        for score, label, rle, box in found:
            area = sum(rle["counts"][1::2])
            annotation = {"id": len(annotations) + 1, "image_id": number, "category_id": label, "bbox": box}
            annotation |= {"area": area, "iscrowd": 0, "segmentation": rle, "score": round(score, 4)}
            annotations.append(annotation)
    categories = [{"id": number, "name": name} for number, name in enumerate(classes) if number > 0]
    return {"images": images, "annotations": annotations, "categories": categories}
