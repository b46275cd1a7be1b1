"""`seglib export`: the file says what torch says, for any size; the runner needs NumPy and onnxruntime alone."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from picture_files import save
from skimage.data import chelsea
from torch.nn import functional as F

from seglib.training import weights
from seglib.transforms import Compose, Grayscale, Standardize
from workbench.cli import main
from workbench.exporting import bin_weights, compare, pool_by_products, unpool_by_scatter
from workbench.networks import build

CLASSES = ["background", "cell", "nut"]


def run_of(folder, model, grey=False):
    """A run whose network's last layer tells something, and whose batch norms know a photo's moments."""
    torch.manual_seed(3)
    config = {"model": model, "grey": grey, "objects": False, "classes": CLASSES}
    network = build(config).train()
    for _ in range(3):
        network(torch.randn(2, 1 if grey else 3, 96, 96))
    for name, value in network.named_parameters():
        if "score" in name:  # an FCN's begin with zero
            torch.nn.init.normal_(value, std=0.05)
    weights.save(network, folder / "weights.safetensors", {"config": json.dumps(config)})
    return network.eval()


def torchs_answer(network, picture, grey):
    """Probabilities (K, H, W) as `seglib predict` comes to them."""
    image = torch.from_numpy(picture).permute(2, 0, 1) / 255
    image = Compose([Grayscale(), Standardize()] if grey else [Standardize()])({"image": image})["image"]
    with torch.no_grad():
        heads = network(image[None])
    return (heads["out"] if isinstance(heads, dict) else heads).softmax(1)[0].numpy()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["unet", "fcn", "segnet", "pspnet", "deeplab"])
def test_every_network_for_pixels_is_written_as_onnx(tmp_path, capsys, model):
    import onnxruntime

    grey = model in ("unet", "fcn")
    network = run_of(tmp_path, model, grey)
    small = [] if model == "deeplab" else ["--photo", str(save(tmp_path / "cat.png", chelsea()[100:196, 100:228]))]
    assert main(["export", str(tmp_path), "--to", "onnx", *small]) == 0
    told = capsys.readouterr().out
    assert "model.onnx: as torch to " in told
    assert f"a photo of {'96 x 128' if small else '300 x 451'} px takes" in told
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == CLASSES
    assert json.loads(facts["colours"])[0] == [22, 36, 66]
    assert facts["model"] == model
    rng = np.random.default_rng(0)
    for size in ((64, 64), (101, 77), (65, 130), (128, 96)):
        picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        wanted = torchs_answer(network, picture, grey)
        image = (picture.transpose(2, 0, 1)[None] / 255).astype(np.float32)
        off = np.abs(session.run(None, {"image": image})[0][0] - wanted).max(0) > 1e-4
        assert off.mean() <= (0.01 if model == "segnet" else 0), (size, off.mean())


@pytest.mark.slow
@pytest.mark.parametrize("model", ["unet", "fcn", "segnet", "pspnet", "deeplab"])
def test_every_network_for_pixels_is_written_as_torchscript(tmp_path, capsys, model):
    grey = model in ("unet", "fcn")
    network = run_of(tmp_path, model, grey)
    assert main(["export", str(tmp_path), "--to", "torchscript"]) == 0
    assert "model.pt: as torch to " in capsys.readouterr().out
    assert not (tmp_path / "run_onnx.py").exists()
    facts = {"classes": "", "colours": "", "model": ""}
    scripted = torch.jit.load(tmp_path / "model.pt", _extra_files=facts)
    assert json.loads(facts["classes"]) == CLASSES
    assert json.loads(facts["colours"])[0] == [22, 36, 66]
    assert facts["model"].decode() == model
    rng = np.random.default_rng(0)
    for size in ((64, 64), (101, 77), (65, 130), (128, 96)):
        picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        with torch.no_grad():
            found = scripted(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255)[0].numpy()
        off = np.abs(found - torchs_answer(network, picture, grey)).max(0) > 1e-4
        assert off.mean() <= (0.01 if model == "segnet" else 0), (size, off.mean())


@pytest.mark.slow
def test_the_runner_beside_the_file(tmp_path):
    network = run_of(tmp_path / "run", "unet")
    photo = str(save(tmp_path / "cat.png", chelsea()[100:196, 100:228]))
    command = ["export", str(tmp_path / "run"), "--to", "onnx", "--out", str(tmp_path / "mine/u.onnx")]
    assert main([*command, "--photo", photo]) == 0
    picture = np.random.default_rng(1).integers(0, 256, (40, 90, 3), dtype=np.uint8)  # lower than 64 px
    np.save(tmp_path / "a.npy", picture)
    # Only what is installed, not the course: an empty folder, and a Python that ignores PYTHONPATH and the folder.
    block = "import sys\nfor name in ('torch', 'PIL', 'seglib', 'workbench'): sys.modules[name] = None\n"
    runner = (tmp_path / "mine/run_onnx.py").read_text()
    assert len([line for line in runner.splitlines() if line.strip()]) <= 30
    (tmp_path / "mine/run_onnx.py").write_text(block + runner)
    command = [sys.executable, "-I", "mine/run_onnx.py", "mine/u.onnx", "a.npy", "labels.npy"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    labels = np.load(tmp_path / "labels.npy")
    assert labels.shape == (40, 90)
    counts = {name: int((labels == number).sum()) for number, name in enumerate(CLASSES)}
    assert result.stdout.strip() == str(counts)
    padded = np.pad(picture, ((0, 24), (0, 0), (0, 0)), mode="edge")
    assert (labels == torchs_answer(network, padded, False).argmax(0)[:40]).mean() > 0.999


def test_what_is_not_exported_is_refused_with_the_reason(tmp_path, capsys):
    assert main(["export", "nuclei", "--to", "onnx"]) == 1
    assert "nuclei is not exported: it tells objects apart outside of its layers" in capsys.readouterr().err
    assert main(["export", "nuclei", "--to", "executorch"]) == 1
    assert "executorch is none of the course's packages, so nothing could be compared" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "nowhere"), "--to", "onnx"]) == 1
    assert "there is no" in capsys.readouterr().err


def test_a_file_that_differs_from_torch_is_not_written():
    right, wrong = torch.full((1, 2, 40, 50), 0.5), torch.full((1, 2, 40, 50), 0.5)
    wrong[:, 0, 3, 4:8] += 0.01  # 4 of 2,000 pixels
    assert "as torch to 0; a photo of 40 x 50 px takes 2.000 s, in torch 1.000 s" in compare([(right, 1, right, 2)], 0)
    with pytest.raises(ValueError, match=r"0.20% of a photo's pixels differ from torch, by up to 0.01"):
        compare([(right, 1, wrong, 2)], 0)
    assert "but for 0.20% of the pixels, where rounding moved a maximum" in compare([(right, 1, wrong, 2)], 0.01)
    with pytest.raises(ValueError, match="differ"):
        compare([(right, 1, right * float("nan"), 2)], 0.01)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (6, 12), (13, 31)])
def test_the_equals_of_what_exporters_cannot_follow(size):
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    for bins in (1, 2, 3, 6):
        assert torch.allclose(pool_by_products(x, bins), F.adaptive_avg_pool2d(x, bins), atol=1e-6)
        assert bin_weights(size[0], bins).shape == (bins, size[0])
    pooled, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    wanted = F.max_unpool2d(pooled, indices, 2, output_size=size)
    assert torch.equal(unpool_by_scatter(pooled, indices, 2, output_size=size), wanted)


@pytest.mark.slow
def test_another_photo_to_compare_on(tmp_path, capsys):
    run_of(tmp_path, "deeplab")
    photo = save(tmp_path / "small.png", np.random.default_rng(2).integers(0, 256, (80, 90, 3), dtype=np.uint8))
    assert main(["export", str(tmp_path / "weights.safetensors"), "--photo", str(photo)]) == 0
    assert "a photo of 80 x 90 px" in capsys.readouterr().out
    assert (tmp_path / "model.onnx").is_file()
