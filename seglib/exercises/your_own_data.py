"""Exercises of lesson 16, your own data."""

from functools import cache

import numpy as np
import torch
from scipy import ndimage
from skimage.filters import threshold_otsu

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number
from seglib.models import UNet
from seglib.scenes import NewMicroscope


def _annotation_of(points):
    x, y = points.T
    area = abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2  # the shoelace formula
    low, high = points.min(0), points.max(0)
    box = [*low.tolist(), *(high - low).tolist()]
    return {"segmentation": [points.ravel().tolist()], "bbox": box, "area": float(area)}


@exercise(
    "The box needs the smallest and the largest x and y. The area: walk once around, edge by edge.",
    "Shoelace formula: half the sum of `x[i] * y[i + 1] - x[i + 1] * y[i]`; after the last point comes the first.",
    "`np.roll(x, -1)` is the next point's x. Take `abs`. `points.ravel().tolist()` makes the flat list.",
    solution=_annotation_of,
)
def q1(annotation_of):
    points = np.array([[12.0, 3.0], [20.0, 3.0], [20.0, 9.0], [16.0, 13.0], [12.0, 9.0]])
    got = annotation_of(points)
    if not isinstance(got, dict) or set(got) != {"segmentation", "bbox", "area"}:
        held = sorted(map(str, got)) if isinstance(got, dict) else type(got).__name__
        raise NotYet(f"`annotation_of(points)` is a dict with segmentation, bbox and area; yours is {held}.")
    wanted = [points.ravel().tolist()]
    outline = got["segmentation"]
    if outline == wanted[0]:
        raise NotYet("The segmentation is a *list of polygons*, since an object may be in pieces: add brackets.")
    if np.shape(outline) in ((5, 2), (1, 5, 2)):
        raise NotYet("A polygon in COCO's format is flat, x1, y1, x2, y2 ...; yours is a list of pairs.")
    if np.shape(outline) == (1, 10) and np.allclose(outline, points[:, ::-1].reshape(1, -1)):
        raise NotYet("Rows and columns are swapped in your segmentation: x comes first, then y.")
    if outline != wanted:
        raise NotYet(f"`segmentation` is {outline}, wanted {wanted}: plain lists, which JSON can hold.")
    box, corners = got["bbox"], np.array([12.0, 3, 20, 13])
    if not isinstance(box, list | tuple) or len(box) != 4:
        raise NotYet(f"`bbox` is a list of four numbers: x, y, width, height; yours is {box!r}.")
    box = np.asarray(box, float)
    expect_none_of("`bbox`", box, {"it holds two corners; COCO wants x, y, *width, height*": corners})
    expect_array("`bbox`", box, np.array([12.0, 3, 8, 10]))
    usual = {
        "the area is negative: the sign says which way round the points go. Take its absolute value": -64.0,
        "it is twice the area: the formula has a factor 1/2": 128.0,
        "that is the area of the box; the polygon's is wanted": 80.0,
        "the edge from the last point to the first is missing": 100.0,
    }
    for name, each in (("these five points", points), ("the same points the other way round", points[::-1])):
        area = annotation_of(each)["area"]
        expect_number(f"for {name} `area`", area, area)  # is it a number at all?
        expect_none_of(f"For {name} `area` is {float(area):g}, wanted 64", area, usual)
        expect_number(f"for {name} `area`", area, 64.0)
    moved = annotation_of(np.add(points, [5, 40]))
    expect_number("of the polygon moved by (5, 40), `area`", moved["area"], 64.0)
    box = np.asarray(moved["bbox"], float)
    expect_array("of the polygon moved by (5, 40), `bbox`", box, np.array([17.0, 43, 8, 10]))
    return "A tool does these three lines for you. When its boxes are wrong one day, you will know where to look."


