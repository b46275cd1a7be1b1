"""What several exercises read from a street: the colours and the classes of square blocks."""

import numpy as np
import torch
from skimage.color import rgb2lab
from torch.nn import functional as F

from seglib.scenes import Streets


def block_colours(image, side):
    """Mean and standard deviation of the Lab colours (3, h, w) in blocks of ``side`` px; image (3, H, W) in 0..1."""
    lab = torch.from_numpy(rgb2lab(image.permute(1, 2, 0).numpy()).astype(np.float32)).permute(2, 0, 1)
    mean, square = (F.avg_pool2d(values[None], side)[0] for values in (lab, lab**2))
    return mean, (square - mean**2).clamp(min=0).sqrt()


def block_shares(mask, side):
    """Share of each street class (K, h, w) in the pixels of each block of ``side`` px."""
    one_hot = torch.stack([mask == k for k in range(len(Streets.classes))]).float()
    return F.avg_pool2d(one_hot[None], side)[0]
