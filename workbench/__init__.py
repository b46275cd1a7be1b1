"""From lesson to work: the command ``seglib data | train | predict | score | models``, for the learner's own pictures.

It stands on seglib and seglib never on it. Nothing is imported until it is named.
"""
