"""Exercises of lesson 00, Start here."""

import numpy as np

from seglib.exercises import NotYet, exercise, expect_array, expect_choice, expect_none_of, expect_shape


def _negative(image):
    return 1 - image


@exercise("Black is 0 and must become 1.", "What do a pixel and its negative always add up to?", solution=_negative)
def q0(negative):
    image = np.array([[0.0, 0.25], [0.5, 1.0]])
    expect_array("`negative(image)`", negative(image), 1 - image)
    dull = np.array([[0.25, 0.5]])
    expect_array("For a picture without pure black and white, `negative(image)`", negative(dull), 1 - dull)
    return "Black is white, white is black. Every check works like this one."


def _class_counts(mask, num_classes):
    return np.array([np.sum(mask == c) for c in range(num_classes)])


@exercise(
    "How many pixels equal 0? How many equal 1? Which ids must be asked after, even if none occurs?",
    "`mask == c` is True where the class is c, and the sum of True and False counts the True ones.",
    "Collect `np.sum(mask == c)` for c in `range(num_classes)` in an array. 255 is never asked after.",
    solution=_class_counts,
)
def q1(class_counts):
    mask = np.array([[0, 0, 0, 0], [0, 1, 1, 3], [255, 255, 3, 3]])
    got, want = class_counts(mask, 5), np.array([5, 2, 0, 3, 0])
    size = int(np.prod(np.shape(got)))
    if size == 3 and np.array_equal(got, [5, 2, 3]):
        raise NotYet("You give 3 numbers for 5 classes: absent ones are left out, and place 3 no longer means class 3.")
    if size == 4 and np.array_equal(got, [5, 2, 3, 2]):
        raise NotYet("You give 4 numbers for 5 classes: one for each value that occurs, and one of these is void, 255.")
    if size >= 256:
        raise NotYet(f"You give {size} numbers for 5 classes: the void pixels, 255, were counted too.")
    expect_shape("`class_counts(mask, 5)`", got, (5,))
    shares = "your numbers are shares of the {}; wanted are whole pixels"
    wrong = {
        shares.format("picture"): want / mask.size,
        shares.format("pixels that count"): want / want.sum(),
        "you sorted by size: place 3 must hold the count of class 3": np.sort(want)[::-1],
    }
    expect_none_of("`class_counts(mask, 5)`", got, wrong)
    expect_array("`class_counts(mask, 5)`", got, want)
    full = np.zeros((20, 20), int)
    full[:, 0] = 2
    got, want = class_counts(full, 3), np.array([380, 0, 20])
    lost = "the highest class is lost where no pixel is void: leave out 255, whatever else there is"
    expect_none_of("On a mask of 20 x 20 pixels without void, `class_counts(mask, 3)`", got, {lost: [380, 0, 0]})
    expect_array("On a mask of 20 x 20 pixels without void, `class_counts(mask, 3)`", got, want)
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
    "First for one object: in which rows does it lie, in which columns?",
    "`rows, columns = np.nonzero(instances == i)`. x counts columns, y counts rows.",
    "A box is `[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]`; the ids are "
    "`np.unique(instances[instances > 0])`. Even without objects, `.reshape(-1, 4)` keeps four columns and `dtype=int` "
    "whole numbers.",
    solution=_boxes_of,
)
def q3(boxes_of):
    instances = np.zeros((8, 12), int)
    instances[1:3, 2:7], instances[4:8, 9:12], instances[6, 0] = 1, 2, 5
    got, want = boxes_of(instances), np.array([[2, 1, 7, 3], [9, 4, 12, 8], [0, 6, 1, 7]])
    shape = getattr(got, "shape", None)
    if shape == (4, 4):
        raise NotYet("You give 4 boxes for 3 objects: 0 is no object, leave it out.")
    if shape == (5, 4):
        raise NotYet("You give 5 boxes for 3 objects: the ids are 1, 2 and 5, they may have gaps.")
    wrong = {
        "rows come first in your boxes. NumPy counts rows first, boxes give x first": want[:, [1, 0, 3, 2]],
        "right and bottom are the last pixel's; wanted is one past it, as in a NumPy slice": want - [0, 0, 1, 1],
        "right is the last pixel's column; wanted is one past it, as in a NumPy slice": want - [0, 0, 1, 0],
        "bottom is the last pixel's row; wanted is one past it, as in a NumPy slice": want - [0, 0, 0, 1],
        "left and top are one too far, as if pixels were counted from 1": want - [-1, -1, 0, 0],
        "the boxes come by size, the largest object first; wanted is by rising id": want[[1, 0, 2]],
        "the boxes come by size, the smallest object first; wanted is by rising id": want[[2, 0, 1]],
        "the last two are width and height; wanted are right and bottom": np.c_[want[:, :2], want[:, 2:] - want[:, :2]],
    }
    expect_none_of("`boxes_of(instances)`", got, wrong)
    expect_array("`boxes_of(instances)`", got, want)
    full = np.array([[1, 1, 2], [1, 1, 2]])
    got, want = boxes_of(full), np.array([[0, 0, 2, 2], [2, 0, 3, 2]])
    expect_none_of(
        "`boxes_of(instances)`", got, {"an object is lost where no pixel is 0: leave out 0 by value": want[1:]}
    )
    expect_array("Where objects cover the whole picture, `boxes_of(instances)`", got, want)
    behind = np.array([[3, 0, 7, 7, 0, 3]])
    got, want = boxes_of(behind), np.array([[0, 0, 6, 1], [2, 0, 4, 1]])
    pieces = np.array([[0, 0, 1, 1], [2, 0, 4, 1], [5, 0, 6, 1]])
    two = "object 3 is in two pieces, since 7 hides its middle: it is still one object with one box"
    expect_none_of("`boxes_of(instances)`", got, {two: pieces})
    expect_array("Where one object hides the middle of another, `boxes_of(instances)`", got, want)
    many = np.zeros((2, 400), int)
    many[0, 10:20], many[0, 300:310], many[1, 350:360], many[1, 0] = 300, 10, 9, 255
    got, want = boxes_of(many), np.array([[350, 1, 360, 2], [300, 0, 310, 1], [0, 1, 1, 2], [10, 0, 20, 1]])
    wrong = {
        "the rows come in the order of first appearance; wanted is by rising id": want[[3, 1, 2, 0]],
        "object 255 is missing: in an instance map, 255 is an id like any other": want[[0, 1, 3]],
        "the ids are sorted as texts, '10' before '9'": want[[1, 2, 3, 0]],
    }
    expect_none_of("With the ids 9, 10, 255 and 300, `boxes_of(instances)`", got, wrong)
    expect_array("With the ids 9, 10, 255 and 300, `boxes_of(instances)`", got, want)
    expect_array("Where no object is, `boxes_of(instances)`", boxes_of(np.zeros((3, 3), int)), np.zeros((0, 4), int))
    return "`instances[top:bottom, left:right]` now cuts the object out."
