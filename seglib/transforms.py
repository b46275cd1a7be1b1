"""Image and masks moved together.

A transform is a callable that takes a sample (a dict with "image" and, where they exist, "mask", "instances"
and "weights") and returns a new one; the given one is left as it was. Three rules hold for all of them:

- Image and maps make the same move. The image is interpolated; maps take the nearest pixel, so that no label is
  invented. Both are sampled at pixel centres, so nothing shifts by half a pixel.
- Outside the picture the image is mirrored. Where a crop reaches out, the mask is 255 (ignore) and instances and
  weights are 0, because nobody labelled those pixels.
- Random numbers come from torch's global generator: ``torch.manual_seed(0)`` before a loop makes it reproducible,
  and a DataLoader gives each of its workers a stream of its own.

Instance ids are kept. After a crop some may be gone, so they need not be consecutive.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from seglib.arrays import mirror
from seglib.losses import border_weights

OUTSIDE = {"mask": 255, "instances": 0, "weights": 0, "full_masks": 0}  # the maps that move along, and their fill


@dataclass
class Compose:
    """Apply transforms one after the other: ``Compose([RandomCrop(96), RandomFlip(), Standardize()])``."""

    transforms: list

    def __call__(self, sample):
        for transform in self.transforms:
            sample = transform(sample)
        return sample


@dataclass
class RandomFlip:
    """Mirror left-right and top-bottom, each with probability 1/2. Street scenes want ``vertical=False``."""

    vertical: bool = True

    def __call__(self, sample):
        allowed = (-1, -2) if self.vertical else (-1,)
        dims = [dim for dim in allowed if torch.rand(()) < 0.5]
        return _move(sample, lambda image: image.flip(dims), lambda values, _: values.flip(dims))


@dataclass
class RandomRotate90:
    """Turn by 0, 90, 180 or 270 degrees, equally likely. An oblong picture may swap height and width."""

    def __call__(self, sample):
        turns = int(torch.randint(4, ()))
        return _move(sample, lambda x: x.rot90(turns, (-2, -1)), lambda x, _: x.rot90(turns, (-2, -1)))


@dataclass
class RandomCrop:
    """Cut a random window of ``size`` pixels, a number or (height, width). A smaller picture lies somewhere inside."""

    size: int | tuple[int, int]

    def __call__(self, sample):
        (height, width), (rows, cols) = _pair(self.size), _size(sample)
        top = torch.randint(min(0, rows - height), max(0, rows - height) + 1, ())
        left = torch.randint(min(0, cols - width), max(0, cols - width) + 1, ())
        return crop(sample, int(top), int(left), height, width)


@dataclass
class Resize:
    """Resize to ``size``, a number or (height, width), bilinearly and antialiased when the image shrinks.

    The proportions of the picture are not kept if those of ``size`` differ.
    """

    size: int | tuple[int, int]

    def __call__(self, sample):
        (height, width), (rows, cols) = _pair(self.size), _size(sample)
        # Output pixel i has its centre at (i + 1/2) rows / height. Whole numbers keep the rounding exact.
        y = (2 * torch.arange(height) + 1) * rows // (2 * height)
        x = (2 * torch.arange(width) + 1) * cols // (2 * width)
        return _move(
            sample,
            lambda image: F.interpolate(image[None], (height, width), mode="bilinear", antialias=True)[0],
            lambda values, _: values[..., y, :][..., x],
        )


@dataclass
class RandomScale:
    """Resize by a random factor from ``low`` to ``high``; proportions stay, and halving is as likely as doubling."""

    low: float = 0.5
    high: float = 2.0

    def __call__(self, sample):
        if not 0 < self.low <= self.high:
            raise ValueError(f"RandomScale wants 0 < low <= high, not low={self.low}, high={self.high}")
        factor = math.exp(_uniform(math.log(self.low), math.log(self.high)))
        return Resize(tuple(max(1, round(side * factor)) for side in _size(sample)))(sample)


@dataclass
class ElasticDeform:
    """Bend the picture like a rubber sheet (Ronneberger, Fischer, Brox 2015, section 3.1).

    At the 3 x 3 points of a coarse grid that spans the picture, displacements are drawn from a normal distribution
    with a deviation of ``sigma`` pixels; bicubic interpolation gives every pixel its own. What comes from outside is
    mirrored, in image and maps alike. 10 px are gentle on a picture of 512 px, whose grid points lie 256 px apart,
    and strong on one of 96 px.
    """

    sigma: float = 10.0

    def __call__(self, sample):
        rows, cols = _size(sample)
        coarse = torch.randn(1, 2, 3, 3) * self.sigma
        down, right = F.interpolate(coarse, (rows, cols), mode="bicubic", align_corners=True)[0]
        y = mirror(torch.arange(rows)[:, None] + down, rows)
        x = mirror(torch.arange(cols) + right, cols)
        nearest = y.round().long(), x.round().long()
        # grid_sample wants (x, y) with -1 and 1 at the centres of the outermost pixels.
        places = torch.stack([2 * x / max(cols - 1, 1) - 1, 2 * y / max(rows - 1, 1) - 1], dim=-1)[None]
        return _move(
            sample,
            lambda image: F.grid_sample(image[None], places, padding_mode="border", align_corners=True)[0],
            lambda values, _: values[..., *nearest],
        )


@dataclass
class SeparateTouching:
    """Turn pixels that touch another instance, also at a corner, into background, in mask and instances.

    Touching objects are then two pixels apart, as in the U-Net paper's masks. A network that only says "cell" or
    "background" needs such a gap to tell two objects from one.
    """

    def __call__(self, sample):
        ids = _instances(sample)
        both = torch.stack([ids, -ids.where(ids > 0, ids.max() + 1)]).double()
        highest, lowest = F.max_pool2d(both, 3, stride=1, padding=1)
        gap = (ids > 0) & ((highest != ids) | (-lowest != ids))
        mask = sample["mask"].masked_fill(gap & (sample["mask"] != 255), 0)
        return sample | {"mask": mask, "instances": ids.masked_fill(gap, 0)}


@dataclass
class BorderWeights:
    """Add "weights", float32 (H, W): 1 plus the U-Net paper's border term, high in gaps between instances."""

    sigma: float = 5.0

    def __call__(self, sample):
        return sample | {"weights": 1 + border_weights(_instances(sample), sigma=self.sigma)}


