"""The exercises: `check` says where an attempt stands, `hints` shows folded help; one file for each lesson.

>>> from seglib.exercises import check, exercise, expect_number
>>> def area(width, height):
...     return width * height
>>> @exercise("How many cells has a 2 by 3 grid?", solution=area)
... def q1(area):
...     expect_number("`area(2, 3)`", area(2, 3), 6)
...     return "Width times height."
>>> check(q1, lambda width, height: width + height).state
✗ q1: Not yet. `area(2, 3)` is 5, wanted 6: one too few.
'not yet'
>>> check(q1, area).state
✓ q1: Correct. Width times height.
'correct'
"""

from seglib.exercises._check import Exercise, Result, check, exercise, hints
from seglib.exercises._expect import (
    NotYet,
    expect_array,
    expect_choice,
    expect_none_of,
    expect_number,
    expect_shape,
    has_loops,
)
