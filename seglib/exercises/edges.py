"""Exercises of lesson 01, edges."""

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

from seglib import classical, metrics
from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_shape, has_loops
from seglib.scenes import photo


def _slopes(row):
    row = np.asarray(row, float)
    return (row[2:] - row[:-2]) / 2


@exercise(
    "`row[2:]` is the row without its first two pixels. Which slice lines up with it?",
    "`row[2:] - row[:-2]` are the differences; they span two pixels.",
    "A uint8 picture must become float first: `row.astype(float)`.",
    solution=_slopes,
)
def q1(slopes):
    row = np.array([0.1, 0.1, 0.13, 0.4, 0.6, 0.58])
    want = np.array([0.015, 0.15, 0.235, 0.09])
    got = slopes(row)
    if np.shape(got) == (5,):
        raise NotYet("Five differences for six pixels: these lie *between* pixels. Take the neighbour on either side.")
    if np.shape(got) == (6,) and np.allclose(got[1:-1], want):
        raise NotYet("Six slopes: the first and the last pixel lack a neighbour. Leave them out.")
    expect_shape("`slopes(row)` of six pixels", got, (4,))
    wrong = {
        "twice too much: the neighbours are two pixels apart": 2 * want,
        "the row holds 0.1, 0.4 and so on, and these became 0. Convert to float, not to whole numbers": 0 * want,
    }
    expect_none_of("`slopes(row)`", got, wrong)
    expect_array("`slopes(row)`", got, want)
    steep = slopes(np.array([58, 60, 40, 13, 10, 10], np.uint8))
    if np.shape(steep) == (4,) and np.min(steep) >= 0:
        raise NotYet(
            f"For 58, 60, 40, 13, 10, 10 as uint8, the largest slope is {np.max(steep):g}; all should be negative. "
            "uint8 knows no negative numbers, so 13 - 60 wraps around to 209. Convert before you subtract."
        )
    expect_array("For 58, 60, 40, 13, 10, 10 as uint8, `slopes(row)`", steep, np.array([-9, -23.5, -15, -1.5]))
    return "Convert, subtract, halve. `np.gradient` does the same inside, and one-sided differences at the ends."


def _crests(strength, d_rows, d_columns):
    direction = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4)).astype(int) % 4
    kept = np.zeros(strength.shape)
    for number, step in enumerate([(0, 1), (1, 1), (1, 0), (1, -1)]):
        behind = np.roll(strength, step, axis=(0, 1))
        ahead = np.roll(strength, (-step[0], -step[1]), axis=(0, 1))
        crest = (direction == number) & (strength >= ahead) & (strength >= behind)
        kept[crest] = strength[crest]
    kept[[0, -1]] = 0
    kept[:, [0, -1]] = 0
    return kept


@exercise(
    "`np.arctan2(d_rows, d_columns)` is the gradient's angle. The directions are multiples of 45 degrees, `np.pi / 4`.",
    "Round `angle / (np.pi / 4)` to whole numbers and take them `% 4`: 0 is right or left, 1 lower right or upper "
    "left, 2 down or up, 3 lower left or upper right. Rows count downwards.",
    "For each of the four, compare with the strength one step along (1, 1), say, and one step against it. `np.roll` "
    "moves a whole array; a loop over pixels is fine too. Put 0 on the frame at the end.",
    solution=_crests,
)
def q2(crests):
    random = np.random.default_rng(4)
    strength = random.uniform(0, 7, (9, 12))
    strength[2:5, 2:7] = 8  # equal neighbours
    angle = (random.integers(-4, 4, strength.shape) + random.uniform(-0.4, 0.4, strength.shape)) * np.pi / 4
    d_rows, d_columns = strength * np.sin(angle), strength * np.cos(angle)
    want = _crests(strength, d_rows, d_columns)
    name = "`crests(strength, d_rows, d_columns)`"
    got = crests(strength, d_rows, d_columns)
    expect_shape(name, got, strength.shape)
    got = np.asarray(got)
    if got.dtype == bool:
        raise NotYet("That is where the crests are. Return how strong they are: the strength there, 0 elsewhere.")
    framed = got.copy()
    framed[[0, -1]] = 0
    framed[:, [0, -1]] = 0
    if np.array_equal(framed, want) and not np.array_equal(got, want):
        raise NotYet("Inside it is right. A pixel on the frame lacks a neighbour: put 0 there.")
    straight = np.abs(d_rows) > np.abs(d_columns)
    floor = np.floor(angle / (np.pi / 4)) * np.pi / 4
    wrong = {
        "you keep every pixel. A stronger neighbour across the edge should remove it": strength,
        "you always compare with left and right. Let each pixel's gradient choose": _crests(strength, 0, d_columns),
        "you always compare with above and below. Let each pixel's gradient choose": _crests(strength, d_rows, 0),
        "the two diagonals are swapped. Rows count downwards, so a gradient with both slopes above 0 points to the "
        "lower right": _crests(strength, -d_rows, d_columns),
        "you look along the edge. The neighbours across it lie along the gradient; are `d_rows` and `d_columns` "
        "swapped, or the angle turned by 90 degrees?": _crests(strength, d_columns, -d_rows),
        "down and right are swapped: the angle is `np.arctan2(d_rows, d_columns)`": _crests(
            strength, d_columns, d_rows
        ),
        "you never compare with a diagonal neighbour. There are four directions": _crests(
            strength, d_rows * straight, d_columns * ~straight
        ),
        "the directions are cut off, not rounded: 44 degrees is nearer to 45 than to 0": _crests(
            strength, np.sin(floor + 1e-3), np.cos(floor + 1e-3)
        ),
    }
    expect_none_of(name, framed, wrong)
    ties = strength == 8
    if np.array_equal(framed[~ties], want[~ties]) and not framed[ties].any():
        raise NotYet("A pixel stays if no neighbour across the edge is stronger. Equal is enough: compare with `>=`.")
    expect_array(name, got, want)
    return "Rounding is coarser than mixing two pixels, but fast; OpenCV's `Canny` rounds."


