"""The course's colours, and pictures made of masks, object maps and heat maps with them."""

import matplotlib
import numpy as np
from scipy import ndimage
from skimage.segmentation import expand_labels

from seglib.arrays import neighbours, to_numpy
from seglib.inputs import as_picture, label_map

_HEX = """
162442 f2832c 008259 5d5361 d8adb4 398ffb c11210 2adcfd de07a6 f9f9f9 ffeb3a 5c2829
"""
PALETTE = np.array([list(bytes.fromhex(colour)) for colour in _HEX.split()]) / 255
PALETTE.flags.writeable = False  # one palette for everyone

_OBJECTS = PALETTE[[1, 7, 8, 10, 2, 5, 6, 4]]  # those that stand out on the dark PALETTE[0]
_GREYS = np.array([[0.58] * 3, [0.80] * 3])  # of the hatch
HEAT_MAP = matplotlib.colormaps["cividis"]  # even in lightness, the same for colour-blind readers
_SMALLEST_OUTLINED = 32  # px; on a smaller mask, an outline would hide the pixels it separates
_VOID = 255


def class_color(index):
    """Colour of a class, float RGB (3,); past the end of PALETTE the colours come again, darker each time."""
    if index < 0:
        raise ValueError(f"class_color: class ids start at 0, got {index}")
    return PALETTE[index % len(PALETTE)] * 0.6 ** (index // len(PALETTE))


def to_rgb(image):
    """Turn one picture into float RGB, shape (H, W, 3), range 0..1.

    Takes tensors (C, H, W) and arrays (H, W) or (H, W, C), with C = 1 or 3: of the types that `as_picture` takes.

    Raises
    ------
    ValueError
        For any other shape, type or range; nothing is rescaled silently.
    """
    array = to_numpy(image)
    if array.ndim == 3 and array.shape[0] in (1, 3) and (hasattr(image, "detach") or array.shape[2] not in (1, 3)):
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    picture = as_picture(array)
    return picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2)


def colorize(mask):
    """Colour a class mask; void (255) is hatched grey.

    Where two classes touch, a dark line separates them. It lies on the side of the lower class id
    (background, ground), so that thin things keep all their pixels. Masks under 32 px get no lines.

    Parameters
    ----------
    mask : integer or bool array or tensor, shape (H, W)

    Returns
    -------
    float array, shape (H, W, 3)
    """
    mask = _labels(mask, "mask")
    picture = _class_colours(mask)
    lower, _ = _borders(np.where(mask == _VOID, -1, mask))
    picture[lower & (mask != _VOID)] *= 0.5
    return picture


def colorize_instances(instances):
    """Colour an instance map (H, W) as a float array (H, W, 3); the same map always gets the same colours.

    0 is near-black; objects that touch, or nearly do, have different colours.
    """
    return _instance_colours(_labels(instances, "instances"))


def overlay(image, mask, alpha=0.5):
    """Lay a class mask over its picture: tinted areas with outlines, the picture visible below.

    Parameters
    ----------
    image : see `to_rgb`
    mask : integer array or tensor, shape (H, W)
        0 (background) is left as it is, 255 (void) is hatched.
    alpha : float
        Strength of the tint, 0 (outlines only) to 1.

    Returns
    -------
    float array, shape (H, W, 3)
    """
    mask = _labels(mask, "mask")
    void = mask == _VOID
    picture = _tint(image, np.where((mask == 0) | void, -1, mask), _class_colours(mask), alpha, "mask")
    picture[void] = 0.5 * picture[void] + 0.5 * _hatch(mask.shape)[void]
    return picture


def overlay_instances(image, instances, alpha=0.5):
    """Lay an instance map over its picture; colours as in `colorize_instances`, 0 left untinted."""
    instances = _labels(instances, "instances")
    labels = np.where(instances == 0, -1, instances)
    return _tint(image, labels, _instance_colours(instances), alpha, "instances")


