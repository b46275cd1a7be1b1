"""Ten public data sets, small, with the folders, names and forms of their publishers: what a newcomer unpacks."""

import json
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy.io import savemat

SIZE = (48, 64)
CAMVID = "64 0 128\tCar\n128 64 128\tRoad\n128 128 128\tSky\n0 0 0\tVoid\n"  # of its 32 lines


class Maker:
    """Writes below a folder; every picture has two blobs, of classes 1 and 2, in a place of its own."""

    def __init__(self, home):
        self.home, self.rng = Path(home), np.random.default_rng(0)

    def scene(self):
        """(picture, uint8 (H, W, 3); objects 1 and 2, uint8 (H, W))."""
        ids, (y, x) = np.zeros(SIZE, np.uint8), np.mgrid[: SIZE[0], : SIZE[1]]
        for number, middle in ((1, 16), (2, 46)):
            ids[np.hypot(y - self.rng.integers(14, 34), x - middle) < 9] = number
        light = np.array([(60, 60, 60), (200, 90, 60), (70, 190, 80)])[ids]
        return np.clip(light + self.rng.normal(0, 18, (*SIZE, 3)), 0, 255).astype(np.uint8), ids

    def save(self, name, content):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        elif path.suffix == ".tif":
            tifffile.imwrite(path, content, photometric="rgb" if content.shape[-1] == 3 else "minisblack")
        else:
            (content if isinstance(content, Image.Image) else Image.fromarray(content)).save(path)


def palette(array):
    image = Image.fromarray(array)
    image.putpalette(np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8).tobytes())
    return image


def drive(make):
    """As it is given out today: test/ without the truth; mask/ is the field of view."""
    for part, numbers in (("training", range(21, 27)), ("test", range(1, 3))):
        for number in numbers:
            picture, ids = make.scene()
            make.save(f"DRIVE/{part}/images/{number:02}_{part}.tif", picture)
            make.save(f"DRIVE/{part}/mask/{number:02}_{part}_mask.gif", np.full(SIZE, 255, np.uint8))
            if part == "training":
                make.save(f"DRIVE/{part}/1st_manual/{number}_manual1.gif", (ids > 0) * np.uint8(255))


def cwfid(make):
    """Colours for classes; masks/ tells vegetation."""
    for number in range(1, 7):
        picture, ids = make.scene()
        make.save(f"dataset-1.0/images/{number:03}_image.png", picture)
        make.save(
            f"dataset-1.0/annotations/{number:03}_annotation.png", np.eye(3, dtype=np.uint8)[[2, 1, 0]][ids] * 255
        )
        make.save(f"dataset-1.0/annotations/{number:03}_annotation.yaml", "annotation: []\n")
        make.save(f"dataset-1.0/masks/{number:03}_mask.png", (ids == 0) * np.uint8(255))
    for path in (make.home / "dataset-1.0/annotations").glob("*.png"):  # ground is black
        array = np.array(Image.open(path))
        array[array[..., 2] == 255] = 0
        Image.fromarray(array).save(path)
    make.save("dataset-1.0/train_test_split.yaml", "test: [2]\ntrain: [1, 3, 4, 5, 6]\n")


def crack_forest(make):
    for number in range(1, 7):
        picture, ids = make.scene()
        make.save(f"CrackForest-dataset/image/{number:03}.jpg", picture)
        make.save(f"CrackForest-dataset/seg/{number:03}.seg", "format ascii cr\n")
        truth = np.zeros((1, 1), [("Segmentation", object), ("Boundaries", object)])
        truth[0, 0]["Segmentation"], truth[0, 0]["Boundaries"] = (ids > 0).astype(np.uint16) + 1, ids > 0
        (make.home / "CrackForest-dataset/groundTruth").mkdir(exist_ok=True)
        savemat(make.home / f"CrackForest-dataset/groundTruth/{number:03}.mat", {"groundTruth": truth})


def isbi_2012(make):
    pictures, labels = zip(*(make.scene() for _ in range(6)), strict=True)
    make.save("isbi/train-volume.tif", np.stack(pictures)[..., 0])
    make.save("isbi/train-labels.tif", (np.stack(labels) > 0) * np.uint8(255))
    make.save("isbi/test-volume.tif", np.stack(pictures)[..., 0])


