"""`seglib data convert` of TIFF stacks (as ISBI 2012 has them) and of MATLAB's maps (as CrackForest has them)."""

import numpy as np
import tifffile
from picture_files import save
from PIL import Image
from scipy.io import savemat

from workbench.cli import main
from workbench.dataset import open_data


def convert(home, out):
    return main(["data", "convert", str(home), str(out)])


def test_stacks_become_folders_of_pages(tmp_path, capsys):
    home = tmp_path / "isbi"
    home.mkdir()
    labels = np.random.default_rng(0).integers(0, 2, (6, 20, 24), dtype=np.uint8) * 255
    tifffile.imwrite(home / "train-volume.tif", labels // 2, photometric="minisblack")
    tifffile.imwrite(home / "train-labels.tif", labels, photometric="minisblack")
    tifffile.imwrite(home / "one-page.tif", labels[0])
    tifffile.imwrite(home / "one-in-colours.tif", np.dstack([labels[0]] * 3), photometric="rgb")
    assert main(["data", "check", str(home), "--page", str(tmp_path / "page.html")]) == 1
    assert "TIFF stacks and MATLAB's files become PNG by `seglib data convert`" in capsys.readouterr().err
    assert convert(home, tmp_path / "pages") == 0
    assert "12 pictures of stacks or MATLAB's files -> " in capsys.readouterr().out
    assert np.array_equal(np.array(Image.open(tmp_path / "pages/train-labels/004.png")), labels[4])
    (tmp_path / "membranes.csv").write_text("255,cell\n0,membrane\n")
    said = {"images": "train-volume", "masks": "train-labels", "classes": str(tmp_path / "membranes.csv")}
    data = open_data(tmp_path / "pages", **said)
    assert len(data.pairs["all"].images) == 6
    assert np.array_equal(data.part("all")[2]["mask"], labels[2] == 0)
    assert convert(home, tmp_path / "pages") == 1
    assert "pages is there already" in capsys.readouterr().err


def test_matlabs_maps_become_masks(tmp_path, capsys):
    truth = np.zeros((1, 1), [("Segmentation", object), ("Boundaries", object)])
    home = tmp_path / "cracks"
    for number in range(5):
        mask = np.ones((10, 12), np.uint16)
        mask[number] = 2
        truth[0, 0]["Segmentation"], truth[0, 0]["Boundaries"] = mask, mask > 1
        save(home / f"image/{number:03}.jpg", np.zeros((10, 12, 3), np.uint8))
        (home / "groundTruth").mkdir(exist_ok=True)
        savemat(home / f"groundTruth/{number:03}.mat", {"groundTruth": truth})
    assert main(["data", "check", str(home), "--page", str(tmp_path / "page.html")]) == 1
    assert (
        "000.mat is none of .png .tif .tiff .bmp .gif: move or convert it (.mat: `seglib data"
        in capsys.readouterr().out
    )
    assert convert(home, tmp_path / "png") == 0
    data = open_data(home, masks=str(tmp_path / "png/groundTruth"), threshold=2)
    assert np.array_equal(data.part("all")[3]["mask"], np.arange(10)[:, None].repeat(12, 1) == 3)
    savemat(home / "groundTruth/009.mat", {"other": 1})
    assert convert(home, tmp_path / "second") == 1
    assert "009.mat: there is no 'groundTruth'" in capsys.readouterr().err
    assert not (tmp_path / "second").exists()
