"""Wrong answers to the exercises of lesson 05, as learners give them."""

import numpy as np
from scipy import ndimage
from torch.nn import functional as F

from seglib.exercises.learning_pixels import q1, q3


def turns_the_kernel(x, k, stride, padding):
    return q1.solution(x, k[::-1, ::-1], stride, padding)


def forgets_the_stride(x, k, stride, padding):
    return q1.solution(x, k, 1, padding)


def forgets_the_padding(x, k, stride, padding):
    return q1.solution(x, k, stride, 0)


def repeats_the_frame(x, k, stride, padding):
    return q1.solution(np.pad(x, padding, mode="edge"), k, stride, 0)


def one_place_too_few(x, k, stride, padding):
    return q1.solution(x, k, stride, padding)[: -1 if stride == 2 else None]


def does_not_double(view):
    return max(0, -(-(view - 5) // 5))


def counts_powers_of_two(view):
    return max(0, int(np.ceil(np.log2(view))))


def never_stops_in_time(view):
    field, jump, poolings = 5, 1, 0
    while field <= view:
        field, jump, poolings = field + 9 * jump, 2 * jump, poolings + 1
    return poolings


def forgets_to_return(view):
    pass


def splits_tiles(groups, k):
    places = np.arange(len(groups))
    return [(np.setdiff1d(places, places[i::k]), places[i::k]) for i in range(k)]


def first_fold_only(groups, k):
    return q3.solution(groups, k)[:1]


def same_tiles_on_both_sides(groups, k):
    return [(np.arange(len(groups)), val) for _, val in q3.solution(groups, k)]


def booleans(groups, k):
    return [(~np.isin(groups, [i]), np.isin(groups, [i])) for i in range(k)]


def leaves_pictures_out(groups, k):
    return [(np.flatnonzero(groups != i), np.flatnonzero(groups == i)) for i in range(k)]


def uneven(groups, k):
    parts = ([0, 1, 2, 5], [3], [4])
    return [(np.flatnonzero(~np.isin(groups, part)), np.flatnonzero(np.isin(groups, part))) for part in parts]


def step(zero=True, softmax=False, train=True, ignore=True, highest=255, move=True):
    def repaired_step(net, images, masks, optimizer):
        if train:
            net.train()
        logits = net(images)
        void = {"ignore_index": 255} if ignore else {}
        loss = F.cross_entropy(logits.softmax(1) if softmax else logits, masks.clamp(max=highest), **void)
        if zero:
            optimizer.zero_grad()
        loss.backward()
        if move:
            optimizer.step()
        return loss.item()

    return repaired_step


def brightness(image):
    return image[..., None]


def place_only(image):
    return np.dstack(np.indices(image.shape))


def too_many(image):
    return np.dstack([ndimage.gaussian_filter(image, sigma) for sigma in range(1, 12)])


def flat(image):
    return np.stack([image.ravel(), image.ravel()], axis=1)


def divides_by_zero(image):
    return np.dstack([image, np.log(np.zeros_like(image) + 1) / np.where(image > 0, 1, np.nan)])


WRONG = {
    "q1": [turns_the_kernel, forgets_the_stride, forgets_the_padding, repeats_the_frame, one_place_too_few],
    "q2": [does_not_double, counts_powers_of_two, never_stops_in_time, forgets_to_return],
    "q3": [splits_tiles, first_fold_only, same_tiles_on_both_sides, booleans, leaves_pictures_out, uneven],
    "q4": [
        step(zero=False),
        step(softmax=True),
        step(train=False),
        step(ignore=False),
        step(move=False),
        step(zero=False, softmax=True),
        step(softmax=True, train=False),
        step(highest=1, zero=False),
    ],
    "q5": [brightness, place_only, too_many, flat, divides_by_zero],
}
