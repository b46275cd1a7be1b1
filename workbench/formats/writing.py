"""Annotated pictures as a folder that the other commands read: pictures, label maps, classes, COCO's JSON."""

import json
import os
import shutil
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from seglib.datasets.reading import decode
from workbench.class_tables import fixed_label
from workbench.drawing import save_labels
from workbench.formats.coco import coco_content
from workbench.formats.common import NO_AREA, within
from workbench.objects import pixels_of

MOST = 254  # classes beside the background


def write(annotated, classes, out, notes):
    """Write images/, masks/, classes.txt and objects.json (with splits images/train/ ... and objects_train.json ...).

    Of things that overlap the smallest has the pixel, and a crowd none that another thing has. Classes called
    background are 0, those called void, ignore or unlabeled 255. Returns {split or "": content of its JSON}.

    Raises
    ------
    ValueError
        An outline does not fit its picture, two pictures have one name, or there is nothing to write.
    OSError
        The folder is there already, or can't be written. In either case nothing is left.
    """
    out = Path(out)
    if out.exists():
        raise FileExistsError(f"{out} is there already: name a new folder")
    names = ["background", *dict.fromkeys(name for name in classes if fixed_label(name) is None)]
    ids = {name: names.index(name) if name in names else fixed_label(name) for name in ("void", *names, *classes)}
    if not annotated or not 1 < len(names) <= MOST + 1:
        raise ValueError(f"wanted are pictures, and 1 to {MOST} classes; found are {len(annotated)}, {len(names) - 1}")
    split, written = all(each.split for each in annotated), defaultdict(list)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent) as folder:
        scratch = Path(folder, "set")
        for each in annotated:
            part = each.split if split else ""
            target = scratch / "images" / part / each.path.name
            mask_path = scratch / "masks" / part / f"{each.path.stem}.png"
            if mask_path.exists():
                raise ValueError(f"two pictures are called {each.path.stem}, one of them {each.path}: rename it")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(each.path, target)
            with within(each.path):
                mask, found = masked(each, decode(target).size[::-1], ids, notes)
            save_labels(mask_path, mask)
            written[part].append((each.path.name, mask.shape, found))
        (scratch / "classes.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        written = {part: coco_content(pictures, names) for part, pictures in written.items()}
        for part, content in written.items():
            if not all(each["iscrowd"] for each in content["annotations"]):
                path = scratch / (f"objects_{part}.json" if part else "objects.json")
                path.write_text(json.dumps(content), encoding="utf-8")
        os.replace(scratch, out)
    return written


def masked(each, size, ids, notes):
    """Label map, uint8 (H, W), of a picture of ``size`` (height, width), and annotations as for `coco_content`."""
    if each.size not in (None, size):
        cause = "Usual causes: it was resized, or turned by its EXIF orientation, after it was annotated"
        raise ValueError(f"it is {size} (height, width), but was annotated as {each.size}. {cause}")
    found, annotations, columns = [], [], np.zeros(size[0] * size[1], np.uint8)
    for label, outline, crowd in each.things:
        # pycocotools takes fewer than 6 numbers for a box
        outline = outline if isinstance(outline, dict) else [polygon for polygon in outline if len(polygon) >= 6]
        pixels = pixels_of(outline, size) if outline else ()
        if len(pixels):
            found.append((ids[label], crowd, outline, pixels))
        else:
            notes[NO_AREA] += 1
    for label, _, _, pixels in sorted(found, key=lambda one: (not one[1], -len(one[3]))):
        columns[pixels] = label
    for label, crowd, outline, pixels in found:
        if label not in (0, 255):
            x, y = np.divmod(pixels, size[0])
            box = [int(side) for side in (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)]
            facts = {"category_id": label, "bbox": box, "area": len(pixels), "iscrowd": int(crowd)}
            annotations.append(facts | {"segmentation": outline})
    return np.ascontiguousarray(columns.reshape(size[1], size[0]).T), annotations
