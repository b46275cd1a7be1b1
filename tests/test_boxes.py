"""Anchors, matching, sampling, box codes, suppression and pooling: by hand, by brute force, and against torchvision."""

import math
from types import SimpleNamespace

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler, BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign, box_iou, roi_pool

from seglib.models.boxes import (
    BACKGROUND,
    UNSURE,
    anchor_shapes,
    decode,
    encode,
    grid_anchors,
    match,
    sample,
    scale_boxes,
)
from seglib.models.pyramid import FeaturePyramid
from seglib.models.roi import CODE_WEIGHTS, pool_rois, roi_levels


def box_lists(smallest=0, largest=12):
    """Strategy: lists of boxes with whole corners in 0..20, so that ties and equal IoUs are common."""
    side = st.tuples(st.integers(0, 16), st.integers(1, 6))
    one = st.tuples(side, side).map(lambda s: [s[0][0], s[1][0], s[0][0] + s[0][1], s[1][0] + s[1][1]])
    return st.lists(one, min_size=smallest, max_size=largest).map(lambda b: torch.tensor(b).float().view(-1, 4))


@pytest.mark.parametrize("sizes", [[(8,), (16,), (32,)], [(8, 16, 32, 64)]])
def test_anchors_stand_where_torchvisions_do(sizes):
    maps = [torch.zeros(1, 1, 12 // 2**i, 10 // 2**i) for i in range(len(sizes))]
    generator = AnchorGenerator(tuple(sizes), ((0.5, 1.0, 2.0),) * len(sizes))
    theirs = generator(SimpleNamespace(tensors=torch.zeros(1, 3, 96, 80), image_sizes=[(96, 80)]), maps)[0]
    strides = [(96 // x.shape[2], 80 // x.shape[3]) for x in maps]
    mine = [
        grid_anchors(anchor_shapes(s), x.shape[2:], stride) for s, x, stride in zip(sizes, maps, strides, strict=True)
    ]
    assert torch.equal(torch.cat(mine), theirs)


def match_by_hand(overlaps, high, low, keep_best):
    result = []
    for j in range(overlaps.shape[1]):
        column = overlaps[:, j].tolist()
        owner = max(range(len(column)), key=column.__getitem__) if column else None
        if owner is None or column[owner] < low:
            result.append(BACKGROUND)
        else:
            result.append(owner if column[owner] >= high else UNSURE)
        if keep_best and any(v > 0 and v == overlaps[i].max().item() for i, v in enumerate(column)):
            result[-1] = owner
    return result


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(box_lists(0, 5), box_lists(1), st.sampled_from([(0.7, 0.3), (0.5, 0.5), (1.0, 0.0)]), st.booleans())
def test_matching_is_the_one_by_brute_force(objects, boxes, thresholds, keep_best):
    overlaps = box_iou(objects, boxes)
    matches = match(overlaps, *thresholds, keep_best)
    assert matches.dtype == torch.int64
    assert matches.tolist() == match_by_hand(overlaps, *thresholds, keep_best)


def test_matching_at_its_thresholds():
    assert match(torch.tensor([[0.7, 0.69, 0.3, 0.29]]), 0.7, 0.3).tolist() == [0, UNSURE, UNSURE, BACKGROUND]
    # The second object reaches 0.2 twice at most: both boxes are kept, but the second lies nearer to the first object.
    overlaps = torch.tensor([[0.8, 0.0, 0.25, 0.1], [0.0, 0.2, 0.2, 0.1]])
    assert match(overlaps, 0.7, 0.3).tolist() == [0, BACKGROUND, BACKGROUND, BACKGROUND]
    assert match(overlaps, 0.7, 0.3, keep_best=True).tolist() == [0, 1, 0, BACKGROUND]
    # An object that no box touches takes none.
    assert match(torch.zeros(1, 3), 0.7, 0.3, keep_best=True).tolist() == [BACKGROUND] * 3
    assert match(torch.zeros(0, 3), 0.7, 0.3, keep_best=True).tolist() == [BACKGROUND] * 3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-2, 3), max_size=60), st.integers(1, 40), st.sampled_from([0.25, 0.5]), st.integers(0, 99))
def test_sampling_draws_what_torchvision_draws(matches, count, share, seed):
    matches = torch.tensor(matches, dtype=torch.int64)
    torch.manual_seed(seed)
    positive, background = sample(matches, count, share)
    assert (matches[positive] >= 0).all()
    assert (matches[background] == BACKGROUND).all()
    assert len(positive) == min((matches >= 0).sum(), int(count * share))
    assert len(background) == min((matches == BACKGROUND).sum(), count - len(positive))
    assert len(torch.cat([positive, background]).unique()) == len(positive) + len(background)
    torch.manual_seed(seed)
    theirs = BalancedPositiveNegativeSampler(count, share)([torch.where(matches == UNSURE, -1, (matches + 1).float())])
    for mine, mask in zip((positive, background), theirs, strict=True):
        assert mine.sort().values.tolist() == torch.where(mask[0])[0].tolist()


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(box_lists(1, 8), box_lists(1, 8), st.sampled_from([(1.0, 1.0, 1.0, 1.0), CODE_WEIGHTS]))
def test_a_box_comes_back_from_its_code(boxes, references, weights):
    n = min(len(boxes), len(references))
    boxes, references = boxes[:n].double(), references[:n].double()
    codes = encode(boxes, references, weights)
    torch.testing.assert_close(decode(codes, references, weights), boxes, rtol=0, atol=1e-11)
    torch.testing.assert_close(codes, BoxCoder(weights).encode_single(boxes, references), rtol=1e-12, atol=1e-12)
    every_class = codes[:, None].repeat(1, 3, 1) * torch.tensor([1.0, 0.0, 2.0])[:, None]
    theirs = BoxCoder(weights).decode_single(every_class.flatten(1), references).view(n, 3, 4)
    torch.testing.assert_close(decode(every_class, references, weights), theirs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(decode(every_class, references, weights)[:, 1], references, rtol=0, atol=1e-11)


def test_codes_by_hand_and_at_their_limits():
    reference = torch.tensor([[10.0, 20, 30, 60]])  # 20 wide, 40 high
    box = torch.tensor([[25.0, 20, 65, 40]])  # twice as wide, half as high; centre 25 right, 10 up
    assert encode(box, reference)[0].tolist() == pytest.approx([1.25, -0.25, math.log(2), -math.log(2)])
    assert encode(box, reference, CODE_WEIGHTS)[0, 2].item() == pytest.approx(5 * math.log(2))
    assert encode(torch.tensor([[10.0, 20, 10, 60]]), reference)[0, 2] == -math.inf  # no width
    huge = decode(torch.tensor([[0.0, 0, 500, 500]]), reference)
    assert (huge[0, 2:] - huge[0, :2]).tolist() == pytest.approx([20 * 62.5, 40 * 62.5])


def test_scaling():
    assert scale_boxes(torch.tensor([[2.0, 3, 8, 9]]), (10, 20), (30, 10)).tolist() == [[1, 9, 4, 27]]


def test_regions_go_to_the_map_of_their_size():
    sides = torch.tensor([10.0, 111, 112, 223, 224, 447, 448, 2000])
    boxes = torch.stack([torch.zeros(8), torch.zeros(8), sides, sides], dim=1)
    assert roi_levels(boxes, [4, 8, 16, 32]).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert roi_levels(boxes, [4, 8, 16]).tolist() == [0, 0, 1, 1, 2, 2, 2, 2]
    assert roi_levels(boxes, [2, 4, 8, 16]).tolist() == [0, 1, 2, 2, 3, 3, 3, 3]
    assert roi_levels(boxes, [16]).tolist() == [0] * 8
    assert roi_levels(torch.tensor([[0.0, 0, 224, 56]]), [4, 8, 16]).tolist() == [1]  # 112 squared in area


@pytest.mark.parametrize("strides", [[4, 8, 16, 32], [4, 8, 16], [16]])
def test_pooling_of_a_batch_is_torchvisions(strides):
    torch.manual_seed(0)
    maps = [torch.randn(2, 3, 256 // stride, 256 // stride) for stride in strides]
    corners = 250 * torch.rand(2, 9, 2, 2)
    boxes = list(torch.cat([corners.amin(2), corners.amax(2) + 1], dim=2))
    boxes[1] = boxes[1][:4]
    names = [str(i) for i in range(len(strides))]
    for samples in (1, 2):
        theirs = MultiScaleRoIAlign(names, 7, samples)
        expected = theirs(dict(zip(names, maps, strict=True)), boxes, [(256, 256)] * 2)
        assert torch.equal(pool_rois(maps, strides, boxes, 7, samples=samples), expected)
    assert pool_rois(maps, strides, [boxes[0][:0]] * 2, 7).shape == (0, 3, 7, 7)
    if len(strides) == 1:
        assert torch.equal(pool_rois(maps, strides, boxes, 7, "pool"), roi_pool(maps[0], boxes, 7, 1 / 16))


def test_the_pyramid_is_torchvisions():
    torch.manual_seed(0)
    theirs = FeaturePyramidNetwork([5, 6, 7], 4, torchvision.ops.feature_pyramid_network.LastLevelMaxPool())
    mine = FeaturePyramid([5, 6, 7], 4)
    renamed = [("inner_blocks", "lateral"), ("layer_blocks", "smooth"), (".0.weight", ".weight"), (".0.bias", ".bias")]
    state = {}
    for key, value in theirs.state_dict().items():
        for old, new in renamed:
            key = key.replace(old, new)
        state[key] = value
    mine.load_state_dict(state)
    maps = [torch.randn(2, 5, 13, 10), torch.randn(2, 6, 7, 5), torch.randn(2, 7, 4, 3)]
    levels = mine(maps)
    expected = list(theirs(dict(zip("abc", maps, strict=True))).values())
    assert all(map(torch.equal, [*levels, levels[-1][..., ::2, ::2]], expected))
    assert len(expected) == 4
    assert [tuple(level.shape) for level in levels] == [(2, 4, 13, 10), (2, 4, 7, 5), (2, 4, 4, 3)]
