"""Data in three dimensions: an average brain, a stack of nuclei, and a motorcycle seen by two cameras."""

import numpy as np
from PIL import Image, ImageSequence
from skimage.data import stereo_motorcycle

from seglib.arrays import relabel
from seglib.carried import carried


def volume(name):
    """A volume with a class for each voxel; arrays are (D, H, W).

    Parameters
    ----------
    name : "brain" or "nuclei"
        "brain": (189, 233, 197), voxels of 1 mm, the T1-weighted average of 152 people's brains without their skulls
        (ICBM 152, 2009a, symmetric; Fonov and others 2011). D runs from the crown down, H from the forehead back, W
        from the person's left to the right: slices along each axis stand upright. Classes: fluid, grey matter, white
        matter. The brain is where T1 is above 0; a voxel there has the class that is likeliest by the atlas's maps of
        grey and white, fluid being what they leave of 1; of two equal ones, the earlier. An algorithm made these maps,
        no person; they call much of the brain stem grey.

        "nuclei": (31, 61, 57), StarDist's example with 51 nuclei, 44 of them cut by a border. **Its authors call it
        synthetic**: it is no micrograph. They give no size of a voxel; whole nuclei are 8 voxels high and 17 wide.

    Returns
    -------
    dict
        image: (D, H, W) float32 in 0..1; the brain divided by 255, the nuclei stretched from their smallest value (104)
        to their largest (375). mask: (D, H, W) uint8, 0 = background. classes: names, background first. spacing_mm:
        size of a voxel along D, H, W, or None. name and title: str. "nuclei" also has instances: (D, H, W) uint8,
        1..51, 0 = none.

    Raises
    ------
    ValueError
        If there is no such volume.
    FileNotFoundError
        If its files are missing: `python tools/carry.py` fetches them.
    """
    if name == "brain":
        return _brain()
    if name == "nuclei":
        return _nuclei()
    raise ValueError(f"no volume {name!r}; there are: brain, nuclei")


def stereo_pair():
    """Two pictures of a motorcycle, taken side by side, and how far each pixel of the left one moves.

    From Middlebury's stereo benchmark (Scharstein and others 2014) at a quarter of its size, as scikit-image ships it.

    Returns
    -------
    dict
        left, right: (500, 741, 3) float64 in 0..1, rectified: what lies in row y, column x of the left picture lies in
        row y, column x - d of the right one, where it is not hidden. disparity: (500, 741) float32, d in pixels (7 to
        60) for the left picture, NaN where it was not measured (7 %). focal_px, baseline_mm, offset_px: numbers, with
        which the distance from the cameras is ``baseline_mm * focal_px / (disparity + offset_px)``, here 2.1 to 5.0 m.
        centre_px: (x, y), where the left camera's axis meets the picture.
    """
    left, right, disparity = stereo_motorcycle()
    return {
        "left": left / 255,
        "right": right / 255,
        "disparity": np.where(np.isfinite(disparity), disparity, np.float32(np.nan)),  # the file has infinity there
        "focal_px": 994.978,
        "baseline_mm": 193.001,
        "offset_px": 31.086,
        "centre_px": (311.193, 254.877),
    }


def _brain():
    t1, grey, white = (_read_brain(part) for part in ("t1", "grey", "white"))
    inside = t1 > 0
    grey, white = grey[inside], white[inside]
    mask = np.zeros(t1.shape, np.uint8)
    mask[inside] = 1 + np.argmax([255 - grey - white, grey, white], axis=0)
    return {
        "name": "brain",
        "title": "Average brain of 152 people",
        "image": t1 / np.float32(255),
        "mask": mask,
        "classes": ["background", "fluid", "grey matter", "white matter"],
        "spacing_mm": (1.0, 1.0, 1.0),
    }


def _nuclei():
    image = _read_stack("nuclei_3d.tif").astype(np.float32)
    instances = relabel(_read_stack("nuclei_3d_instances.tif"))[0].astype(np.uint8)
    return {
        "name": "nuclei",
        "title": "Nuclei in three dimensions, synthetic",
        "image": (image - image.min()) / (image.max() - image.min()),
        "mask": (instances > 0).astype(np.uint8),
        "instances": instances,
        "classes": ["background", "nucleus"],
        "spacing_mm": None,
    }


def _read_brain(part):
    """A map of the brain, (D, H, W) int16 in 0..255; the file's axes lead to the right, to the front, and up."""
    import nibabel  # a third of a second, which the other scenes need not wait for

    values = np.asarray(nibabel.load(carried(f"brain_{part}.nii.gz")).dataobj)
    return values.T[::-1, ::-1].astype(np.int16)


def _read_stack(name):
    with Image.open(carried(name)) as pages:
        return np.stack([np.array(page) for page in ImageSequence.Iterator(pages)])
