"""Exercises of lesson 00, Start here."""

import numpy as np

from seglib.exercises import NotYet, exercise, expect_array, expect_choice, expect_none_of


def _negative(image):
    return 1 - image


@exercise("Black is 0 and must become 1.", "What do a pixel and its negative always add up to?", solution=_negative)
def q0(negative):
    image = np.array([[0.0, 0.25], [0.5, 1.0]])
    expect_array("`negative(image)`", negative(image), 1 - image)
    dull = np.array([[0.25, 0.5]])
    got, name = negative(dull), "For a picture without pure black and white, `negative(image)`"
    wrong = {
        "white is 1, not the brightest pixel of this picture": dull.max() - dull,
        "black is 0 and white is 1, whatever the darkest and the brightest pixel are": dull.min() + dull.max() - dull,
        "the picture was stretched: divide by nothing, its values lie between 0 and 1 already": 1 - dull / dull.max(),
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, 1 - dull)
    return "Black is white, white is black. Every check works like this one."


def _class_counts(mask, num_classes):
    return np.array([np.sum(mask == c) for c in range(num_classes)])


@exercise(
    "How many pixels equal 0? How many equal 1? Which ids need a count, even if none occurs?",
    "`mask == c` is True where the class is c, and the sum of True and False counts the True ones.",
    "Collect `np.sum(mask == c)` for c in `range(num_classes)` in an array. 255 is never counted.",
    solution=_class_counts,
)
def q1(class_counts):
    mask = np.array([[0, 0, 0, 0], [0, 1, 1, 3], [255, 255, 3, 3]])
    got, want = class_counts(mask, 5), np.array([5, 2, 0, 3, 0])
    size = got.size if isinstance(got, np.ndarray) else 0
    if size == 3 and np.array_equal(np.sort(got, axis=None), [2, 3, 5]):
        raise NotYet("You give 3 numbers for 5 classes: absent ones are left out, and place 3 no longer means class 3.")
    if size == 4 and np.array_equal(got, [5, 2, 3, 2]):
        raise NotYet("You give 4 numbers for 5 classes: one for each value that occurs, and one of these is void, 255.")
    if size == 4 and np.array_equal(got, want[:4]):
        raise NotYet("You give 4 numbers for 5 classes: class 4 does not occur here, and its count is 0.")
    if size >= 256:
        raise NotYet(f"You give {size} numbers for 5 classes: the void pixels, 255, were counted too.")
    shares = "your numbers are shares of the {}; wanted are whole pixels"
    bins = "`np.histogram` lays its bins between the smallest and the largest value, here 0 and {}; give it their edges"
    wrong = {
        shares.format("picture"): want / mask.size,
        shares.format("pixels that count"): want / want.sum(),
        "you sorted by size: place 3 must hold the count of class 3": np.sort(want)[::-1],
        "the void pixels were counted as class 0": [7, 2, 0, 3, 0],
        "the void pixels were counted as the last class": [5, 2, 0, 3, 2],
        "your array says which classes occur; wanted is how many pixels each has": [1, 1, 0, 1, 0],
        "the counts moved together: class 2 is absent, so place 2 must hold 0": [5, 2, 3, 0, 0],
        "your places begin with class 1; place 0 must hold the count of class 0": [2, 0, 3, 0, 0],
        "you added up the ids of the pixels; wanted is how many pixels there are": [0, 2, 0, 9, 0],
        "the pixels of class 0 are missing: 0 is a class like any other": [0, 2, 0, 3, 0],
        "every place holds the pixels of its class and of all classes before it": np.cumsum(want),
        bins.format(255): [10, 0, 0, 0, 2],
        bins.format(3): [5, 2, 0, 0, 3],
    }
    expect_none_of("`class_counts(mask, 5)`", got, wrong)
    expect_array("`class_counts(mask, 5)`", got, want)
    full, name = np.zeros((300, 400), int), "On a mask of 300 x 400 pixels without void, `class_counts(mask, 3)`"
    full[:, 0] = 2
    got, want = class_counts(full, 3), np.array([119_700, 0, 300])
    wrong = {f"a count of 119700 does not fit into {kind}": want.astype(kind) for kind in ("uint8", "int16", "uint16")}
    wrong["class 2, the highest, is lost: leave out 255 and nothing else, whether it occurs or not"] = [119_700, 0, 0]
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    small, got = name.replace("void", "void, of type uint8"), class_counts(full.astype(np.uint8), 3)
    expect_none_of(small, got, {"a count of 119700 does not fit into the mask's own type": want.astype(np.uint8)})
    expect_array(small, got, want)
    void = class_counts(np.full((2, 2), 255), 2)
    expect_array("Where every pixel is void, `class_counts(mask, 2)`", void, np.zeros(2, int))
    two, name = np.array([[0, 0], [1, 1]]), "On a mask of two classes without void, `class_counts(mask, 5)`"
    got, want = class_counts(two, 5), np.array([2, 2, 0, 0, 0])
    short = "the highest classes are absent here, and your array ends before them: absent ones count 0"
    expect_none_of(name, got, {short: want[:2]})
    expect_array(name, got, want)
    return "An absent class counts 0, and void counts nowhere."


