"""One reading of a data set for all commands: what check takes, train and score take, with the right values."""

import json
import re

import numpy as np
import pytest
import tifffile
from picture_files import save
from PIL import Image

from workbench.cli import main
from workbench.dataset import open_data
from workbench.sets import training_sets

RNG = np.random.default_rng(7)
SHORT = ["--steps", "1", "--batch-size", "2", "--crop", "32", "--workers", "0"]


def make(home, n=5, value=1, save_mask=None, side=64):
    """The trials' set: n pictures, each with a bright rectangle, whose mask has the value."""
    for number in range(n):
        mask = np.zeros((side, side), np.uint8)
        mask[10 + number : 30 + number, 20:45] = value
        noise = RNG.integers(0, 20, (side, side, 3), dtype=np.uint8)
        save(home / f"images/p{number}.png", noise + (mask[..., None] > 0) * np.uint8(150))
        (home / "masks").mkdir(exist_ok=True)
        save_mask(mask, home / f"masks/p{number}") if save_mask else save(home / f"masks/p{number}.png", mask)
    return home


def perfect(out, count=5, classes=("background", "object")):
    """Predictions as seglib writes them, and as good as can be."""
    out.mkdir(exist_ok=True)
    (out / "classes.txt").write_text("\n".join(classes))
    for number in range(count):
        mask = np.zeros((64, 64), np.uint8)
        mask[10 + number : 30 + number, 20:45] = 1
        save(out / f"labels/p{number}.png", mask)
    return out


