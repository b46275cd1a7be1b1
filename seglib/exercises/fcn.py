"""Exercises of lesson 07, FCN."""

from functools import cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_shape
from seglib.exercises._streets import block_colours, block_shares
from seglib.metrics import confusion_matrix, mean_iou
from seglib.scenes import Streets


def _as_convolution(dense, channels, height, width):
    conv = nn.Conv2d(channels, dense.out_features, (height, width))
    with torch.no_grad():
        conv.weight.copy_(dense.weight.view(dense.out_features, channels, height, width))
        conv.bias.copy_(dense.bias)
    return conv


@exercise(
    "No number changes. Only the shape of the weights does, from two axes to four.",
    "The kernel is as large as the features: `nn.Conv2d(channels, dense.out_features, (height, width))`.",
    "Under `torch.no_grad()`: `conv.weight.copy_(dense.weight.view_as(conv.weight))`. Copy the bias too.",
    solution=_as_convolution,
)
def q1(as_convolution):
    generator = torch.Generator().manual_seed(6)
    features = torch.randn(2, 3, 2, 4, generator=generator)
    dense = nn.Linear(3 * 2 * 4, 5)
    dense.weight.data = torch.randn(5, 24, generator=generator)
    dense.bias.data = torch.arange(1.0, 6.0)
    conv = as_convolution(dense, 3, 2, 4)
    if not isinstance(conv, nn.Conv2d):
        raise NotYet(f"`as_convolution` returns {type(conv).__name__}, wanted an `nn.Conv2d`.")
    got, want = conv(features), dense(features.flatten(1))[..., None, None]
    if got.shape[-2:] != (1, 1):
        raise NotYet(
            f"On 2 x 4 features the answer is {tuple(got.shape[-2:])} pixels large, wanted 1 x 1: the kernel must "
            f"cover all of them. Yours is {tuple(conv.kernel_size)}, with padding {tuple(conv.padding)}."
        )
    name = "`as_convolution(dense, 3, 2, 4)(features)`"
    laid_out = "`flatten` lays features out as channels, rows, columns"
    no_bias = want - dense.bias.view(1, 5, 1, 1)
    rows_first = dense.weight.view(5, 2, 4, 3).permute(0, 3, 1, 2)
    columns_first = dense.weight.view(5, 3, 4, 2).transpose(2, 3)
    usual = {
        "all but the bias is right. Copy `dense.bias` too, or each answer is off by its own constant": no_bias,
        f"you read the weights as rows, columns, channels; {laid_out}": F.conv2d(features, rows_first, dense.bias),
        f"you read the weights as channels, columns, rows; {laid_out}": F.conv2d(features, columns_first, dense.bias),
    }
    expect_none_of(name, got, usual, tolerance=1e-4)
    expect_array(name, got, want, tolerance=1e-4)
    expect_shape("on features of 5 x 5, the answer", conv(torch.zeros(1, 3, 5, 5)), (1, 5, 4, 2))
    return "On larger features the same layer now gives a map of answers: 4 x 2 of them on 5 x 5."


def _upsample_row(row, factor):
    places = (np.arange(len(row) * factor) + 0.5) / factor - 0.5
    left = np.floor(places).astype(int)
    share = places - left
    last = len(row) - 1
    return (1 - share) * row[np.clip(left, 0, last)] + share * row[np.clip(left + 1, 0, last)]


@exercise(
    "Where does the centre of each new pixel lie, counted in old pixels? The first one lies left of 0.",
    "`places = (np.arange(n * factor) + 0.5) / factor - 0.5`; the whole part names the left neighbour.",
    "Weigh left and right neighbour with 1 - share and share; `np.clip` their indices to 0 and n - 1.",
    solution=_upsample_row,
)
def q2(upsample_row):
    row = np.array([0.0, 4.0, 8.0, 2.0])
    for factor in (2, 4, 3):
        got, want = upsample_row(row, factor), _upsample_row(row, factor)
        name = f"`upsample_row([0, 4, 8, 2], {factor})`"
        expect_shape(name, got, want.shape)
        got, new = np.asarray(got, float), np.arange(4 * factor)
        usual = {
            "the first and last pixels lie on each other: that is align_corners": new * 3 / new[-1],
            "everything is shifted: a pixel's value lies at its centre, so add the halves": new / factor,
            "values are only repeated: that is nearest neighbour": new // factor,
        }
        usual = {why: np.interp(places, np.arange(4), row) for why, places in usual.items()}
        expect_none_of(f"{name} begins {np.round(got[:4], 2).tolist()}", got, usual)
        if np.allclose(got[factor:-factor], want[factor:-factor]) and got[-1] < want[-1]:
            raise NotYet(f"{name} fades at the ends, as if zeros stood outside. The last value goes on there.")
        expect_array(name, got, want)
    return "On rows, then on columns: that is all of bilinear interpolation."


def _finer_offsets(padding):
    pool2 = 1 - padding + 0.5 + 1  # centre of the first pixel: conv1_1, then two poolings
    scores = 1 - padding + 15.5 + 32 * 3  # conv1_1, five poolings, fc6
    for spacing in (32, 16, 8):
        scores -= spacing * 1.5 / 2  # kernel 4, stride 2
    return round((scores - pool2) / 4), round(3.5 - scores)