def heat(values, low=None, high=None):
    """Colour a map of numbers (H, W), dark = low, bright = high; NaN is hatched grey.

    `low` and `high` are the ends of the scale, by default the smallest and the largest value. Name them in
    the title of the figure, because colours without a scale mean nothing.
    """
    values = to_numpy(values).astype(float, copy=False)
    if values.ndim != 2:
        raise ValueError(f"values have shape {values.shape}; wanted (H, W)")
    known = values[np.isfinite(values)]
    low = known.min(initial=np.inf) if low is None else low
    high = known.max(initial=-np.inf) if high is None else high
    scaled = (values - low) / (high - low) if high > low else np.zeros(values.shape)
    picture = HEAT_MAP(scaled)[..., :3]
    missing = np.isnan(values)
    picture[missing] = _hatch(values.shape)[missing]
    return picture


def _labels(labels, name):
    array = label_map(labels, name)
    if array.min(initial=0) < 0:
        raise ValueError(f"{name} has the label {array.min()}; wanted 0 or more (usual cause: void as -1)")
    return array.astype(np.int64)


def _class_colours(mask):
    if mask.max(initial=0) > 255:
        raise ValueError(f"mask has the label {mask.max()}; wanted 0..255 (usual cause: an instance map)")
    table = np.array([class_color(i) for i in range(256)])
    return np.where((mask == _VOID)[..., None], _hatch(mask.shape), table[mask])


def _instance_colours(instances):
    """Greedy graph colouring: objects with many neighbours choose first, each the least used of the free colours."""
    ids = np.unique(instances[instances > 0]).tolist()
    grown = expand_labels(instances, distance=max(4, min(instances.shape) // 16))  # so that near ones touch
    near = {i: others - {0} for i, others in neighbours(grown, corners=True).items()}
    uses, chosen = [0] * len(_OBJECTS), {}
    for i in sorted(ids, key=lambda i: (-len(near[i]), i)):
        taken = {chosen[n] for n in near[i] if n in chosen}
        if len(taken) == len(uses):  # so crowded that a darker set of colours has to help out
            uses.append(0)
        chosen[i] = min(set(range(len(uses))) - taken, key=lambda c: (uses[c], c))
        uses[chosen[i]] += 1
    colours = [_OBJECTS[chosen[i] % len(_OBJECTS)] * 0.8 ** (chosen[i] // len(_OBJECTS)) for i in ids]
    return np.array([PALETTE[0], *colours])[np.searchsorted([0, *ids], instances)]


def _tint(image, labels, colours, alpha, name):
    """Blend colours into the picture where labels >= 0; outline the areas, colour inside, dark outside."""
    picture = to_rgb(image)
    if picture.shape[:2] != labels.shape:
        raise ValueError(
            f"{name} has shape {labels.shape} but the image has {picture.shape[:2]} "
            "(usual cause: only one of the two was resized or cropped)"
        )
    inside = labels >= 0
    picture[inside] = (1 - alpha) * picture[inside] + alpha * colours[inside]
    lower, higher = _borders(labels)
    picture[higher] = colours[higher]
    picture[lower & ~higher] *= 0.4
    return picture


def _borders(labels):
    """Pixels on the lower and on the higher side of each change of label; none in tiny maps."""
    if min(labels.shape) < _SMALLEST_OUTLINED:
        return np.zeros((2, *labels.shape), bool)
    size = 2 * _thickness(labels.shape) + 1
    lower = ndimage.maximum_filter(labels, size, mode="nearest") > labels
    higher = ndimage.minimum_filter(labels, size, mode="nearest") < labels
    return lower, higher


def _hatch(shape):
    """Diagonal stripes of two greys."""
    y, x = np.indices(shape)
    return _GREYS[(x + y) // (2 * _thickness(shape)) % 2]


def _thickness(shape):
    """Lines must survive when a large picture is shown small."""
    return max(1, round(min(shape) / 200))