def magnetic_tiles(make):
    for kind in ("Blowhole", "Break", "Crack", "Fray", "Free", "Uneven"):
        picture, ids = make.scene()
        name = f"Magnetic-tile-defect-datasets.-master/MT_{kind}/Imgs/exp1_num_{1000 + len(kind)}{kind[0]}"
        make.save(f"{name}.jpg", picture[..., 0])
        mask = Image.fromarray((ids > 0) * np.uint8(255 * (kind != "Free")))
        make.save(f"{name}.png", mask.resize((128, 96), Image.BILINEAR).resize(SIZE[::-1], Image.LANCZOS))


def camvid(make):
    """Colours, listed before the names; the first row is void."""
    for number in range(6690, 6870, 30):
        picture, ids = make.scene()
        colours = np.array([(128, 64, 128), (64, 0, 128), (128, 128, 128)], np.uint8)[ids]
        colours[0] = 0
        make.save(f"CamVid/701_StillsRaw_full/0001TP_{number:06}.png", picture)
        make.save(f"CamVid/LabeledApproved_full/0001TP_{number:06}_L.png", colours)
    make.save("CamVid/label_colors.txt", CAMVID)


def coco128(make):
    """Boxes; a picture without objects has no file."""
    for number in range(6):
        picture, ids = make.scene()
        make.save(f"coco128/images/train2017/{number:012}.jpg", picture)
        lines = []
        for label in (1, 2) if number else ():
            y, x = np.nonzero(ids == label)
            sides = (x.mean() / 64, y.mean() / 48, np.ptp(x) / 64, np.ptp(y) / 48)
            lines.append(" ".join(map(str, (label - 1, *sides))))
        if lines:
            make.save(f"coco128/labels/train2017/{number:012}.txt", "\n".join(lines) + "\n")
    make.save("coco128/LICENSE", "GPL-3.0")
    make.save("coco128/README.txt", "COCO128, the first 128 pictures of COCO train2017\n")
    make.save(
        "coco128/coco128.yaml",
        "path: ../datasets/coco128\ntrain: images/train2017\nnames:\n  0: person\n  1: bicycle\n",
    )


def labelme(make):
    for number in range(6):
        picture, ids = make.scene()
        make.save(f"data_annotated/2011_{number:06}.jpg", picture)
        shapes = []
        for label in (1, 2):
            y, x = np.nonzero(ids == label)
            corners = [
                [float(x.min()), float(y.min())],
                [float(x.max()), float(y.min())],
                [float(x.mean()), float(y.max())],
            ]
            shapes.append({"label": ["person", "bottle"][label - 1], "points": corners, "group_id": None})
            shapes[-1] |= {"shape_type": "polygon", "flags": {}}
        content = {"version": "4.0.0", "flags": {}, "shapes": shapes, "imagePath": f"2011_{number:06}.jpg"}
        content |= {"imageData": None, "imageHeight": SIZE[0], "imageWidth": SIZE[1]}
        make.save(f"data_annotated/2011_{number:06}.json", json.dumps(content))


def dsb_2018(make):
    for number in range(6):
        picture, ids = make.scene()
        name = f"{number:x}" * 64
        opaque = np.dstack([picture, np.full(SIZE, 255, np.uint8)])
        make.save(f"stage1_train/{name}/images/{name}.png", opaque)
        for label in (1, 2):
            make.save(f"stage1_train/{name}/masks/{label}{name[1:]}.png", (ids == label) * np.uint8(255))


def voc(make):
    home, names = "VOCdevkit/VOC2012", [f"2007_{number:06}" for number in range(6)]
    for name in names:
        picture, ids = make.scene()
        make.save(f"{home}/JPEGImages/{name}.jpg", picture)
        make.save(f"{home}/Annotations/{name}.xml", "<annotation></annotation>")
        rim = np.pad(ids[1:] != ids[:-1], ((0, 1), (0, 0)))
        for kind, array in (("Class", np.array([0, 15, 7], np.uint8)[ids]), ("Object", ids)):
            make.save(f"{home}/Segmentation{kind}/{name}.png", palette(np.where(rim, 255, array).astype(np.uint8)))
    for part, listed in (("train", names[:4]), ("val", names[4:]), ("trainval", names)):
        make.save(f"{home}/ImageSets/Segmentation/{part}.txt", "\n".join(listed) + "\n")


SETS = {
    "DRIVE": drive,
    "CWFID": cwfid,
    "CrackForest": crack_forest,
    "ISBI 2012": isbi_2012,
    "magnetic tiles": magnetic_tiles,
    "CamVid": camvid,
    "coco128": coco128,
    "labelme": labelme,
    "DSB2018": dsb_2018,
    "PASCAL VOC": voc,
}