def _which_is_instance():
    return "C"


@exercise(
    "Look at a single coin: has it one number, and has another coin the same?",
    "Look at the corners around a coin: has the cloth there the coin's number?",
    solution=_which_is_instance,
)
def q2(which_is_instance):
    wrong = {
        "A": "A gives every coin the same number. It says what a pixel is, not to which coin it belongs: semantic.",
        "B": "B has a number for every coin, but its boxes hold cloth in their corners. That is detection.",
        "D": "D cuts a coin into light and dark groups, and one group lies in many coins. That is clustering.",
    }
    expect_choice(which_is_instance(), right="C", wrong=wrong)
    return "One number for each coin, and exactly its pixels."


def _boxes_of(instances):
    found = []
    for i in np.unique(instances[instances > 0]):
        rows, columns = np.nonzero(instances == i)
        found.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    return np.array(found, dtype=int).reshape(-1, 4)


@exercise(
    "Start with one object: which rows is it in? And which columns?",
    "`rows, columns = np.nonzero(instances == i)`. x counts columns, y counts rows.",
    "A box is `[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]`; the ids are "
    "`np.unique(instances[instances > 0])`. Even without objects, `.reshape(-1, 4)` keeps four columns and `dtype=int` "
    "whole numbers.",
    solution=_boxes_of,
)
def q3(boxes_of):
    instances = np.zeros((8, 12), int)
    instances[2:6, 3:8], instances[1, 9:12], instances[5:8, :2] = 1, 2, 5
    got, want = boxes_of(instances), np.array([[3, 2, 8, 6], [9, 1, 12, 2], [0, 5, 2, 8]])
    shape = getattr(got, "shape", None)
    if shape == (4, 4):
        raise NotYet("You give 4 boxes for 3 objects: 0 is no object, leave it out.")
    if shape == (5, 4):
        raise NotYet("You give 5 boxes for 3 objects: the ids are 1, 2 and 5, they may have gaps.")
    size = want[:, 2:] - want[:, :2]
    wrong = {
        "rows come first in your boxes. NumPy counts rows first, boxes give x first": want[:, [1, 0, 3, 2]],
        "right and bottom are the last pixel's; wanted is one past it, as in a NumPy slice": want - [0, 0, 1, 1],
        "right is the last pixel's column; wanted is one past it, as in a NumPy slice": want - [0, 0, 1, 0],
        "bottom is the last pixel's row; wanted is one past it, as in a NumPy slice": want - [0, 0, 0, 1],
        "left and top are one too far, as if pixels were counted from 1": want - [-1, -1, 0, 0],
        "left and top lie one pixel outside of the object": want - [1, 1, 0, 0],
        "right and bottom are two past the last pixel; wanted is one past it": want - [0, 0, -1, -1],
        "your order is left, right, top, bottom; wanted is left, top, right, bottom": want[:, [0, 2, 1, 3]],
        "your order is top, bottom, left, right; wanted is left, top, right, bottom": want[:, [1, 3, 0, 2]],
        "your order is left, top, bottom, right; wanted is left, top, right, bottom": want[:, [0, 1, 3, 2]],
        "your order is top, left, right, bottom; wanted is left, top, right, bottom": want[:, [1, 0, 2, 3]],
        "rows come first in your boxes, and their ends are the last pixel's; wanted are x first, and one past the last "
        "pixel": want[:, [1, 0, 3, 2]] - [0, 0, 1, 1],
        "the boxes come by size, the largest object first; wanted is by rising id": want[[0, 2, 1]],
        "the boxes come by size, the smallest object first; wanted is by rising id": want[[1, 2, 0]],
        "the boxes come from left to right; wanted is by rising id": want[[2, 0, 1]],
        "the boxes come from top to bottom, as `label` would number them; wanted is by rising id": want[[1, 0, 2]],
        "the boxes come by falling id; wanted is by rising id": want[::-1],
        "the last two are width and height; wanted are right and bottom": np.c_[want[:, :2], size],
        "the last two are height and width; wanted are right and bottom": np.c_[want[:, :2], size[:, ::-1]],
        "the last two are width - 1 and height - 1; wanted are right and bottom": np.c_[want[:, :2], size - 1],
    }
    expect_none_of("`boxes_of(instances)`", got, wrong)
    expect_array("`boxes_of(instances)`", got, want)
    _check_slanted(boxes_of)
    full = np.array([[1, 1, 2], [1, 1, 3]])
    got, want = boxes_of(full), np.array([[0, 0, 2, 2], [2, 0, 3, 1], [2, 1, 3, 2]])
    wrong = {
        "an object is lost where no pixel is 0: leave out 0 by value": want[1:],
        "objects of a single pixel are lost: they have a box too": want[:1],
    }
    name = "Where objects cover the whole picture, `boxes_of(instances)`"
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    behind = np.zeros((1, 302), np.uint8)
    behind[0, [0, 300, 301]], behind[0, 2:4] = 3, 7
    got, want = boxes_of(behind), np.array([[0, 0, 302, 1], [2, 0, 4, 1]])
    pieces = np.array([[0, 0, 1, 1], [2, 0, 4, 1], [300, 0, 302, 1]])
    wrong = {
        "object 3 is in two pieces, since 7 hides its middle: it is still one object with one box": pieces,
        "object 3 is in two pieces, since 7 hides its middle, and your box ends with the first": pieces[:2],
        "object 3 is in two pieces, since 7 hides its middle, and your box holds the larger one only": pieces[[2, 1]],
        "right is one past the last column of object 3, however many columns 7 hides": want - [[0, 0, 299, 0], [0] * 4],
        "column 302 does not fit into the mask's own type, uint8, which counts to 255. Let the boxes be int": want
        % 256,
    }
    name = "Where one object hides the middle of another in an array of uint8, `boxes_of(instances)`"
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    many = np.zeros((2, 400), int)
    many[0, 10:20], many[0, 300:310], many[1, 350:360], many[1, :4] = 300, 10, 9, 255
    got, want = boxes_of(many), np.array([[350, 1, 360, 2], [300, 0, 310, 1], [0, 1, 4, 2], [10, 0, 20, 1]])
    wrong = {
        "object 255 is missing: in an instance map, 255 is an id like any other": want[[0, 1, 3]],
        "object 300 is missing: ids may be larger than 255": want[:3],
        "objects 255 and 300 are missing: in an instance map, these are ids like any other": want[:2],
        "coordinates above 255 do not fit into uint8": want.astype(np.uint8),
        "the ids are sorted as texts, '10' before '9'": want[[1, 2, 3, 0]],
    }
    name = "With the ids 9, 10, 255 and 300, `boxes_of(instances)`"
    expect_none_of(name, got, wrong)
    if isinstance(got, np.ndarray) and got.tolist() != want.tolist() and sorted(got.tolist()) == sorted(want.tolist()):
        raise NotYet(f"{name} holds every box, but they do not come by rising id.")
    expect_array(name, got, want)
    got = boxes_of(np.zeros((3, 3), int))
    if isinstance(got, list) and not got:
        raise NotYet("Where no object is, you return an empty list; wanted is an array of shape (0, 4).")
    expect_array("Where no object is, `boxes_of(instances)`", got, np.zeros((0, 4), int))
    return "`instances[top:bottom, left:right]` now cuts the object out."


def _check_slanted(boxes_of):
    """On an object that reaches each side of its box in another row and column."""
    slanted = np.zeros((7, 11), int)
    slanted[1, 4], slanted[2, 3:9], slanted[3, 3:8], slanted[4, 2:8], slanted[5, 6] = 1, 1, 1, 1, 1
    name = "On an object with a slanted outline, `boxes_of(instances)`"
    got, want = boxes_of(slanted), np.array([[2, 1, 9, 6]])
    wrong = {
        "left and right come from the first and the last pixel; other rows reach further out": [[4, 1, 7, 6]],
        "left comes from the first pixel; another row begins further left": [[4, 1, 9, 6]],
        "right comes from the last pixel; another row ends further right": [[2, 1, 7, 6]],
        "left and right come from the top row alone; other rows reach further out": [[4, 1, 5, 6]],
        "left and right come from the bottom row alone; other rows reach further out": [[6, 1, 7, 6]],
        "top and bottom come from the leftmost column alone; others reach further up and down": [[2, 4, 9, 5]],
        "top and bottom come from the rightmost column alone; others reach further up and down": [[2, 2, 9, 3]],
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