def all_commands(home, tmp_path, capsys, *options, classes=("background", "object")):
    """Check, train on and score a set with the same options; the IoU of class 1 of a perfect prediction."""
    assert main(["data", "check", str(home), "--page", str(tmp_path / "page.html"), *options]) == 0, capsys.readouterr()
    run = tmp_path / "run"
    assert main(["train", "--model", "unet", "--data", str(home), "--out", str(run), *SHORT, *options]) == 0
    assert json.loads((run / "config.json").read_text())["classes"] == list(classes)
    _, val, _ = training_sets(str(home), 32, said_by(options))
    assert (val[0]["mask"] == 1).sum() == 500
    found = perfect(tmp_path / "found", classes=classes)
    assert main(["score", str(found), str(home), "--json", str(tmp_path / "s.json"), *options]) == 0
    figures = json.loads((tmp_path / "s.json").read_text())["classes"]
    assert list(figures)[1] == classes[1]
    assert figures[classes[1]]["IoU"] == 1
    assert main(["score", str(found), str(home / "masks"), "--json", str(tmp_path / "s.json"), *options]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["classes"] == figures
    return figures


def said_by(options):
    pairs = dict(zip(options[::2], options[1::2], strict=True))
    return {key[2:]: int(value) if value.isdigit() else value for key, value in pairs.items()}


def refused_alike(home, tmp_path, capsys, *options):
    """The one line with which check, train and score refuse a set; nothing is left behind."""
    told = []
    assert main(["data", "check", str(home), "--page", str(tmp_path / "page.html"), *options]) == 1
    captured = capsys.readouterr()
    told.append(captured.out + captured.err)
    assert (
        main(["train", "--model", "unet", "--data", str(home), "--out", str(tmp_path / "run"), *SHORT, *options]) == 1
    )
    told.append(capsys.readouterr().err)
    assert not (tmp_path / "run").exists()
    found = perfect(tmp_path / "found")
    assert main(["score", str(found), str(home), *options]) == 1
    told.append(capsys.readouterr().err)
    line = told[1].removeprefix("seglib train: ").strip()
    assert line.count("\n") == 0
    assert line in told[0]
    assert line in told[2]
    return line


def as_colours(colours):
    return lambda mask, path: save(f"{path}.png", np.array(colours, np.uint8)[(mask > 0).astype(int)])


def as_palette(colours, index):
    def write(mask, path):
        image = Image.fromarray(np.where(mask > 0, index, 0).astype(np.uint8))
        palette = np.zeros((256, 3), np.uint8)
        palette[0], palette[index] = colours
        image.putpalette(palette.tobytes())
        image.save(f"{path}.png")

    return write


BLACK_RED = [(0, 0, 0), (255, 0, 0)]
SETS = {  # what is written: (masks, {table: lines}, options, class 1)
    "F1 bool TIFF": (lambda mask, path: tifffile.imwrite(f"{path}.tif", mask > 0), {}, (), "object"),
    "F12 int64 TIFF": (lambda mask, path: tifffile.imwrite(f"{path}.tif", mask.astype(np.int64)), {}, (), "object"),
    "F3 palette and colours": (
        as_palette(BLACK_RED, 9),
        {"classes.csv": "background,0,0,0\ncar,255,0,0\n"},
        (),
        "car",
    ),
    "F4 0/255": (lambda mask, path: save(f"{path}.png", mask * 255), {}, ("--foreground", "255"), "object"),
    "F5 CVAT": (
        as_colours(BLACK_RED),
        {"labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:255,0,0::\n"},
        (),
        "car",
    ),
    "F16 CVAT with parts": (
        as_colours([(0, 0, 0), (1, 1, 1)]),
        {"labelmap.txt": "background:0,0,0::\nperson:1,1,1:head,hand:jumping\n"},
        (),
        "person",
    ),
    "F6 Roboflow's table": (
        lambda mask, path: save(f"{path}.png", mask),
        {"_classes.csv": "Pixel Value, Class\n0, background\n1, cell\n"},
        (),
        "cell",
    ),
    "F17 grey edges": (
        lambda mask, path: Image.fromarray(mask * 255).resize((128, 128)).resize((64, 64)).save(f"{path}.png"),
        {},
        ("--threshold", "128"),
        "object",
    ),
    "ids with gaps": (
        lambda mask, path: save(f"{path}.png", mask * 71),
        {"classes.csv": "id,name\n0,background\n71,toaster\n"},
        (),
        "toaster",
    ),
    "names that mean other numbers": (
        lambda mask, path: save(f"{path}.png", mask + 1),
        {"classes.txt": "void\nbackground\ncell\n"},
        (),
        "cell",
    ),
    "a grey mask saved in colours": (
        lambda mask, path: save(f"{path}.png", np.dstack([mask * 255] * 3)),
        {},
        ("--foreground", "255"),
        "object",
    ),
    "a GIF": (lambda mask, path: save(f"{path}.gif", mask * 255), {}, ("--foreground", "255"), "object"),
    "numbers of objects": (lambda mask, path: save(f"{path}.png", mask * 7), {}, ("--foreground", "7"), "object"),
    "a black and white table": (
        lambda mask, path: save(f"{path}.png", mask * 255),
        {"classes.csv": "0,background\n255,cell\n"},
        (),
        "cell",
    ),
    "labelme's labels.txt": (
        lambda mask, path: save(f"{path}.png", mask),
        {"labels.txt": "__ignore__\n_background_\ncat\n"},
        (),
        "cat",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_check_train_and_score_read_the_same(tmp_path, capsys, name):
    write, tables, options, label = SETS[name]
    home = make(tmp_path / "set", save_mask=write)
    for file, text in tables.items():
        (home / file).write_text(text)
    first = next(iter(open_data(home, **said_by(options)).reader.classes))
    all_commands(home, tmp_path, capsys, *options, classes=(first, label))


REFUSED = {  # masks: what the line says
    "0/255": (lambda mask, path: save(f"{path}.png", mask * 255), r"p0\.png holds 0 and 255 only.*--foreground 255"),
    "another value": (lambda mask, path: save(f"{path}.png", mask * 128), r"labels 128.*pass --foreground 128"),
    "grey edges": (
        lambda mask, path: Image.fromarray(mask * 255).resize((128, 128)).resize((64, 64)).save(f"{path}.png"),
        r"p0\.png holds the labels .*looks like a blurred black and white mask: pass --threshold 128",
    ),
    "colours": (as_colours(BLACK_RED), r"p0\.png is a picture of mode RGB, in colours.*pass --classes"),
    "fractions": (
        lambda mask, path: tifffile.imwrite(f"{path}.tif", mask.astype(np.float32)),
        r"p0\.tif is a picture of mode F; wanted is one channel of whole numbers",
    ),
    "numbered": (
        lambda mask, path: save(f"{path}.png", numbered(mask)),
        r"p0\.png holds the labels 5, 6.*look like numbered objects: pass --numbered",
    ),
    "a third class": (lambda mask, path: save(f"{path}.png", three(mask)), r"labels 2; .*write classes\.txt"),
}


def numbered(mask):
    return np.where(mask > 0, 1 + np.arange(64) // 5, 0).astype(np.uint8)


def three(mask):
    mask = mask.copy()
    mask[::9] = 2
    return mask


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_clear_is_refused_by_every_command_in_the_same_line(tmp_path, capsys, name, monkeypatch):
    monkeypatch.setattr("workbench.labels._numbered", lambda *_: False)  # score alone may recognise objects
    write, message = REFUSED[name]
    line = refused_alike(make(tmp_path / "set", save_mask=write), tmp_path, capsys)
    assert re.search(message, line)


def test_a_foreground_that_no_mask_has_is_refused(tmp_path, capsys):
    """`score --foreground 1` on 0/255 truth once made all of it void, with an IoU of 0."""
    home = make(tmp_path / "set", value=255)
    found = perfect(tmp_path / "found")
    assert main(["score", str(found), str(home / "masks"), "--foreground", "1"]) == 1
    assert "no mask of the truth holds the value 1" in capsys.readouterr().err
    command = ["train", "--model", "unet", "--data", str(home), "--out", str(tmp_path / "run"), *SHORT]
    assert main([*command, "--foreground", "1"]) == 1
    assert "holds the value 1: what is --foreground to be?" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main([*command, "--foreground", "255", "--threshold", "9"]) == 1
    assert "--foreground and --threshold say different things" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--foreground", "--threshold"])
def test_class_1_has_a_value_above_0(tmp_path, capsys, option):
    """`--foreground 0` would make 0 class 1 and 255 void."""
    with pytest.raises(SystemExit):
        main(["data", "check", str(tmp_path), option, "0"])
    assert f"argument {option}: invalid positive value: '0'" in capsys.readouterr().err


def test_predictions_in_the_truths_values_or_in_class_ids(tmp_path, capsys):
    """F4: both sides 0/255; and labels with gaps on either side."""
    truth = tmp_path / "truth"
    save(truth / "a.png", np.array([[0, 7, 11, 11]], np.uint8))
    (truth / "classes.csv").write_text("0,background\n7,car\n11,bus\n")
    for values in ([0, 7, 11, 7], [0, 1, 2, 1]):
        save(tmp_path / "found/a.png", np.array([values], np.uint8))
        assert main(["score", str(tmp_path / "found"), str(truth), "--json", str(tmp_path / "s.json")]) == 0
        figures = json.loads((tmp_path / "s.json").read_text())["classes"]
        assert {name: each["IoU"] for name, each in figures.items()} == {"background": 1, "car": 0.5, "bus": 0.5}
    (truth / "classes.csv").write_text("1,background\n0,car\n7,tree\n11,bus\n")
    save(tmp_path / "found/a.png", np.array([[0, 1, 1, 1]], np.uint8))
    assert main(["score", str(tmp_path / "found"), str(truth)]) == 1
    assert "a.png: 0, 1 may be class ids or labels of the truth's table" in capsys.readouterr().err


def test_classes_of_both_sides_have_to_agree(tmp_path, capsys):
    for side, names in (("found", "background\ncell\n"), ("truth", "background\nnucleus\ncell\n")):
        save(tmp_path / side / "a.png", np.array([[0, 1]], np.uint8))
        (tmp_path / side / "classes.txt").write_text(names)
    assert main(["score", str(tmp_path / "found"), str(tmp_path / "truth")]) == 1
    assert "the predictions are of the classes background, cell" in capsys.readouterr().err
