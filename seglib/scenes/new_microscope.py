"""NewMicroscope: the nuclei of Cells with another look, as a laboratory's own pictures would have it."""

import numpy as np
import torch
from scipy import ndimage

from seglib.scenes._common import check_scene_arguments, scene_generator
from seglib.scenes.cells import draw_nuclei, photograph

FEWEST = 3  # nuclei in a picture: nobody labels an empty one first


class NewMicroscope:
    """Nuclei as a stain of their envelope shows them: bright outlines, dimmer insides, a lamp that stands askew.

    The nuclei are those of `seglib.scenes.Cells`, all of one magnification and three or more a picture. Each sample is
    a dict: ``image`` float32 (1, H, W) in 0..1, ``mask`` int64 (H, W) with 1 on nuclei, ``instances`` int64 (H, W)
    numbering the nuclei from 1.

    Parameters
    ----------
    length : int
        Number of pictures.
    size : int or (int, int)
        Height and width in pixels.
    seed : int
        Sample i depends on (seed, i) alone.
    transform : callable, optional
        Takes and returns a sample.
    """

    classes = ("background", "nucleus")

    def __init__(self, length, size=96, seed=0, transform=None):
        self.length, self.size, self.seed = check_scene_arguments(length, size, seed)
        self.transform = transform

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        rng, instances = scene_generator(self, index), np.zeros((1, 1), int)
        while instances.max() < FEWEST:
            light, instances = draw_nuclei(rng, self.size, typical_radius=rng.uniform(8, 11))
        image = stain_envelopes(rng, light, instances)
        sample = {
            "image": torch.from_numpy(image[None]),
            "mask": torch.from_numpy((instances > 0).astype(np.int64)),
            "instances": torch.from_numpy(instances.astype(np.int64)),
        }
        return self.transform(sample) if self.transform else sample


def stain_envelopes(rng, light, instances):
    """Picture float32 (H, W), 0..1, of nuclei whose outlines are brighter than their insides."""
    height, width = instances.shape
    alone = ndimage.grey_erosion(instances, 3) == ndimage.grey_dilation(instances, 3)
    depth = ndimage.distance_transform_edt((instances > 0) & alone)
    rim = np.exp(-(((depth - 1) / 1.3) ** 2))
    picture = photograph(rng, light * (0.5 + 0.6 * rim).astype(np.float32), blur=rng.uniform(0.8, 1.5))
    y, x, angle = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width), rng.uniform(0, 2 * np.pi)
    lamp = 0.15 + 0.04 * (np.cos(angle) * x + np.sin(angle) * y)
    picture = picture + lamp + 0.012 * rng.standard_normal((height, width))
    return (np.round(np.clip(picture, 0, 1) * 255) / 255).astype(np.float32)
