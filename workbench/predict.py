"""Predict pictures of any size: label maps (PNG with a palette), overlays, and for nuclei the objects in COCO's format.

Folders are walked. Files that can't be read are reported and passed over; the exit status is then 1.
"""

import json
import sys
from pathlib import Path


def add_parser(subparsers):
    """Add ``predict`` to the command line."""
    parser = subparsers.add_parser("predict", help="predict pictures of any size", description=__doc__)
    add = parser.add_argument
    add("pictures", nargs="+", help="pictures, folders of pictures, or dsb2018, camvid: held-back ones")
    add("--weights", default="nuclei", help="a run's folder, or its weights.safetensors (default: the course's own)")
    add("--out", required=True, help="folder to write to")
    add("--tile", type=int, default=512, help="side of the tiles, a multiple of 32")
    add("--overlap", type=int, default=128, help="of the tiles, a multiple of 32")
    add("--diameter", type=float, help="of nuclei, in px (default: a first look at each picture tells)")
    add = parser.add_argument_group("networks that name classes of pixels").add_argument
    add("--probabilities", action="store_true", help="write them too: NumPy's float16 (classes, H, W)")
    add("--threshold", type=float, help="probability that a class other than the first must have")
    add("--looks", type=int, choices=(1, 4, 12), default=1, help="mean over 4 mirrored looks, or these in three sizes")


def run(arguments):
    """Predict all pictures; return the exit status, 1 if one of them failed."""
    from seglib.progress import Progress
    from seglib.training import best_device
    from seglib.training.weights import write_whole
    from workbench.formats.coco import coco_content
    from workbench.networks import load_run
    from workbench.pictures import find_pictures
    from workbench.predicting import CLASSES, OBJECTS, check, predict_one

    network, config = load_run(arguments.weights)
    check(arguments, config)
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
        write_whole(out / OBJECTS, json.dumps(coco_content(entries, config["classes"])).encode())
    return 1 if failed else 0
