"""Numbering labels: equal to np.unique for every kind of number."""

import numpy as np
import pytest

from seglib.arrays import relabel


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.uint64])
@pytest.mark.parametrize("values", [[0, 1], [3, 3, 1], [200, 7], [5]])
@pytest.mark.parametrize("repeats", [1, 300])  # with few pixels, labels are large beside them
def test_relabel_equals_unique(dtype, values, repeats):
    labels = np.tile(np.array(values, np.uint8).astype(dtype), (repeats, 1))
    numbered, found = relabel(labels)
    expected, inverse = np.unique(labels, return_inverse=True)
    assert numbered.shape == labels.shape
    assert numbered.dtype == np.int64
    assert found.dtype == labels.dtype
    assert np.array_equal(found, expected)
    assert np.array_equal(numbered.ravel(), inverse.ravel())


@pytest.mark.parametrize("labels", [np.zeros((0, 3), int), np.array([[-4, 10**15], [0, -4]]), np.array([0.5, 2.5])])
def test_relabel_of_anything_else(labels):
    numbered, values = relabel(labels)
    assert np.array_equal(values[numbered], labels)
