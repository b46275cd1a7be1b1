"""Answers to exercises 2 and 3 of lesson 01, crests and chains, as learners give them; answers/edges.py sorts them."""

import numpy as np
import torch
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold
from skimage.measure import label
from skimage.morphology import reconstruction

from seglib.exercises.edges import q2

STEPS = [(0, 1), (1, 1), (1, 0), (1, -1)]
TAN_22 = np.tan(np.pi / 8)


def pixel_by_pixel(strength, d_rows, d_columns):
    kept = np.zeros_like(strength)
    for r in range(1, strength.shape[0] - 1):
        for c in range(1, strength.shape[1] - 1):
            i, j = d_rows[r, c], d_columns[r, c]
            if abs(i) < np.tan(np.pi / 8) * abs(j):
                i, j = 0, 1
            elif abs(j) < np.tan(np.pi / 8) * abs(i):
                i, j = 1, 0
            else:
                i, j = int(np.sign(i)), int(np.sign(j))
            if strength[r, c] >= max(strength[r + i, c + j], strength[r - i, c - j]):
                kept[r, c] = strength[r, c]
    return kept


def by_footprints(strength, d_rows, d_columns):
    angle = np.rad2deg(np.arctan2(d_rows, d_columns)) % 180
    kept = np.zeros_like(strength)
    for middle, line in [
        (0, [(1, 0), (1, 2)]),
        (45, [(0, 0), (2, 2)]),
        (90, [(0, 1), (2, 1)]),
        (135, [(0, 2), (2, 0)]),
    ]:
        footprint = np.zeros((3, 3), bool)
        footprint[tuple(zip(*line, strict=True))] = footprint[1, 1] = True
        near = np.abs((angle - middle + 90) % 180 - 90) < 22.5
        kept = np.where(near & (ndimage.maximum_filter(strength, footprint=footprint) == strength), strength, kept)
    inner = np.zeros(strength.shape, bool)
    inner[1:-1, 1:-1] = True
    return kept * inner


def into_its_own_input(strength, d_rows, d_columns):
    direction, kept = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4)).astype(int) % 4, strength.copy()
    for r in range(1, strength.shape[0] - 1):
        for c in range(1, strength.shape[1] - 1):
            i, j = [(0, 1), (1, 1), (1, 0), (1, -1)][direction[r, c]]
            if kept[r, c] < max(kept[r + i, c + j], kept[r - i, c - j]):
                kept[r, c] = 0
    kept[[0, -1]] = 0
    kept[:, [0, -1]] = 0
    return kept


def cut_with_astype(strength, d_rows, d_columns):
    direction = (np.arctan2(d_rows, d_columns) / (np.pi / 4) + 0.5).astype(int) % 4
    return q2.solution(strength, np.sin(direction * np.pi / 4), np.cos(direction * np.pi / 4))


def compared(uphill, downhill):
    """Crests, the neighbour that the gradient points to compared by one function, the opposite one by another."""

    def attempt(strength, d_rows, d_columns):
        angle = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4)) * np.pi / 4
        down, right = np.rint(np.sin(angle)).astype(int), np.rint(np.cos(angle)).astype(int)
        kept = np.zeros_like(strength)
        for r, c in np.argwhere(strength[1:-1, 1:-1] > 0) + 1:
            i, j, here = down[r, c], right[r, c], strength[r, c]
            if uphill(here, strength[r + i, c + j]) and downhill(here, strength[r - i, c - j]):
                kept[r, c] = here
        return kept

    return attempt


