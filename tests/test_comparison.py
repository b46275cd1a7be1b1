"""The paired bootstrap: against SciPy's, and what pairing has to do."""

import numpy as np
import pytest
import torch
from scipy import stats

from seglib.metrics import paired_interval

RNG = np.random.default_rng(3)
HARD = RNG.uniform(0.2, 0.9, 40)  # how well any method does on each of 40 pictures
BETTER, WORSE = HARD + 0.02 + RNG.normal(0, 0.01, 40), HARD + RNG.normal(0, 0.01, 40)


def test_the_interval_is_scipys():
    mean, low, high = paired_interval(BETTER, WORSE)
    differences = BETTER - WORSE
    wanted = stats.bootstrap((differences,), np.mean, method="percentile", rng=np.random.default_rng(0))
    assert mean == pytest.approx(differences.mean(), abs=1e-12)
    width = wanted.confidence_interval.high - wanted.confidence_interval.low
    assert [low, high] == pytest.approx(list(wanted.confidence_interval), abs=width / 20)


def test_pairing_takes_out_what_is_hard_for_both():
    _, low, high = paired_interval(BETTER, WORSE)
    assert 0.01 < low < high < 0.03
    _, alone_low, alone_high = paired_interval(BETTER, 0)
    assert alone_high - alone_low > 10 * (high - low)  # each score by itself is far less sure
    _, shuffled_low, shuffled_high = paired_interval(BETTER, WORSE[::-1])
    assert shuffled_low < 0 < shuffled_high


def test_two_pictures_by_hand():
    # The means of two draws are 0, 0.5 and 1 with probabilities 1/4, 1/2, 1/4: the percentiles are the ends.
    assert paired_interval([1.0, 3.0], [1, 2]) == (0.5, 0.0, 1.0)
    assert paired_interval([0.5], [0.25]) == (0.25, 0.25, 0.25)


def test_swapped_methods_and_other_types():
    mean, low, high = paired_interval(BETTER, WORSE)
    assert paired_interval(WORSE, BETTER) == pytest.approx((-mean, -high, -low), abs=1e-9)
    assert paired_interval(torch.tensor(BETTER), WORSE.tolist()) == (mean, low, high)
    assert paired_interval(np.array([True, False]), 0)[0] == 0.5
    assert paired_interval(BETTER, WORSE, seed=1)[0] == mean
    assert paired_interval(BETTER, WORSE, seed=1)[1:] != (low, high)


@pytest.mark.parametrize(
    ("a", "b"),
    [([], []), ([1, 2], [1]), (0.5, 0.4), ([[1, 2]], [[1, 2]]), ([0.1, np.nan], [0, 0]), ([0.1, 0.2], [0, np.inf])],
)
def test_what_is_no_pair_of_rows_is_refused(a, b):
    with pytest.raises(ValueError, match="one for each picture"):
        paired_interval(a, b)