def _difference_hash(picture):
    height, width = picture.shape
    blocks = picture.reshape(8, height // 8, 9, width // 9).mean((1, 3))
    return blocks[:, 1:] > blocks[:, :-1]


@exercise(
    "Shrink the picture to 8 rows and 9 columns first. Then compare each column with the one on its left.",
    "`picture.reshape(8, height // 8, 9, width // 9)` splits both axes into blocks; two of the four axes go.",
    "`.mean((1, 3))` leaves (8, 9). Then `blocks[:, 1:] > blocks[:, :-1]`.",
    solution=_difference_hash,
)
def q2(difference_hash):
    rng = np.random.default_rng(14)
    picture = ndimage.gaussian_filter(rng.random((72, 144)), 5) + 0.02 * rng.random((72, 144))
    got, want = difference_hash(picture), _difference_hash(picture)
    small = picture.reshape(8, 9, 9, 16).mean((1, 3))
    sampled = picture[::9, ::16]
    usual = {
        "left and right are swapped": want[:, ::-1],
        "it says where a place is *darker* than its left neighbour": ~want,
        "you look at single pixels, which noise changes; take means of blocks": sampled[:, 1:] > sampled[:, :-1],
        "each block is compared with the mean of all, not with its left neighbour": small[:, :8] > small.mean(),
    }
    expect_none_of("`difference_hash(picture)`", got, usual)
    if np.shape(got) == (8, 9):
        raise NotYet("`difference_hash(picture)` is (8, 9): nine columns of blocks have eight pairs of neighbours.")
    expect_array("`difference_hash(picture)` for a picture (72, 144)", got, want)
    other = np.asarray(difference_hash(0.3 + 0.5 * picture))
    expect_array("for the same picture, brighter and with less contrast, `difference_hash(picture)`", other, want)
    return "64 bits that survive new brightness, noise, resizing and JPEG. `seglib data check` counts how many differ."


def _parameter_groups(net, encoder_rate, decoder_rate):
    encoder = list(net.down.parameters())
    known = {id(value) for value in encoder}
    rest = [value for value in net.parameters() if id(value) not in known]
    return [{"params": encoder, "lr": encoder_rate}, {"params": rest, "lr": decoder_rate}]


@exercise(
    "`torch.optim.AdamW` takes a list of dicts instead of parameters. Which parts of the network are the encoder?",
    "The encoder is `net.down`. All else, the head too, belongs to the other group: each parameter exactly once.",
    '`[{"params": list(net.down.parameters()), "lr": ...}, {"params": rest, "lr": ...}]`; find the rest by `id`.',
    solution=_parameter_groups,
)
def q3(parameter_groups):
    torch.manual_seed(14)
    net = UNet(1, 2, width=4, depth=2)
    groups = parameter_groups(net, 1e-4, 1e-3)
    if not isinstance(groups, list) or not all(isinstance(g, dict) and {"params", "lr"} <= set(g) for g in groups):
        raise NotYet('`parameter_groups(...)` is a list of dicts, with "params" and "lr", as torch.optim takes them.')
    names = {id(value): name for name, value in net.named_parameters()}
    rates, seen = {}, []
    for group in groups:
        for value in list(group["params"]):
            if id(value) not in names:
                what = f"the text {value!r}" if isinstance(value, str) else f"a {type(value).__name__}"
                raise NotYet(
                    f"`params` holds {what}; the parameters themselves are wanted, as `.parameters()` gives them."
                )
            seen.append(names[id(value)])
            rates[names[id(value)]] = group["lr"]
    if twice := sorted({name for name in seen if seen.count(name) > 1}):
        raise NotYet(f"{twice[0]} is in two groups ({len(twice)} parameters are): it would be moved twice.")
    if missing := [name for name in names.values() if name not in rates]:
        raise NotYet(f"{missing[0]} is in no group ({len(missing)} parameters are not): it would never learn.")
    wanted = {name: 1e-4 if name.startswith("down.") else 1e-3 for name in rates}
    if all(np.isclose(rates[name], 1.1e-3 - wanted[name]) for name in rates):
        raise NotYet("The rates are swapped: the encoder knows much already and takes the small one.")
    for name in rates:
        if not np.isclose(rates[name], wanted[name]):
            raise NotYet(f"{name} learns at {rates[name]:g}, wanted {wanted[name]:g}.")
    torch.optim.AdamW(groups)
    return "One optimizer, two speeds: a softer way than freezing first and thawing later."


AIM = 0.69  # IoU


@cache
def _new_pictures():
    return [(each["image"][0].numpy(), each["instances"].numpy() > 0) for each in NewMicroscope(20, seed=77)]


def label_free_score(segment):
    """IoU of ``segment(picture)``, bool (H, W), with the nuclei of 20 pictures of the new microscope, pooled."""
    shared = covered = 0
    for picture, truth in _new_pictures():
        found = segment(picture.copy())
        if not isinstance(found, np.ndarray) or found.shape != truth.shape or found.dtype != bool:
            kind = type(found).__name__
            if isinstance(found, np.ndarray):
                kind = f"{found.dtype} {found.shape}"
            raise NotYet(f"`segment(picture)` is {kind}, wanted a NumPy array of True and False, {truth.shape}.")
        shared += (found & truth).sum()
        covered += (found | truth).sum()
    return float(shared / covered)


def _segment(picture):
    even = ndimage.gaussian_filter(picture, 1) - ndimage.gaussian_filter(picture, 30)
    filled = ndimage.binary_fill_holes(even > threshold_otsu(even))
    return ndimage.binary_opening(filled)


@exercise(
    "Look at Otsu's result on one picture: what does the lamp do to it, and what is missing inside the outlines?",
    "Subtract a much blurred copy of the picture: the lamp goes, and one threshold serves the whole of it.",
    "`even = gaussian_filter(picture, 1) - gaussian_filter(picture, 30)`, Otsu on `even`, fill holes, open.",
    solution=_segment,
)
def q4(segment):
    reached = label_free_score(segment)
    mark = label_free_score(lambda picture: picture > threshold_otsu(picture))
    if reached < AIM:
        raise NotYet(
            f"IoU {reached:.3f}; Otsu's threshold alone has {mark:.3f}, {AIM} is wanted. Show results beside their "
            "pictures: is it the lamp, the insides, or specks?"
        )
    return f"IoU {reached:.3f}, and not one label. Keep such a baseline: a network has to beat it first."
