"""How sure the difference of two methods is that were scored on the same pictures."""

import numpy as np

from seglib.arrays import to_numpy


def paired_interval(a, b, seed=0):
    """Mean of the differences a - b over pictures, and its 95 % bootstrap interval (Efron 1979, percentiles).

    The pictures are drawn again with replacement, 10,000 times, each with both of its scores, so that what makes a
    picture hard for both methods cancels. If the interval holds 0, these pictures do not decide which one is better.
    With ``b = 0`` it is the interval of the mean of `a`. What is drawn has to be independent: pictures of one patient
    or film have to be averaged first. From fewer than about ten the interval comes out too narrow.

    Parameters
    ----------
    a : (n,) array or tensor
        One score for each picture.
    b : (n,) array or tensor, or a number
        The other method's scores, in the same order.
    seed : int

    Returns
    -------
    (mean, low, high), floats

    Raises
    ------
    ValueError
        For scores that are no row of numbers, or NaN, or not as many of both.

    Examples
    --------
    >>> mean, low, high = paired_interval([0.5, 0.9, 0.7], [0.4, 0.8, 0.6])  # each picture 0.1 better
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (0.1, 0.1, 0.1)
    """
    a, b = np.float64(to_numpy(a)), np.float64(to_numpy(b))
    if a.ndim != 1 or a.size == 0 or b.shape not in ((), a.shape) or not np.isfinite(a - b).all():
        raise ValueError(
            f"scores of shapes {a.shape} and {b.shape}; one for each picture, in the same order and none of them NaN, "
            f"is wanted. Usual cause: a picture without the class (leave it out of both)"
        )
    differences, generator = a - b, np.random.default_rng(seed)
    means = [generator.choice(differences, (100, len(differences))).mean(1) for _ in range(100)]
    return (float(differences.mean()), *np.quantile(means, [0.025, 0.975]).tolist())