def with_a_stack(strength, low, high):
    kept = strength >= high
    stack = np.argwhere(kept).tolist()
    while stack:
        r, c = stack.pop()
        for near in ((r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
            inside = 0 <= near[0] < strength.shape[0] and 0 <= near[1] < strength.shape[1]
            if inside and not kept[near] and strength[near] >= low:
                kept[near] = True
                stack.append(near)
    return kept


def with_a_helper(strength, low, high):
    return with_a_stack(strength, low, high)


def calling_itself(strength, low, high):
    kept = np.zeros(strength.shape, bool)

    def spread(r, c):
        if 0 <= r < strength.shape[0] and 0 <= c < strength.shape[1] and not kept[r, c] and strength[r, c] >= low:
            kept[r, c] = True
            list(map(spread, [r - 1, r - 1, r - 1, r, r, r + 1, r + 1, r + 1], [c - 1, c, c + 1] * 2 + [c, c + 1]))
            list(map(spread, [r, r + 1], [c + 1, c - 1]))

    list(map(spread, *np.nonzero(strength >= high)))
    return kept


def without_lone_pixels(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return np.isin(chains, np.unique(chains[strength >= high])) & (np.bincount(chains.ravel())[chains] > 1)


def by_propagation(strength, low, high):
    return ndimage.binary_propagation(strength >= high, np.ones((3, 3)), mask=strength >= low)


def by_reconstruction(strength, low, high):
    weak, strong = strength >= low, strength >= high
    return reconstruction(strong & weak, weak, footprint=np.ones((3, 3))) > 0


def until_nothing_changes(strength, low, high):
    return ndimage.binary_dilation(strength >= high, np.ones((3, 3)), iterations=-1, mask=strength >= low)


def by_maximum(strength, low, high):
    chains, number = ndimage.label(strength >= low, np.ones((3, 3)))
    return (ndimage.maximum(strength, chains, np.arange(number + 1)) >= high)[chains] & (chains > 0)


def in_torch(strength, d_rows, d_columns):
    values, slopes = torch.from_numpy(strength), (torch.from_numpy(d_rows), torch.from_numpy(d_columns))
    direction = torch.round(torch.atan2(*slopes) / (np.pi / 4)).long() % 4
    kept = torch.zeros_like(values)
    for number, (i, j) in enumerate(STEPS):
        ahead, behind = torch.roll(values, (-i, -j), (0, 1)), torch.roll(values, (i, j), (0, 1))
        kept = torch.where((direction == number) & (values >= ahead) & (values >= behind), values, kept)
    kept[[0, -1]] = kept[:, [0, -1]] = 0
    return kept.numpy()


def by_stacks(strength, d_rows, d_columns):
    height, width = strength.shape
    padded, direction = np.pad(strength, 1), np.rint(np.rad2deg(np.arctan2(d_rows, d_columns)) / 45).astype(int) % 4
    sides = [
        np.stack([padded[1 + w * i : 1 + w * i + height, 1 + w * j : 1 + w * j + width] for i, j in STEPS])
        for w in (1, -1)
    ]
    ahead, behind = (np.take_along_axis(side, direction[None], 0)[0] for side in sides)
    kept = np.where((strength >= ahead) & (strength >= behind), strength, 0)
    kept[[0, -1]] = kept[:, [0, -1]] = 0
    return kept.astype(np.float32)


def by_slopes(strength, d_rows, d_columns, limit=TAN_22):
    down, right = abs(d_rows), abs(d_columns)
    diagonal = np.where(d_rows * d_columns > 0, 1, 3)
    direction = np.where(down <= limit * right, 0, np.where(right <= limit * down, 2, diagonal))
    return q2.solution(strength, np.sin(direction * np.pi / 4), np.cos(direction * np.pi / 4))


def half_a_slope(strength, d_rows, d_columns):
    return by_slopes(strength, d_rows, d_columns, limit=0.5)


def divided(strength, d_rows, d_columns):
    angle = [[np.arctan(float(r) / float(c)) for r, c in zip(*rows)] for rows in zip(d_rows, d_columns)]  # noqa: B905
    return q2.solution(strength, np.sin(angle), np.cos(angle))


def strictly_along(*numbers):
    """Crests, an equal neighbour removes those whose direction has one of these numbers."""

    def attempt(strength, d_rows, d_columns):
        direction = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4)).astype(int) % 4
        strict = compared(np.greater, np.greater)(strength, d_rows, d_columns)
        return np.where(np.isin(direction, numbers), strict, q2.solution(strength, d_rows, d_columns))

    attempt.__name__ = f"> in directions {numbers}"
    return attempt


def by_counting(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return (np.bincount(chains.ravel(), weights=(strength >= high).ravel()) > 0)[chains] & (chains > 0)


def by_table(strength, low, high):
    chains, number = ndimage.label(strength >= low, np.ones((3, 3)))
    strong = np.zeros(number + 1, bool)
    strong[chains[strength >= high]] = True
    return strong[chains]


def by_sets(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return np.isin(chains, list(set(chains[strength >= high].tolist())))


def linked_in_torch(strength, low, high):
    chains = torch.from_numpy(label(strength >= low, connectivity=2))
    return torch.isin(chains, torch.unique(chains[torch.from_numpy(strength >= high)])).numpy()


def few_numbers(strength, low, high):
    chains = label(strength >= low, connectivity=2).astype(np.uint8)
    return np.isin(chains, np.unique(chains[strength >= high]))


def nothing(strength, low, high):
    return np.zeros(strength.shape, bool)


def by_skimage(strength, low, high):
    return apply_hysteresis_threshold(strength, low, high)  # compares with >, four neighbours


def rows_with_a_strong_pixel(strength, low, high):
    return (strength >= low) & (strength.max(axis=1, keepdims=True) >= high)
