"""NewMicroscope: the nuclei of Cells with another look, as a laboratory's own pictures would have it."""

import numpy as np
from scipy import ndimage

from seglib.scenes.cells import Cells, as_sample, draw_nuclei, photograph

FEWEST = 3  # nuclei in a picture: nobody labels an empty one first


class NewMicroscope(Cells):
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

    def draw(self, rng):
        instances = np.zeros((1, 1), int)
        while instances.max() < FEWEST:
            light, instances = draw_nuclei(rng, self.size, typical_radius=rng.uniform(8, 11))
        return as_sample(stain_envelopes(rng, light, instances), instances)


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
