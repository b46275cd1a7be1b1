"""Pictures of a set read once: checked, counted, kept as bytes, and cut into windows before anything else is done."""

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch.utils.data import Dataset

from seglib.arrays import mirror
from seglib.datasets.reading import check_same_size
from seglib.progress import Progress
from seglib.transforms import OUTSIDE, ElasticDeform, Jitter, RandomFlip, RandomRotate90, Resize
from workbench.nuclei import scaled_down
from workbench.pictures import Picture

MEMORY = 2**30  # bytes of pictures that are kept; the rest is read anew each time
GLANCE = 2**14  # pixels, spread over a picture, that tell its brightness after a jitter
TILE = 256  # px; while training, networks are scored on tiles of the held-back pictures
MOST_TILES = 256  # of them, evenly spread
AUGMENT = {  # the scales, whether light changes, and how windows move
    "none": (1, 1, False, ()),
    "flips": (1, 1, False, (RandomFlip(),)),
    "photo": (0.75, 1.5, True, (RandomFlip(vertical=False),)),
    "microscope": (0.75, 1.33, True, (ElasticDeform(sigma=3), RandomFlip(), RandomRotate90())),
}


class Kept:
    """The pictures of a `FolderDataset` as they are cut from: bytes, with their mean and deviation.

    Parameters
    ----------
    data : FolderDataset
        Without a transform.
    grey : bool
        Turn pictures grey.
    size : int, optional
        Reduce pictures by a whole number, so that neither side is longer.
    """

    def __init__(self, data, grey=False, size=None):
        self.data, self.grey, self.size = data, grey, size
        self.memory, self.free, self.shapes, self.counts = {}, MEMORY, {}, {}

    def __len__(self):
        return len(self.data)

    def __getstate__(self):  # a worker that is not forked begins with an empty memory
        return self.__dict__ | {"memory": {}}

    def read_all(self):
        """Read every picture and mask, note sizes and how often classes occur, and keep what fits into MEMORY.

        Raises ValueError for the first file that can't be read or does not fit its partner or the classes.
        """
        with Progress("reading pictures") as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
            for index, raw in enumerate(pool.map(self.read, range(len(self)))):
                self.keep(index, raw)
                counts = np.bincount(raw["mask"].ravel(), minlength=256)
                self.shapes[index], self.counts[index] = raw["mask"].shape, counts[: len(self.data.classes)]
                bar.update((index + 1) / len(self), f"{index + 1} of {len(self)}")
        return self

    def raw(self, index):
        """A sample of bytes: "image" uint8 or uint16 (C, H, W), "mask", "instances" if known, and its light."""
        return self.memory.get(index) or self.keep(index, self.read(index))

    def read(self, index):
        """`raw`, from the files."""
        path, mask_path = self.data.pairs[index]
        sample = {"mask": self.data.labels(mask_path).numpy().astype(np.uint8)}
        if getattr(self.data.read, "numbered", False):
            sample["instances"] = self.data.read.values(mask_path).numpy().astype(np.int32)
        picture = Picture(path, self.grey)
        levels, channels = picture.levels(0, picture.image.height), 1 if self.grey else 3
        check_same_size(sample["mask"], mask_path, levels, path)
        step = math.ceil(max(picture.size) / self.size) if self.size else 1
        if self.grey or step > 1:
            sample = scaled_down(sample | {"image": picture.raw(0, picture.size[0])}, step)
            levels = (sample["image"] * 65535).round().numpy().astype(np.uint16)
        levels = np.ascontiguousarray(levels[:1] if (levels == levels[:1]).all() else levels)
        white, thin = np.iinfo(levels.dtype).max, math.ceil(math.sqrt(levels[0].size / GLANCE))
        light = [moments(torch.from_numpy(channel).float()[None] / white) for channel in levels]
        sample |= {"name": path.stem, "image": levels, "white": white, "channels": channels}
        glance = torch.from_numpy(levels[:, ::thin, ::thin].astype(np.float32) / white).flatten(1)
        return sample | {"glance": glance, "moments": [torch.cat(each) for each in zip(*light, strict=True)]}

    def keep(self, index, raw):
        """Keep a sample of `raw`, if there is room, and return it."""
        size = sum(raw[key].nbytes for key in ("image", "mask", "instances") if key in raw)
        if size <= self.free:
            self.free -= size
            self.memory[index] = raw
        return raw

    def window(self, index, top, left, height, width):
        """(sample with its image in 0..1, cut as by `transforms.crop`; what tells its picture's light)."""
        raw = self.raw(index)
        down, right = np.arange(top, top + height), np.arange(left, left + width)
        y, x = (mirror(each, side) for each, side in zip((down, right), raw["mask"].shape, strict=True))
        place, outside = np.ix_(y, x), (y != down)[:, None] | (x != right)
        piece = {"name": raw["name"]}
        for key in raw.keys() & OUTSIDE.keys():
            piece[key] = torch.from_numpy(np.where(outside, OUTSIDE[key], raw[key][place].astype(np.int64)))
        image = np.stack([channel[place] for channel in raw["image"]]).astype(np.float32) / raw["white"]
        return piece | {"image": torch.from_numpy(image).expand(raw["channels"], -1, -1)}, raw


