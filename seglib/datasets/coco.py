"""Instances in COCO's format: one JSON file for a folder of pictures, as most annotation tools export it."""

from collections import defaultdict
from json import loads
from math import isfinite
from pathlib import Path

import torch

from seglib.datasets.coco_masks import mask_of
from seglib.datasets.reading import read_image
from seglib.targets import boxes_of

WANTED = {  # lists of the file, and what their entries must have
    "images": {"id": int | str, "file_name": str, "height": object, "width": object},
    "annotations": {"id": int | str, "image_id": int | str, "category_id": int | str, "segmentation": list | dict},
    "categories": {"id": int | str, "name": str},
}


class CocoDataset:
    """Pictures with an outline for every object, annotated in COCO's format: polygons, RLE, crowds.

    A sample has, beside "image", "mask", "instances" and "name", a detector's target: "boxes" float32 (n, 4) xyxy as
    the file has them (where it has none, the one around the mask), "labels" int64 (n,) from 1, "masks" uint8 (n, H, W),
    "iscrowd" int64 (n,). Its rows are the objects in the file's order, then the crowds (regions of many objects that
    nobody told apart). In the two maps the smaller of overlapping objects has the pixel; row k has id k + 1 in
    "instances" (a crowd has none), and crowds have their class in "mask" where no object is. Masks are pycocotools' to
    the pixel. A picture may have no object at all.

    The JSON is read and checked when the data set is made, pictures and outlines when a sample is read.

    Lin et al., Microsoft COCO: Common Objects in Context (2014); format: cocodataset.org, "Data format".

    Parameters
    ----------
    images : path
        Folder in which the file names of the JSON are found.
    json : path
        With "images", "annotations" and "categories". The categories are the classes 1..K in the file's order,
        whatever their ids, and ``classes`` names them after "background".
    transform : callable, optional
        Sample in, sample out. Transforms that move pixels refuse finished boxes and masks: let them move image, mask
        and instances alone, then call `seglib.targets.instances_to_targets` (which knows no crowds).

    Raises
    ------
    FileNotFoundError
        There is no such JSON file.
    ValueError
        A picture is missing, an id occurs twice or belongs to nothing, a polygon has fewer than 3 points, a box no
        area, a mask does not fit its picture ... The message names the file and the annotation.
    """

    def __init__(self, images, json, *, transform=None):
        self.json, self.folder, self.transform = Path(json), Path(images), transform
        content = self._read()
        categories = self._by_id(content, "categories")
        self.classes = ("background", *(category["name"] for category in categories.values()))
        if len(set(self.classes)) != len(self.classes) or not 2 <= len(self.classes) <= 255:
            raise ValueError(f"{json}: wanted are 1 to 254 different names but background, not {self.classes[1:6]} ...")
        self.labels = {key: label for label, key in enumerate(categories, start=1)}
        pictures = self._by_id(content, "images")
        for picture in pictures.values():
            self._check_picture(picture)
        annotations = defaultdict(list)
        for annotation in self._by_id(content, "annotations").values():
            fault = self._fault(annotation, pictures)
            if fault:
                raise ValueError(f"{json}: annotation {annotation['id']} {fault}")
            annotations[annotation["image_id"]].append(annotation)
        # Objects first, so that their rows are their ids.
        self.samples = [
            (picture, sorted(annotations[key], key=lambda each: each.get("iscrowd", 0)))
            for key, picture in pictures.items()
        ]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        picture, annotations = self.samples[index]
        path = self._path(picture)
        image = read_image(path)
        size = picture["height"], picture["width"]
        if image.shape[1:] != size:
            raise ValueError(
                f"{path} is {tuple(image.shape[1:])} but {self.json} says {size} (height, width). Usual causes: "
                "it was resized, or turned by its EXIF orientation, after it was annotated"
            )
        masks = torch.zeros((len(annotations), *size), dtype=torch.uint8)
        boxes = torch.zeros((len(annotations), 4))
        for row, annotation in enumerate(annotations):
            try:
                masks[row] = torch.from_numpy(mask_of(annotation["segmentation"], *size))
                boxes[row] = _box(annotation, masks[row])
            except (TypeError, ValueError) as error:
                raise ValueError(f"{self.json}: annotation {annotation['id']} of {path.name}: {error}") from error
        labels = torch.tensor([self.labels[each["category_id"]] for each in annotations], dtype=torch.int64)
        crowd = torch.tensor([each.get("iscrowd", 0) for each in annotations], dtype=torch.int64)
        target = {"boxes": boxes, "labels": labels, "masks": masks, "iscrowd": crowd}
        sample = {"image": image, **_maps(target), **target, "name": path.stem}
        return self.transform(sample) if self.transform else sample

    def _read(self):
        try:
            content = loads(self.json.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{self.json} is no JSON, or cut off: {error}") from error
        if not isinstance(content, dict) or not all(isinstance(content.get(part), list) for part in WANTED):
            wanted = f"wanted are the lists {', '.join(WANTED)}: captions, results or another format?"
            raise ValueError(f"{self.json} holds {str(content)[:60]}; {wanted}")
        return content

    def _by_id(self, content, part):
        """{id: entry} of a list of the file."""
        found = {}
        for entry in content[part]:
            has = entry if isinstance(entry, dict) else {}
            missing = [key for key, kind in WANTED[part].items() if not (key in has and isinstance(has[key], kind))]
            if missing:
                raise ValueError(f"{self.json}: {part} has an entry without {', '.join(missing)}: {str(entry)[:100]}")
            if entry["id"] in found:
                raise ValueError(f"{self.json}: {part} has the id {entry['id']} twice")
            found[entry["id"]] = entry
        return found

    def _path(self, picture):
        return self.folder / picture["file_name"].replace("\\", "/")  # as Windows writes it

    def _check_picture(self, picture):
        path = self._path(picture)
        if not path.is_file():
            raise ValueError(f"{self.json}: image {picture['id']}, {path}, is missing. Is it the right folder?")
        size = [picture["height"], picture["width"]]
        if not all(isinstance(side, int) and side > 0 for side in size):
            raise ValueError(f"{self.json}: image {picture['id']}, {path.name}, is of size {size} (height, width)")

    def _fault(self, annotation, pictures):
        """What is wrong with an annotation, or None."""
        if annotation["image_id"] not in pictures:
            return f"belongs to image {annotation['image_id']}, which is not among the images"
        name = pictures[annotation["image_id"]]["file_name"]
        if annotation["category_id"] not in self.labels:
            return f"of {name} has the category {annotation['category_id']!r}; there are {list(self.labels)[:10]}"
        if annotation.get("iscrowd", 0) not in (0, 1):
            return f"of {name} has iscrowd {annotation['iscrowd']!r}; wanted is 0 or 1"
        box, outline = annotation.get("bbox"), annotation["segmentation"]
        if box is not None and not _is_box(box):
            return f"of {name} has the box {box}; wanted is x, y, width, height with an area. Remove or redraw it"
        if isinstance(outline, dict):
            return None if outline.keys() >= {"size", "counts"} else f"of {name} has an RLE without size or counts"
        if not outline or not all(isinstance(polygon, list) for polygon in outline):
            return f"of {name} has no list of polygons but {str(outline)[:60]}. Usual cause: only boxes were drawn"
        for polygon in outline:
            if len(polygon) < 6 or len(polygon) % 2:
                return f"of {name} has a polygon of {len(polygon)} numbers; wanted are x, y of 3 points at least"
        return None


def _is_box(box):
    """Whether it is x, y, width, height with an area."""
    numbers = isinstance(box, list) and len(box) == 4 and all(isinstance(value, int | float) for value in box)
    return numbers and all(map(isfinite, box)) and min(box[2:]) > 0


def _box(annotation, mask):
    """xyxy, float32 (4,): the annotation's own box, or the one around its mask."""
    if annotation.get("bbox") is not None:
        box = torch.tensor(annotation["bbox"], dtype=torch.float32)
        return torch.cat([box[:2], box[:2] + box[2:]])
    if not mask.any():
        raise ValueError("it has no box, and its mask no pixel to put one around")
    return boxes_of(mask[None])[0]


def _maps(target):
    """ "mask" and "instances" of masks that may overlap: crowds lie below, then the largest, the smallest on top."""
    masks, crowd = target["masks"].bool(), target["iscrowd"]
    mask, instances = torch.zeros((2, *masks.shape[1:]), dtype=torch.int64)
    for k in sorted(range(len(masks)), key=lambda k: (-int(crowd[k]), -int(masks[k].sum()))):
        mask[masks[k]] = target["labels"][k]
        instances[masks[k]] = 0 if crowd[k] else k + 1
    return {"mask": mask, "instances": instances}
