"""A detector's target out of maps: exact by hand, and for every set that has instance maps."""

import pytest
import torch
from picture_files import nuclei_tree
from torchvision.ops import masks_to_boxes

from seglib.datasets import DSB2018
from seglib.scenes import Cells
from seglib.targets import boxes_of, instances_to_targets
from seglib.transforms import Compose, RandomCrop, RandomFlip


def test_by_hand():
    instances = torch.tensor([[0, 0, 5, 5], [2, 0, 5, 0], [2, 2, 0, 0]])
    mask = torch.tensor([[0, 255, 1, 1], [3, 0, 1, 0], [3, 3, 0, 4]])
    given = {"mask": mask, "instances": instances, "image": "as it was"}
    full = torch.arange(5).repeat_interleave(12).reshape(5, 3, 4)
    sample = instances_to_targets(given | {"full_masks": full})
    assert sample["labels"].tolist() == [3, 1]
    assert sample["boxes"].tolist() == [[0, 1, 2, 3], [2, 0, 4, 2]]
    assert sample["instances"].tolist() == [[0, 0, 2, 2], [1, 0, 2, 0], [1, 1, 0, 0]]
    assert sample["masks"].tolist() == [
        [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]],
        [[0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]],
    ]
    assert sample["full_masks"][:, 0, 0].tolist() == [1, 4]  # of ids 2 and 5
    assert [sample[key].dtype for key in ("boxes", "labels", "masks")] == [torch.float32, torch.int64, torch.uint8]
    assert sample["image"] == "as it was"
    assert given.keys() == {"mask", "instances", "image"}
    assert given["instances"].max() == 5


def test_nothing_there():
    ids = torch.zeros(4, 6, dtype=torch.uint8)  # as a file may hold them
    sample = instances_to_targets({"mask": ids, "instances": ids})
    assert sample["boxes"].shape == (0, 4)
    assert sample["labels"].shape == (0,)
    assert sample["masks"].shape == (0, 4, 6)


def test_boxes_are_those_of_torchvision_with_the_last_pixel_inside():
    masks = torch.rand(40, 9, 13, generator=torch.Generator().manual_seed(0)) > 0.97
    masks[:, 3, 4] = True
    masks[0] = False
    masks[0, 8, 12] = True  # one pixel has a box with an area
    assert boxes_of(masks[:1]).tolist() == [[12, 8, 13, 9]]
    assert torch.equal(boxes_of(masks), masks_to_boxes(masks) + torch.tensor([0, 0, 1, 1]))


@pytest.mark.parametrize("source", ["Cells", "DSB2018"])
def test_nuclei_after_moves(source, tmp_path):
    move = Compose([RandomCrop(48 if source == "Cells" else 7), RandomFlip(), instances_to_targets])
    data = Cells(6, seed=2, transform=move) if source == "Cells" else DSB2018(nuclei_tree(tmp_path), transform=move)
    torch.manual_seed(0)
    counts = []
    for sample in (data[i] for i in range(len(data))):
        count = len(sample["boxes"])
        counts.append(count)
        assert sample["labels"].tolist() == [1] * count
        assert torch.equal(sample["masks"].sum(0), (sample["mask"] == 1).long())
        ids = torch.arange(1, count + 1)[:, None, None]
        assert torch.equal((sample["masks"] * ids).sum(0), sample["instances"])
        assert (sample["boxes"][:, 2:] > sample["boxes"][:, :2]).all()
    assert max(counts) > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": torch.full((3, 4), 255)}, r"instance 1 lies on the classes \[255\]"),
        ({"mask": torch.zeros(3, 4).long()}, r"instance 1 lies on the classes \[0\]"),
        ({"mask": torch.arange(12).reshape(3, 4)}, r"instance 1 lies on the classes \[0, 1, 2, 3\]"),
        ({"mask": torch.full((3, 4), 256)}, r'"mask" of the sample runs from 256 to 256; wanted are classes'),
        ({"instances": torch.full((3, 4), -1)}, r'"instances" of the sample runs from -1'),
        ({"instances": None}, r'"instances" of the sample is to be an integer tensor \(H, W\), not NoneType'),
        ({"instances": torch.ones(1, 3, 4).long()}, r"not torch.int64 \(1, 3, 4\)"),
        ({"instances": torch.ones(3, 4)}, r"not torch.float32"),
        ({"instances": torch.ones(4, 3).long()}, r"mask is \(3, 4\), instances \(4, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    instances = torch.tensor([[1, 1, 1, 1], [2, 2, 2, 2], [0, 0, 0, 0]])
    with pytest.raises(ValueError, match=message):
        instances_to_targets({"mask": (instances > 0).long(), "instances": instances} | change)
