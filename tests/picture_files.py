"""Small picture files in the layouts that the data sets read, for their tests."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)


def save(path, array, mode=None, **options):
    """Write an array as a picture and return the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(array))
    if mode == "P":
        image.putpalette([value for colour in np.eye(3, dtype=int) * 200 for value in colour])
    image.save(path, **options)
    return path


def colours(rows=8, cols=10, channels=3):
    return RNG.integers(0, 256, (rows, cols, channels), dtype=np.uint8)


def labels(rows=8, cols=10, highest=1):
    array = RNG.integers(0, highest + 1, (rows, cols), dtype=np.uint8)
    array[0, 0] = highest
    return array


def nuclei(folder, name, masks, size=(6, 9)):
    """Write one picture (opaque RGBA) and its masks as the publishers lay them out."""
    array = colours(*size, 4)
    array[..., 3] = 255
    save(folder / name / f"images/{name}.png", array)
    (folder / name / "masks").mkdir(exist_ok=True)
    for number, mask in enumerate(masks):
        save(folder / name / f"masks/{number:02d}{name}.png", mask)


def block(rows, cols, size=(6, 9)):
    mask = np.zeros(size, np.uint8)
    mask[rows, cols] = 255
    return mask


def nuclei_tree(root):
    """Four pictures under dsb2018/stage1_train; ids that end in an even digit are train, in an odd one val."""
    folder = root / "dsb2018/stage1_train"
    first = block(slice(0, 3), slice(0, 4))
    second = block(slice(2, 5), slice(3, 6))  # overlaps the first at (2, 3)
    nuclei(folder, "aa0", [first, block(slice(0), slice(0)), second])
    nuclei(folder, "bb1", [])
    nuclei(folder, "cc2", [block(slice(0, 2), slice(0, 2), (8, 8))], size=(8, 8))
    nuclei(folder, "ddf", [first])
    return root


def zip_of(folder, archive, prefix=""):
    """Pack what is in a folder as the publishers do."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, prefix + path.relative_to(folder).as_posix())
        file.writestr("__MACOSX/._set", "rubbish")
    return archive


def own_pictures(folder):
    """Write five pictures in colours whose left part is bright, and its masks of 0 and 255."""
    rng = np.random.default_rng(2)
    for number in range(5):
        mask = np.zeros((40, 48), np.uint8)
        mask[:, : 8 * number + 4] = 255
        noise = rng.integers(0, 100, (40, 48, 3), dtype=np.uint8)
        save(folder / f"images/{number}.png", noise + mask[..., None] // 2)
        save(folder / f"masks/{number}.png", mask)
