"""Segmentation from a few strokes: what a pretrained network sees at each pixel, and a linear classifier on top."""

from functools import cache

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional as F

from seglib.models.blocks import resize
from seglib.models.efficientnet_lite import EfficientNetLite0, as_batch


@torch.no_grad()
def pixel_features(image):
    """What EfficientNet-Lite0, trained on ImageNet, sees at each pixel: its maps of stride 2, 4, 8 and 16, enlarged.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1

    Returns
    -------
    (H, W, 192) float32 array
        16, 24, 40 and 112 channels, of textures and edges first, of things last. A pixel takes 768 bytes, a photo of
        640 x 427 210 MB.

    Raises ValueError for other pictures, FileNotFoundError where the weights are missing.
    """
    x = as_batch(image)
    height, width = x.shape[-2:]
    # Only where sides divide by its stride does a map lie upon the picture, see EfficientNetLite0.
    x = F.pad(x, (0, -width % 16, 0, -height % 16), mode="replicate").to(memory_format=torch.channels_last)
    size, maps = x.shape[-2:], []
    for stage in _stages():
        x = stage(x)
        maps.append(resize(x, size)[..., :height, :width])
    return torch.cat(maps, dim=1)[0].permute(1, 2, 0).numpy()


def segment_from_strokes(features, strokes):
    """Learn from the pixels under the strokes what to call all others: logistic regression on their features.

    Parameters
    ----------
    features : (H, W, C) float array
        Such as `pixel_features` gives; each is brought to mean 0 and deviation 1 over the strokes.
    strokes : (H, W) integer array
        0 where there is no stroke, else the class, 1..K; numbers may be left out.

    Returns
    -------
    (H, W) int64 array
        A class that has strokes for each pixel.

    Raises
    ------
    ValueError
        For features and strokes of other shapes or types, and for strokes of fewer than two classes.
    """
    features, strokes = np.asarray(features), np.asarray(strokes)
    if features.ndim != 3 or features.dtype.kind != "f":
        raise ValueError(f"features are {features.dtype} {features.shape}; float (H, W, C) is wanted")
    if strokes.shape != features.shape[:2] or strokes.dtype.kind not in "iu":
        raise ValueError(
            f"strokes are {strokes.dtype} {strokes.shape}; an integer map of the picture's {features.shape[:2]} is "
            "wanted, 0 = no stroke, 1..K = classes"
        )
    classes = np.setdiff1d(strokes, 0).tolist()
    if len(classes) < 2 or classes[0] < 0:
        raise ValueError(f"strokes are of the classes {classes}; at least two are wanted, with numbers from 1")
    drawn = strokes > 0
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(features[drawn], strokes[drawn])
    return model.predict(features.reshape(-1, features.shape[2])).reshape(strokes.shape).astype(np.int64)


@cache
def _stages():
    net = EfficientNetLite0(weights="imagenet").eval().backbone
    return net.stem, net.layer1, net.layer2, net.layer3
