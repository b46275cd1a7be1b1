"""COCO's JSON (cocodataset.org, "Data format"), as Roboflow, CVAT, Label Studio and VIA export it too."""

from collections import defaultdict

from workbench.formats.common import BOXES, Annotated, Thing, load_json, rectangle, split_of, within


def read(root, files, pictures, notes):
    """See `formats`. A box stands in where there is no outline. A category without annotations that heads
    others, as Roboflow's root does, is left out.
    """
    files = [path for path in files if "instances" in path.name] or files  # beside captions and keypoints
    names, found = {}, []
    for path in files:
        content, annotations = load_json(path), defaultdict(list)
        with within(f"{path}: categories"):
            kinds = content["categories"]
            every = {each["id"]: str(each["name"]) for each in kinds}
            heads = {each.get("supercategory") for each in kinds if each["name"] != each.get("supercategory")}
        for annotation in content["annotations"]:
            with within(f"{path}: annotation {annotation.get('id')}"):
                outline = annotation.get("segmentation")
                if not outline:
                    notes[BOXES] += 1
                    outline = [rectangle(*map(float, annotation["bbox"]))]
                thing = Thing(every[annotation["category_id"]], outline, bool(annotation.get("iscrowd", 0)))
                annotations[annotation["image_id"]].append(thing)
        used = {thing.label for things in annotations.values() for thing in things}
        names |= dict.fromkeys(name for name in every.values() if name in used or name not in heads)
        for picture in content["images"]:
            with within(f"{path}: image {picture.get('id')}"):
                file, size = pictures.find(picture["file_name"], path), (picture["height"], picture["width"])
                split = split_of(path.relative_to(root)) or pictures.split_of(file)
                found.append(Annotated(file, split, annotations.pop(picture["id"], []), size))
        if annotations:
            raise ValueError(f"{path}: annotations belong to image {min(annotations)}, which is not listed")
    return list(names), found


def coco_content(pictures, classes):
    """COCO's JSON of pictures, each (file name, (height, width), annotations without ids of their own)."""
    images, annotations = [], []
    for number, (file_name, (height, width), found) in enumerate(pictures, start=1):
        images.append({"id": number, "file_name": file_name, "height": height, "width": width})
        first = len(annotations) + 1
        annotations += [{"id": id_, "image_id": number, **each} for id_, each in enumerate(found, first)]
    categories = [{"id": number, "name": name} for number, name in enumerate(classes) if number > 0]
    return {"images": images, "annotations": annotations, "categories": categories}
