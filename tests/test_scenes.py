"""What holds for all drawn scenes: reproducible, in the form that is promised, and clear about bad arguments."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from seglib.scenes import Cells, Digits, NewMicroscope, Streets

SCENES = [Cells, Digits, NewMicroscope, Streets]
every_scene = pytest.mark.parametrize("scene", SCENES)
KEYS = {Cells: {"image", "mask", "instances"}, Streets: {"image", "mask"}}
KEYS[NewMicroscope] = KEYS[Cells]
KEYS[Digits] = KEYS[Cells] | {"boxes", "labels", "masks", "full_masks"}


def fingerprint(sample):
    return hashlib.sha256(b"".join(sample[key].numpy().tobytes() for key in sorted(sample))).hexdigest()


@every_scene
@pytest.mark.parametrize("size", [64, (65, 97), (40, 300), np.int64(70)])
def test_form_of_a_sample(scene, size):
    height, width = (size, size) if np.ndim(size) == 0 else size
    for sample in scene(3, size=size):
        assert sample.keys() == KEYS[scene]
        n = len(sample.get("labels", ()))
        forms = {
            "image": (torch.float32, (3 if scene in (Digits, Streets) else 1, height, width)),
            "mask": (torch.int64, (height, width)),
            "instances": (torch.int64, (height, width)),
            "boxes": (torch.float32, (n, 4)),
            "labels": (torch.int64, (n,)),
            "masks": (torch.uint8, (n, height, width)),
            "full_masks": (torch.uint8, (n, height, width)),
        }
        assert all(forms[key] == (value.dtype, tuple(value.shape)) for key, value in sample.items())
        assert 0 <= sample["image"].min() < sample["image"].max() <= 1
        assert sample["mask"].unique().tolist()[-1] in {*range(len(scene.classes)), 255}


@every_scene
def test_sample_depends_on_seed_and_index_alone(scene):
    data = scene(5, size=64, seed=4)
    forward = [fingerprint(data[i]) for i in range(5)]
    longer = scene(50, size=64, seed=4)
    assert [fingerprint(longer[i]) for i in (4, 3, 2, 1, 0)] == forward[::-1]
    assert fingerprint(data[-2]) == forward[3]
    assert len(set(forward + [fingerprint(sample) for sample in scene(5, size=64, seed=5)])) == 10


@pytest.mark.slow
def test_another_process_draws_the_same():
    draw = "[fingerprint(scene(9, size=64, seed=6)[8]) for scene in SCENES]"
    code = f"from tests.test_scenes import SCENES, fingerprint; print({draw})"
    root = Path(__file__).parent.parent
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert run.stdout.strip() == str([fingerprint(scene(9, size=64, seed=6)[8]) for scene in SCENES])


@every_scene
def test_length_bounds_and_transform(scene):
    data = scene(2, size=64, transform=lambda sample: {**sample, "seen": True})
    assert len(data) == len(list(data)) == 2
    assert data[1]["seen"]
    for index in (2, -3):
        with pytest.raises(IndexError, match=f"sample {index} of a {scene.__name__} with 2 pictures"):
            data[index]
    assert len(scene(0)) == 0


@every_scene
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length": -1}, "0 or more"),
        ({"length": 1.5}, "whole numbers"),
        ({"length": "3"}, "whole numbers"),
        ({"length": 1, "seed": -1}, "0 or more"),
        ({"length": 1, "seed": None}, "whole numbers"),
        ({"length": 1, "size": (96, 8)}, "at least 16 px"),
        ({"length": 1, "size": (96, 96, 3)}, r"\(height, width\)"),
        ({"length": 1, "size": 96.5}, "whole numbers"),
        ({"length": 1, "size": None}, "whole numbers"),
    ],
)
def test_hostile_arguments(scene, arguments, message):
    with pytest.raises(ValueError, match=message):
        scene(**arguments)