@exercise(
    "Follow two chains with `place`: the one down to pool2, and the one down to fc6 and up again three times.",
    "Both have spacing 4. The skip's offset is the difference of their first centres, divided by 4.",
    "The last upsampling has kernel 8 and stride 4; the crop is minus its first centre in picture pixels.",
    solution=_finer_offsets,
)
def q3(finer_offsets):
    paper = _finer_offsets(100)
    for padding in (100, 90, 121):
        got, want = finer_offsets(padding), _finer_offsets(padding)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise NotYet(f"`finer_offsets({padding})` is {got!r}, wanted two numbers: the skip's offset and the crop.")
        name = f"`finer_offsets({padding})` is {tuple(got)}"
        if got[0] in (13, 14):
            raise NotYet(f"{name}: 5, 9, 13 would be even steps. The steps double: follow the centres.")
        if got[0] != want[0]:
            if got[0] == want[0] + (padding - 100):
                raise NotYet(f"{name}: the padding moves skip and scores alike, so the skip's offset does not change.")
            raise NotYet(
                f"{name}; the skip's offset is not right. Upsampled scores begin at pixel b + 32 * 3 - (24 + 12 + 6) "
                f"where b = {1 - padding + 15.5} is the first centre of pool5; where does pool2 begin?"
            )
        if padding != 100 and got[1] == paper[1]:
            raise NotYet(f"{name}: the crop is the one for padding 100. {abs(padding - 100)} px more or less shift it.")
        if got[1] == want[1] + 1:
            raise NotYet(f"{name}: the crop is one too large. The last kernel is 8 wide, its centre lies at 3.5.")
        if got[1] != want[1]:
            raise NotYet(f"{name}; the crop is wrong. With padding 100 it is 19, 27, 31 at stride 32, 16, 8.")
    return "So an FCN-4s can be cropped. The paper found that already pool3 brings little."


@cache
def _scenes():
    """Coarse scores (what), fine scores (where) and the truth, for 16 streets; and the score of coarse alone.

    Coarse: shares of the classes in blocks of 16 px. Fine: how well the colours of 4 x 4 px fit each class.
    """
    statistics = [[] for _ in Streets.classes]
    for sample in Streets(40, size=96, seed=607):
        features, mask = _colours(sample["image"]), sample["mask"][2::4, 2::4]
        for k, found in enumerate(statistics):
            found.append(features[:, mask == k])
    statistics = [torch.cat(found, dim=1) for found in statistics]
    scenes = []
    for sample in Streets(16, size=96, seed=606):
        shares = block_shares(sample["mask"], 16)
        features = _colours(sample["image"])
        fine = torch.stack([_log_likelihood(features, found) for found in statistics])
        scenes.append((shares / shares.sum(0).clamp(min=1e-3), fine, sample["mask"].numpy()))
    return scenes, _score(scenes, lambda coarse, fine: _enlarge(coarse, 96))


def _colours(image):
    mean, spread = block_colours(image, 4)
    return torch.cat([mean, spread[:1]])


def _log_likelihood(features, seen):
    covariance = torch.cov(seen) + torch.eye(len(seen))
    off = features - seen.mean(1)[:, None, None]
    distance = torch.einsum("ihw,ij,jhw->hw", off, torch.linalg.inv(covariance), off)
    return -(distance + torch.logdet(covariance)) / 2


def _enlarge(scores, size):
    return F.interpolate(scores[None], size=(size, size), mode="bilinear")[0]


def _score(scenes, fuse):
    matrices = [
        confusion_matrix(fuse(coarse, fine).argmax(0).numpy(), mask, len(coarse)) for coarse, fine, mask in scenes
    ]
    return float(mean_iou(sum(matrices)))


def _fuse(coarse, fine):
    coarse = F.interpolate(coarse[None], size=(24, 24), mode="bilinear")[0]
    both = (coarse + 0.01).log() + 0.3 * fine.log_softmax(0)
    return F.interpolate(both[None], size=(96, 96), mode="bilinear")[0]


@exercise(
    "Two witnesses. Before you add what they say, both must speak in the same unit, such as log-probabilities.",
    "`(coarse + 0.01).log()` and `fine.log_softmax(0)`. Bring the coarse one to 24 x 24 first, the sum to 96 x 96.",
    "The fine witness is too sure of himself: weigh him with less than 1, and try a few weights.",
    solution=_fuse,
)
def q4(fuse):
    scenes, mark = _scenes()
    coarse, fine, _ = scenes[0]
    first = fuse(coarse, fine)
    expect_shape("`fuse(coarse, fine)`", first, (len(coarse), 96, 96))
    if not torch.isfinite(first).all():
        raise NotYet("`fuse(coarse, fine)` is not finite everywhere: the logarithm of 0? Add something small first.")
    reached = _score(scenes, fuse)
    if reached < mark + 0.05:
        alone = _score(scenes, lambda coarse, fine: _enlarge(fine, 96))
        if reached < alone + 0.02:
            what = "That is hardly more than the fine scores alone, which confuse things of similar colours."
        elif reached < mark:
            what = "The fine scores are loud: theirs are tens, the coarse ones 0 to 1. Bring both to one scale."
        elif reached < mark + 0.005:
            what = "The fine scores change nothing yet."
        else:
            what = "A good start, but more is possible: how far do you trust each of the two?"
        raise NotYet(f"mean IoU {reached:.3f}; coarse alone has {mark:.3f}, wanted {mark + 0.05:.3f}. {what}")
    return f"Mean IoU {reached:.3f}; the coarse scores alone have {mark:.3f}."