def _link(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return np.isin(chains, np.unique(chains[strength >= high]))


@exercise(
    "`skimage.measure.label` gives each chain of pixels a number. Which `connectivity` includes corners?",
    "`np.unique(chains[strength >= high])` are the numbers of the chains with a strong pixel.",
    "`np.isin(chains, those_numbers)` is True where a chain has one of these numbers.",
    solution=_link,
)
def q3(link):
    strength = np.zeros((7, 9))
    strength[1, 1:5] = 2, 1.5, 1.5, 1  # a chain with a strong start
    strength[2, 5] = 1  # goes on across a corner
    strength[4, 1:4] = 1, 1, 1  # weak all along
    strength[6, 4:8] = 1, 0.5, 1, 2  # too weak in its middle
    want = classical.hysteresis(strength, 1, 2)
    got = link(strength, 1, 2)
    expect_shape("`link(strength, 1, 2)`", got, (7, 9))
    got = np.asarray(got)
    near = ndimage.binary_dilation(strength >= 2, np.ones((3, 3))) & (strength >= 1)
    wrong = {
        "you keep the strong pixels only. The weak ones beside them belong to the edge": strength >= 2,
        "you keep every weak pixel. Row 4 holds a chain without a single strong one": strength >= 1,
        "a pixel of exactly `low` counts: compare with `>=`": classical.hysteresis(strength, 1.01, 2),
        "nothing is kept. A pixel of exactly `high` is strong: compare with `>=`": strength > 2,
        "you take one step from the strong pixels. The chain in row 1 goes on: follow it to its end": near,
    }
    expect_none_of("`link(strength, 1, 2)`", got, wrong)
    if got.dtype == bool and got[1, 4] and not got[2, 5]:
        raise NotYet("The chain from row 1 goes on at row 2, column 5, across a corner: eight neighbours, not four.")
    expect_array("`link(strength, 1, 2)`", got, want)
    expect_array("With nothing strong, `link(strength, 1, 9)`", link(strength, 1, 9), np.zeros(want.shape, bool))
    if has_loops(link):
        raise NotYet("The pixels are right, but there is a loop in it. Number the chains, then choose numbers.")
    return "Number the weak chains, see which numbers occur among the strong pixels, keep those."


def broken_outlines():
    """Outlines with gaps of up to 3 pixels, and what they should enclose.

    Returns
    -------
    edges, inside : dicts of name -> (48, 64) bool array
    """
    rows, columns = np.indices((48, 64))
    disc = (rows - 23) ** 2 + (columns - 20) ** 2 <= 14**2
    corner = (abs(rows - 24) <= 15) & (abs(columns - 40) <= 15) & ~((rows < 24) & (columns > 40))
    pair = ((rows - 23) ** 2 + (columns - 14) ** 2 <= 9**2) | ((rows - 23) ** 2 + (columns - 36) ** 2 <= 9**2)
    inside = {"disc": disc, "corner": corner, "two discs": pair, "disc and stroke": disc}
    edges = {name: mask & ~ndimage.binary_erosion(mask) for name, mask in inside.items()}
    edges["disc"][22:25, 30:] = False
    edges["corner"][38:41, 29:32] = False
    edges["two discs"][31:33, 13:15] = edges["two discs"][22:25, 40:] = False
    edges["disc and stroke"][30:32, :14] = False
    edges["disc and stroke"][8:38, 50] = True  # encloses nothing
    return edges, inside


def _mend(edges):
    fat = ndimage.binary_dilation(edges, iterations=2)
    filled = ndimage.binary_fill_holes(fat)
    thin_again = ndimage.binary_erosion(filled, iterations=2)
    return ndimage.binary_opening(thin_again)  # without strokes


@exercise(
    "`scipy.ndimage.binary_fill_holes` fills what is enclosed. What must happen to the edges before?",
    "`binary_dilation(edges, iterations=2)` closes gaps of up to 4 pixels, and fattens the edges by 2.",
    "After filling, `binary_erosion(..., iterations=2)` takes the fat away, `binary_opening` what is thin.",
    solution=_mend,
)
def q4(mend):
    edges, inside = broken_outlines()
    for name, outline in edges.items():
        got, want = mend(outline), inside[name]
        expect_shape(f"'{name}': `mend(edges)`", got, want.shape)
        got = np.asarray(got)
        if got.dtype != bool:
            raise NotYet(f"'{name}': `mend(edges)` holds {got.dtype}, wanted True inside and False outside (bool).")
        core = ndimage.binary_erosion(want, iterations=2)
        if (kept := got[core].mean()) < 0.5:
            raise NotYet(
                f"'{name}': {kept:.0%} of the inside is filled. The outline leaks. Bridge the gap, then "
                "fill, then shrink; `binary_closing` shrinks at once, and takes the bridge of a thin line away again."
            )
        if name == "disc and stroke" and got[:, 46:55].any():
            raise NotYet("The single stroke encloses nothing, and yet it is in your mask. What takes thin things away?")
        score, larger = metrics.binary_iou(got, want), got.sum() / want.sum()
        what = "The mask is too large: dilated edges are fat. Shrink it again by as much."
        if larger < 1:
            what = "The mask is too small: does the outline itself belong to it?"
        elif got[~ndimage.binary_dilation(want, iterations=4)].any():
            what = "The mask fills what no outline encloses: an object need not be convex, and two objects are not one."
        if score < 0.9:
            raise NotYet(f"'{name}': IoU {score:.2f}, wanted 0.9 or more. {what}")
    return "Dilate, fill, erode. It works while gaps are smaller than whatever lies beside them."


BEAT, OPEN = 0.9, 0.15  # F1; share of the pixels that is left to the flood


def coin_photos():
    """The coins in three lights: dict of name -> (image (H, W) float64 in 0..1, instances (H, W))."""
    coins = photo("coins")
    image, instances = coins["image"], coins["instances"]
    shade = 1 - 0.6 * np.linspace(0, 1, image.shape[1])
    return {
        "as it is": (image, instances),
        "lit from the left": (image * shade, instances),
        "darker, upside down": (0.6 * image[::-1], instances[::-1]),
    }


def coins_found(image, markers):
    """Flood from the markers; number 1 is cloth, every other one an object: (H, W) instance map, 0 = cloth."""
    basins = classical.watershed_segment(image, markers)
    return np.where(basins > 1, basins - 1, 0)


def _coin_markers(image):
    smooth = ndimage.gaussian_filter(image, 1)
    flat = smooth - ndimage.uniform_filter(smooth, 150)  # without the light
    bright = flat > threshold_otsu(flat)
    coins = label(ndimage.binary_erosion(ndimage.binary_opening(bright, iterations=4), iterations=2))
    cloth = ndimage.binary_erosion(~bright, iterations=3)
    return np.where(coins > 0, coins + 1, cloth.astype(int))


@exercise(
    "Fixed grey values fail when the light changes. What remains if you take a wide mean off the picture?",
    "`flat = image - ndimage.uniform_filter(image, 150)`, then Otsu's threshold. Specks would be coins: "
    "`ndimage.binary_opening(..., iterations=4)` removes them, and `label` numbers what is left from 1.",
    "Coins get their number + 1. Cloth is 1 where it is surely dark. Erode both a little, so that rims stay open (0).",
    solution=_coin_markers,
)
def q5(coin_markers):
    scores = []
    for name, (image, instances) in coin_photos().items():
        markers = coin_markers(image)
        expect_shape(f"'{name}': `coin_markers(image)`", markers, image.shape)
        markers = np.asarray(markers)
        if not np.issubdtype(markers.dtype, np.integer):
            raise NotYet(f"Markers are whole numbers: 0 open, 1 cloth, 2, 3, ... coins. Yours are {markers.dtype}.")
        numbers = np.unique(markers[markers != 0])
        if markers.min() < 0 or 1 not in numbers:
            raise NotYet(f"'{name}': no pixel has the number 1. Without a marker for the cloth, coins flood it.")
        if len(numbers) < 3:
            raise NotYet(f"'{name}': one number for all coins. Give each coin its own: `label` counts them.")
        if (left := np.mean(markers == 0)) < OPEN:
            raise NotYet(
                f"'{name}': {left:.0%} of the pixels are open, at least {OPEN:.0%} are wanted. Mark only what is sure "
                "and leave the rims to the flood: `ndimage.binary_erosion` makes a marker smaller."
            )
        score = metrics.instance_f1(coins_found(image, markers), instances)
        if score.f1 < BEAT:
            raise NotYet(
                f"'{name}': {score.true_positives} coins found, {score.false_positives} false objects, "
                f"object F1 {score.f1:.2f}; wanted {BEAT} in each of the three lights."
            )
        scores.append(f"{name} {score.f1:.2f}")
    return "Object F1: " + ", ".join(scores) + "."
