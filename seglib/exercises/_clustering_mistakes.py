"""The usual mistakes of those who write k-means, and what gives them away."""

import numpy as np

from seglib.exercises import NotYet, expect_array, expect_none_of


def refuse_stubborn_centres(one_round):
    """Raise NotYet if a centre stays put for another reason than that it has no points."""
    for place, times, why in (
        ((0, 2), 2, "a coordinate whose mean is 0 counts like any other"),
        ((0, 0), 2, "points at 0, such as black pixels, are points; ask for their number, not for their values"),
        ((0, 2), 1, "one point is enough for a mean"),
    ):
        points, centres = np.array([place] * times + [(7, 5), (7, 7)]), np.array([[1, 1], [7, 8]])
        moved = one_round(points, centres)[1]
        if np.shape(moved) == (2, 2) and (np.asarray(moved)[0] == 1).any():
            raise NotYet(
                f"Centre 0 is at (1, 1), its {times} point(s) at {place}, but it moves to {moved[0]}: {why}. Only a "
                "centre without points stays where it is."
            )
        expect_array("When a centre has its points at one place, `moved`", moved, np.array([place, (7, 6)], float))


def refuse_small_numbers(one_round):
    """Raise NotYet if the squared distances of uint8 colours overflow, as in float16."""
    far = np.array([[255, 250, 240], [250, 255, 0], [0, 0, 0]], np.uint8)
    labels = one_round(far, far[:2])[0]
    if np.array_equal(labels, [0, 1, 0]):
        raise NotYet(
            "Black lies nearer to yellow than to white, but you put it to white. Its squared distances are 127,525 and "
            "185,125: too large for your type of number (float16 ends at 65,504). Use `astype(float)`."
        )
    expect_array("For white, yellow and black, two of them centres, `labels`", labels, np.array([0, 1, 1]))


def refuse_misplaced(name, got, want):
    """Raise NotYet unless the last two columns hold the positions in a picture of 3 x 5 pixels, at weight 0.5."""
    place = want[:, 3:]
    mixed, swapped = (0.1 * np.indices(size) for size in ((3, 5), (5, 3)))
    wrong = {
        "row and column are swapped. The fourth number is the row, the fifth the column": place[:, ::-1],
        "the position is in pixels. Divide it by the longer side, or it drowns the colour": place * 5,
        "you divide rows and columns by different sides; a pixel is a square, so use one": place * (5 / 3, 1),
        "you divide by the shorter side; the longer one is wanted": place * 5 / 3,
        "the weight is missing, or counts as 1": place * 2,
        "the positions run column by column, and the colours row by row": mixed.T.reshape(-1, 2),
        "the axes are mixed up: first come pairs of row numbers, then pairs of column numbers. Put row and column side "
        "by side before `reshape`, as `np.stack([rows, columns], axis=-1)` does": mixed.reshape(-1, 2),
        "height and width are swapped. `image.shape` begins with the height": swapped.reshape(2, -1).T,
    }
    expect_none_of(name, got[:, 3:], wrong)
    off = np.argwhere(~(np.abs(got - want) < 1e-5))  # NaN is off too
    if len(off):
        i, j = off[0]
        raise NotYet(
            f"{name}[{i}, {j}] ({'the row' if j == 3 else 'the column'} of pixel [{i // 5}, {i % 5}], divided and "
            f"weighted) is {got[i, j]:.6g}, wanted {want[i, j]:.6g} (wrong in {len(off)} of 30 positions)."
        )


def refuse_channels_as_side(features_of, small, want):
    """Raise NotYet if the longer side of a picture smaller than 3 pixels is taken to be its 3 channels."""
    got = features_of(small, 2)
    if np.shape(got) == want.shape and np.allclose(np.asarray(got, float)[:, 3:] * 3, want[:, 3:] * 2):
        raise NotYet("In a picture of 2 x 2 pixels you divide by 3, its channels. A side is `image.shape[0]` or `[1]`.")
    expect_array("For 2 rows and 2 columns, `features_of(image, 2)`", got, want)


def refuse_whole_positions(features_of, wanted_of, counts):
    """Raise NotYet if the positions in a uint8 picture become whole numbers, or begin again at 256."""
    got, want = features_of(counts, 0.5), wanted_of(counts, 0.5)
    if np.shape(got) == (15, 5) and np.issubdtype(np.asarray(got).dtype, np.integer):
        raise NotYet("For a uint8 picture you return whole numbers, and every position below 1 becomes 0. Use floats.")
    expect_array("For a uint8 picture, `features_of(image, 0.5)`", got, want)
    wide = np.zeros((2, 300, 3), np.uint8)
    got, want = features_of(wide, 0.5), wanted_of(wide, 0.5)
    if np.shape(got) == want.shape and np.allclose(got[:256], want[:256]) and not np.allclose(got, want):
        raise NotYet("In a uint8 picture with 300 columns, column 256 is at 0 again. Do not count positions in uint8.")
    expect_array("For a uint8 picture with 300 columns, `features_of(image, 0.5)`", got, want)


def refuse_one_sided(chances, squared):
    """Raise NotYet if the farthest points share all the chances, or if near points have better ones than far points."""
    far, near = squared == squared.max(), squared.argsort()[:2]
    if np.isclose(chances[far].sum(), 1) and np.isclose(chances.sum(), 1):
        raise NotYet("You always take the farthest point. k-means++ draws; an outlier should not win for sure.")
    likeliest, least = near[chances[near].argmax()], chances[far].max()
    if chances[likeliest] > 1.001 * least >= 0:
        near_by, far_off = np.sqrt([squared[likeliest], squared.max()])
        raise NotYet(
            f"Near points are likelier here: at distance {near_by:g} from the only centre the chance is "
            f"{chances[likeliest]:.2g}, at {far_off:g} it is {least:.2g}. Far points should be likelier."
        )


def refuse_whole_means(name, got, want):
    """Raise NotYet if the mean colours have lost their fractions, or if everything is black."""
    got = np.asarray(got)
    if got.dtype.kind in "iub":
        raise NotYet(f"{name} has the type {got.dtype}: the means are cut off to whole numbers. Paint into floats.")
    if not got.any():
        raise NotYet(f"{name} is all black: nothing was painted, or the means were cut off to whole numbers.")
    wrong = {"you round the means": want.round(), "you cut the means off": np.floor(want)}
    fractions = "to whole numbers. Leave them their fractions"
    expect_none_of(name, got, {f"{why} {fractions}": whole for why, whole in wrong.items()})


def refuse_numbers_left_out(paint, image, labels):
    """Raise NotYet: of the labels 1, 2 and 3, the last is not painted. Why shows when they are 2, 5 and 6."""
    gaps = np.array([0, 2, 5, 6])[labels]
    got = np.asarray(paint(image, gaps), float)
    if np.allclose(got[gaps == 5], image[gaps == 5]) or not got[gaps == 5].any():
        raise NotYet(
            "Region 3 is not painted: you go from 0 to the number of regions. Labels need not begin at 0, and may have "
            "gaps; go through the numbers that occur."
        )
    raise NotYet("Region 3 is not painted. The largest number is a region too, and range(n) ends before n.")