def moments(image):
    """Mean and deviation of each channel (C, ...), as `transforms.Standardize` takes them: (C, 1, 1) each."""
    pixels = image.flatten(1)
    return pixels.mean(1)[:, None, None], pixels.std(1, correction=0)[:, None, None].clamp_min(1e-6)


class Whole(Dataset):
    """Chosen pictures as a whole, prepared by a transform, for networks that ask for that."""

    def __init__(self, kept, chosen, transform):
        self.kept, self.chosen, self.transform, self.classes = kept, chosen, transform, kept.data.classes

    def __len__(self):
        return len(self.chosen)

    def __getitem__(self, place):
        index = self.chosen[place]
        return self.transform(self.kept.window(index, 0, 0, *self.kept.shapes[index])[0])


class Windows(Whole):
    """Random windows of pictures to learn from: cut a little larger or smaller, lit and scaled at random, moved.

    Each is standardised by the mean and deviation that its whole picture has under the same change of light.

    Parameters
    ----------
    kept : Kept
    side : int
        Of the windows, px.
    augment : name in `AUGMENT`
    chosen : list of int
        The pictures.
    further : callable, optional
        A transform for the finished sample.
    """

    def __init__(self, kept, side, augment, chosen, further=None):
        super().__init__(kept, chosen, further)
        self.side, self.augment = side, AUGMENT[augment]

    def __getitem__(self, place):
        low, high, jitter, moves = self.augment
        index = self.chosen[place]
        rows, cols = self.kept.raw(index)["mask"].shape
        side = max(1, round(self.side / math.exp(float(torch.empty(()).uniform_(math.log(low), math.log(high))))))
        corner = [int(torch.randint(min(0, n - side), max(0, n - side) + 1, ())) for n in (rows, cols)]
        sample, raw = self.kept.window(index, *corner, side, side)
        mean, deviation = raw["moments"]
        if jitter:  # the glance beside the window, so that both get the same light
            glance = raw["glance"].expand(raw["channels"], -1)
            both = torch.cat([sample["image"].flatten(1), glance], 1)[:, None]
            both = Jitter()({"image": both})["image"][:, 0]
            sample["image"] = both[:, : side * side].reshape(sample["image"].shape)
            mean, deviation = moments(both[:, side * side :])
        sample["image"] = (sample["image"] - mean) / deviation
        for move in (Resize(self.side), *moves, *([self.transform] if self.transform else [])):
            sample = move(sample)
        return sample


class Tiles(Dataset):
    """Held-back pictures to score on, whole, in tiles without overlap; of very many tiles, evenly spread ones.

    Past a picture's end it is mirrored, and the mask is void. Parameters as of `Windows`, whose pictures were read.
    """

    def __init__(self, kept, chosen):
        self.kept, self.classes = kept, kept.data.classes
        places = []
        for index in chosen:
            tops, lefts = (range(0, side, TILE) for side in kept.shapes[index])
            places += [(index, top, left) for top in tops for left in lefts]
        count = min(len(places), MOST_TILES)
        self.all, self.places = len(places), [places[number * len(places) // count] for number in range(count)]

    def __len__(self):
        return len(self.places)

    def __getitem__(self, place):
        sample, raw = self.kept.window(*self.places[place], TILE, TILE)
        mean, deviation = raw["moments"]
        return sample | {"image": (sample["image"] - mean) / deviation}
