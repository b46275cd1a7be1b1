"""Pictures to predict: found in folders, read in rows, prepared as in training."""

import os
import sys
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from seglib.datasets import DSB2018, CamVid
from seglib.datasets.reading import PICTURES, colours, decode
from seglib.transforms import Grayscale
from workbench import nuclei
from workbench.layouts import BESIDE, MASKS, by_name, part

PUBLIC = ("dsb2018", "camvid")  # of which predict and score know the held-back pictures
ROWS = 256  # that are turned into floats at a time


def find_pictures(places):
    """{name: path} of pictures, of folders with all that is below them, and of the named sets' held-back pictures.

    A picture below a folder is called by its path from there, "june/a". Masks that lie with the pictures are left out,
    and a line on stderr counts them. Raises ValueError for a place that is not there, a folder without pictures, and
    names that occur twice (the predictions would overwrite each other).
    """
    found = {}
    for place in places:
        if place in PUBLIC:
            pictures = {path.stem: path for path in held_back(place)[1]}
        elif Path(place).is_dir():
            pictures = _below(Path(place))
        elif Path(place).is_file():
            pictures = {Path(place).stem: Path(place)}
        else:
            raise ValueError(f"there is no {place}: give pictures, folders of pictures, dsb2018 or camvid")
        if not pictures:
            raise ValueError(f"{place} holds no pictures; wanted are {' '.join(PICTURES)}")
        for name, path in pictures.items():
            if found.setdefault(name, path) is not path:
                raise ValueError(f"{found[name]} and {path} would both be predicted as {name}: rename one")
    return found


def _below(folder):
    """{path from the folder without suffix: path} of the pictures below it."""
    found, faults, masks = {}, [], 0
    for place, _, files in sorted(os.walk(folder)):
        names = [name.lower() for name in Path(place).relative_to(folder).parts]
        paths = [Path(place, file) for file in sorted(files) if Path(file).suffix.lower() in PICTURES]
        paths = [path for path in paths if not any(name.startswith(".") for name in (*names, path.name))]  # ._a.png
        pictures = part(paths)[1] or paths  # without masks beside them
        if any(name in map(str.lower, MASKS) or name.endswith(BESIDE) for name in names):
            pictures = []
        masks += len(paths) - len(pictures)
        found |= by_name(pictures, folder, PICTURES, faults)
    if faults:
        raise ValueError(faults[0])
    if masks:
        print(f"{folder}: {masks} masks among the pictures are passed over", file=sys.stderr)
    return found


def held_back(name):
    """(data set, paths of its pictures) that a public set keeps for testing: DSB2018's val, CamVid's test."""
    data = DSB2018(split="val") if name == "dsb2018" else CamVid(split="test")
    return data, data.paths if name == "dsb2018" else [image for image, _ in data.pairs]


class Picture:
    """A picture held as its file's 8 or 16 bits and turned into floats a few rows at a time.

    Prepared like the pictures that the network was trained on: grey or in colours, each channel of zero mean and
    unit deviation over the whole picture; or, ``exposed``, by percentiles as `nuclei.exposed` does.

    Parameters
    ----------
    path : path
    grey : bool
    exposed : bool
        For grey pictures.
    longest : int, optional
        Read the picture reduced by a whole number, so that neither side is longer.

    Attributes
    ----------
    size : (height, width)
        Of the picture as it is read: in pixels of the file, or reduced by ``step``.
    step : int
        How many rows and columns of the file make one; 1 unless ``longest`` asks for more or it is set.

    Raises
    ------
    ValueError
        The file is no picture, damaged, transparent, or has 32 bits a pixel.
    """

    def __init__(self, path, grey, exposed=False, longest=None):
        self.path, self.grey, self.exposed = Path(path), grey, exposed
        self.image = decode(path)
        self.step = -(-max(self.image.size) // longest) if longest else 1
        if self.image.mode in ("I", "F"):
            raise ValueError(f"{path} has 32 bits a pixel, whose range is unknown: save it with 8 or 16 bits")

    @property
    def size(self):
        return -(-self.image.height // self.step), -(-self.image.width // self.step)

    def read(self, top, bottom):
        """These rows, prepared: float32 (1 or 3, bottom - top, W)."""
        if self.exposed:
            dark, _, bright = self.percentiles
            return nuclei.exposed(self.raw(top, bottom), dark, bright)
        mean, deviation = self.moments
        return (self.raw(top, bottom) - mean) / deviation

    def raw(self, top, bottom):
        """These rows as float32 (1 or 3, bottom - top, W) in 0..1."""
        return nuclei.reduced(self._rows(top * self.step, min(bottom * self.step, self.image.height)), self.step)

    def levels(self, top, bottom):
        """These rows of the file, uint8 (3, h, W) or uint16 (1, h, W)."""
        piece = self.image.crop((0, top, self.image.width, bottom))
        if piece.mode.startswith("I;16"):
            return np.array(piece).astype(np.uint16)[None]
        return colours(piece, self.path).transpose(2, 0, 1)

    def _rows(self, top, bottom):
        levels = self.levels(top, bottom)
        rows = torch.from_numpy(levels.astype(np.float32) / np.iinfo(levels.dtype).max).expand(3, -1, -1)
        return Grayscale()({"image": rows})["image"] if self.grey else rows

    def reduced(self, step):
        """The picture for a figure, every ``step``-th row and column: uint8 (h, w, 3); of 16 bits stretched."""
        small = torch.cat([rows[:, ::step, ::step] for rows in self._bands(step)], 1)
        if self.image.mode.startswith("I;16"):  # cameras rarely fill the range
            dark, bright = np.percentile(small, (0.5, 99.5))
            small = ((small - dark) / max(bright - dark, 1e-6)).clamp(0, 1)
        small = (small * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        return np.broadcast_to(small, (*small.shape[:2], 3))

    def is_bright_field(self):
        """Whether most of an ``exposed`` picture is bright, as of stained tissue, and not dark, as of fluorescence."""
        dark, middle, bright = self.percentiles
        return middle > 0.3 and middle - dark > 0.4 * (bright - dark)

    def _bands(self, step=1):
        """All rows, ROWS times ``step`` of them at a time."""
        for top in range(0, self.size[0], ROWS * step):
            yield self.raw(top, min(top + ROWS * step, self.size[0]))

    @cached_property
    def percentiles(self):
        """What lies dark, in the middle and bright: percentiles of the picture's brightness, to 1/65535."""
        counts = np.zeros(2**16, np.int64)
        for top in range(0, self.image.height, ROWS):  # of the file, whatever it is reduced by
            levels = self._rows(top, min(top + ROWS, self.image.height)) * 65535
            counts += np.bincount(levels.round().int().numpy().ravel(), minlength=len(counts))
        shares = counts.cumsum() / counts.sum()
        return [np.searchsorted(shares, percent / 100) / 65535 for percent in (nuclei.DARK, 50, nuclei.BRIGHT)]

    @cached_property
    def moments(self):
        """Mean and deviation of each channel, (C, 1, 1), as `transforms.Standardize` takes them."""
        count = self.size[0] * self.size[1]
        mean = sum(rows.double().sum((1, 2), keepdim=True) for rows in self._bands()) / count
        squares = sum((rows - mean).square().sum((1, 2), keepdim=True) for rows in self._bands())
        return mean.float(), (squares / count).sqrt().clamp_min(1e-6).float()
