"""Masks in the folders of PASCAL VOC, as labelme and CVAT export them too."""

import numpy as np

from seglib.datasets.folder import few
from seglib.datasets.reading import decode
from workbench.class_tables import VOC_CLASSES, VOID, MaskReader, as_table, find_table
from workbench.formats.common import Annotated, Thing, run_outline, split_of, within
from workbench.objects import boxes

FOLDERS = ("SegmentationClass", "SegmentationObject")


def read(root, files, pictures, notes):
    """SegmentationClass/, perhaps with SegmentationObject/ and lists in ImageSets/Segmentation/: VOC's own
    (host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc, 2.5), labelme's, and CVAT's with labelmap.txt
    (docs.cvat.ai, "Segmentation mask"). Where nobody told objects apart, a class is one crowd.
    """
    home, found = files[0], []
    # labelme of old has arrays in SegmentationClass/ and masks in SegmentationClassPNG/
    masks, numbers = (next((p for p in sorted(home.glob(f"{n}*")) if any(p.glob("*.png"))), None) for n in FOLDERS)
    if masks is None:
        raise ValueError(f"{home / FOLDERS[0]} holds no PNG")
    reader = MaskReader(find_table(home) or as_table(VOC_CLASSES))
    names = reader.classes
    for name, split in listed(home, masks).items():
        path = masks / f"{name}.png"
        with within(path):
            labels, unknown = reader.labels(path)
            if unknown:
                raise ValueError(f"it holds {few(unknown)}, which no class of {few(names)} has")
            labels = labels.numpy()
            ids = np.where(labels == VOID, 0, object_ids(numbers / path.name)) if numbers else np.zeros_like(labels)
            things = []
            for top, left, mask in boxes(np.where(labels > 0, ids, 0)):
                window = labels[top : top + mask.shape[0], left : left + mask.shape[1]]
                label = int(np.bincount(window[mask]).argmax())
                things.append(Thing(names[label], run_outline(mask, labels.shape, top, left)))
            for label in np.unique(labels[(labels > 0) & (ids == 0)]).tolist():
                rest = run_outline((labels == label) & (ids == 0), labels.shape)
                things.append(Thing("void" if label == VOID else names[label], rest, True))
            picture = pictures.find(f"JPEGImages/{name}", home / "JPEGImages")
        found.append(Annotated(picture, split, things, labels.shape))
    return list(names), found


def listed(home, masks):
    """{name: split} of the lists, or of all masks."""
    lists = {path: split_of(path.relative_to(home)) for path in (home / "ImageSets" / "Segmentation").glob("*.txt")}
    found = {}
    for path in sorted(lists, key=lambda each: (lists[each] is None, each)):  # trainval and default last
        for line in path.read_text(encoding="utf-8-sig").splitlines():
            if line.strip():
                found.setdefault(line.split()[0], lists[path])
    return found or {path.stem: None for path in sorted(masks.glob("*.png"))}


def object_ids(path):
    """Numbers of objects, int (H, W), 0 = none, from a mask of palette, grey values or colours."""
    array = np.array(decode(path)).astype(np.int64)
    ids = array if array.ndim == 2 else array[..., :3] @ (65536, 256, 1)
    return np.searchsorted(np.unique(np.append(ids, 0)), ids)