@dataclass
class Jitter:
    """Change gamma, contrast and brightness of an image in 0..1 at random and add noise; it stays in 0..1.

    The image is raised to a power between exp(-gamma) and exp(gamma), its contrast multiplied by a factor between
    1 - contrast and 1 + contrast. A number between -brightness and brightness is added to all pixels, and to each one
    normal noise whose deviation lies between 0 and ``noise``.
    """

    brightness: float = 0.1
    contrast: float = 0.2
    gamma: float = 0.2
    noise: float = 0.02

    def __call__(self, sample):
        image = _image(sample)
        low, high = (float(limit) for limit in image.aminmax())
        if not -1e-3 <= low <= high <= 1 + 1e-3:
            raise ValueError(f"Jitter wants 0..1, not {low:.2f}..{high:.2f}: put it before Normalize")
        image = image.clamp(0, 1) ** math.exp(_uniform(-self.gamma, self.gamma))
        mean = image.mean()
        image = (image - mean) * _uniform(1 - self.contrast, 1 + self.contrast) + mean
        image = image + _uniform(-self.brightness, self.brightness)
        return sample | {"image": (image + torch.randn_like(image) * _uniform(0, self.noise)).clamp(0, 1)}


@dataclass
class Grayscale:
    """Turn an RGB image into one channel (1, H, W) by its luma: 0.299 R + 0.587 G + 0.114 B."""

    def __call__(self, sample):
        image = _image(sample)
        if len(image) != 3:
            raise ValueError(f"Grayscale wants an image of 3 channels, not {len(image)}")
        luma = image.new_tensor([0.299, 0.587, 0.114])
        return sample | {"image": torch.tensordot(luma, image, dims=1)[None]}


@dataclass
class Normalize:
    """Subtract ``mean`` and divide by ``std``, one number a channel, the same for every picture."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, sample):
        image = _image(sample)
        if not len(self.mean) == len(self.std) == len(image):
            raise ValueError(f"{self} does not fit an image of {len(image)} channels")
        mean, std = image.new_tensor([self.mean, self.std])[:, :, None, None]
        return sample | {"image": (image - mean) / std}


@dataclass
class Standardize:
    """Give each channel of each picture mean 0 and deviation 1, whatever its exposure; a flat channel becomes 0."""

    def __call__(self, sample):
        image = _image(sample)
        image = image - image.mean((-2, -1), keepdim=True)
        return sample | {"image": image / image.std((-2, -1), correction=0, keepdim=True).clamp_min(1e-6)}


def crop(sample, top, left, height, width):
    """Cut a window that may reach outside: there the image is mirrored and the maps hold `OUTSIDE`'s fill."""
    rows, cols = _size(sample)
    down, right = torch.arange(top, top + height), torch.arange(left, left + width)
    y, x = mirror(down, rows), mirror(right, cols)
    outside = (y != down)[:, None] | (x != right)
    return _move(
        sample,
        lambda image: image[:, y][:, :, x],
        lambda values, fill: values[..., y, :][..., x].masked_fill(outside, fill),
    )


def _move(sample, move_image, move_map):
    """Apply ``move_image(image)`` and, to every map, ``move_map(map, fill)``; the rest passes through."""
    _size(sample)
    maps = {key: move_map(sample[key], fill) for key, fill in OUTSIDE.items() if key in sample}
    return sample | {"image": move_image(sample["image"])} | maps


def _image(sample):
    image = sample["image"]
    if not (torch.is_tensor(image) and image.ndim == 3 and image.is_floating_point()):
        kind = f"{getattr(image, 'dtype', type(image).__name__)} {tuple(getattr(image, 'shape', ()))}"
        raise ValueError(f"a transform takes one sample, its image a float tensor (C, H, W), not {kind}")
    return image


def _size(sample):
    """Return the (height, width) that image and maps share, or raise if something would not move along."""
    size = _image(sample).shape[-2:]
    for key in [key for key in OUTSIDE if key in sample]:
        shape = sample[key].shape
        if key == "full_masks":  # (n, H, W)
            shape = shape[1:]
        if shape != size:
            raise ValueError(f"{key} is {tuple(sample[key].shape)}, its image {tuple(size)} (height, width)")
    if {"boxes", "masks"} & sample.keys():
        raise ValueError('"boxes" and "masks" would not move along: targets.instances_to_targets makes them')
    return size


def _instances(sample):
    _size(sample)
    if "instances" not in sample:
        raise ValueError(f'"instances" are wanted in the sample, which holds {sorted(sample)}')
    return sample["instances"]


def _pair(size):
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise ValueError(f"size is a number of pixels or (height, width), at least 1, not {size}")
    return height, width


def _uniform(low, high):
    return float(torch.empty(()).uniform_(low, high))
