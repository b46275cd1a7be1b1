"""The network for nuclei that comes with the course: what it says of each pixel, how it learns, how it cuts apart.

It answers two questions of every pixel: does it lie in a nucleus, and how central (1 in the middle of one, 0 at its
edge)? Each summit of the second answer becomes a nucleus. StarDist (Schmidt et al. 2018) and Cellpose (Stringer et al.
2021) ask other questions, distances along rays and ways to the middle, to the same end.
"""

import math

import numpy as np
import torch
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import find_boundaries, watershed
from torch import nn
from torch.nn import functional as F

from seglib.classical.regions import without_small
from seglib.models import UNet
from seglib.targets import boxes_of

DARK, BRIGHT = 1, 99.5  # percentiles of a picture that become 0 and 1
SMOOTHING, SADDLE = 1.5, 0.15  # px; and how far a saddle has to lie below the lower one of two summits to part them
LEAST_CENTRAL, SMALLEST = 0.3, 20  # of a nucleus: its summit, its pixels
IDEAL = 20  # px, the diameter that pictures are reduced to


class Nuclei(nn.Module):
    """A U-Net for touching nuclei, which `seglib.training.fit` trains and scores as a detector.

    In training it takes images, a list of (1, H, W) of one size that `exposed` or `any_exposure` prepared, and
    torchvision's targets, and gives the two parts of its loss. In evaluation mode it gives for each image a dict of
    "boxes" float32 (n, 4), "labels" int64 (n,), all 1, "scores" (n,), the mean probability that its pixels lie in a
    nucleus, and "masks" bool (n, 1, H, W). Nuclei of 8 to 30 px are seen best;
    larger ones in a reduced picture, see `reduction`.
    """

    def __init__(self):
        super().__init__()
        self.unet = UNet(1, 2, width=16, depth=3)

    def forward(self, images, targets=None):
        if targets is None:
            return [objects_of(self.answers(image[None])[0].cpu().numpy()) for image in images]
        answers = self.answers(torch.stack(list(images)))
        wanted = torch.stack([torch.from_numpy(centrality(numbered(target["masks"]))) for target in targets])
        wanted = wanted.to(answers.device)
        return {
            "foreground": F.binary_cross_entropy_with_logits(answers[:, 0], (wanted > 0).float()),
            "centrality": 2 * F.smooth_l1_loss(answers[:, 1], wanted, beta=0.1),
        }

    def answers(self, batch):
        """(N, 1, H, W) -> float32 (N, 2, H, W): the logit of foreground, and how central."""
        height, width = batch.shape[-2:]
        smallest = 2**self.unet.depth
        batch = F.pad(batch, (0, max(0, smallest - width), 0, max(0, smallest - height)), mode="replicate")
        return self.unet(batch.contiguous(memory_format=torch.channels_last))[..., :height, :width].float()


def numbered(masks):
    """Masks (n, H, W) that don't overlap as one map of ids, int32 (H, W) array, 0 = none."""
    ids = torch.arange(1, len(masks) + 1, device=masks.device, dtype=torch.int32)
    return (masks.int() * ids[:, None, None]).sum(0).cpu().numpy()


def centrality(instances):
    """How central a pixel lies in its nucleus: edge / (edge + middle), its distances to these.

    1 in the middle, falling along every way out: however long or bent a nucleus is, it has one summit. The middle is
    that of its deepest pixels; where the picture's border cuts a nucleus is no edge.

    Parameters
    ----------
    instances : (H, W) integer array, 0 = none, 1..n

    Returns
    -------
    (H, W) float32 array, 0 outside and above 0 inside.
    """
    count = instances.max()
    if count == 0:
        return np.zeros(instances.shape, np.float32)
    edge = find_boundaries(instances, mode="thick")
    distance = ndimage.distance_transform_edt(~edge) + 0.5
    ids = np.arange(1, count + 1)
    deepest = np.append(1, ndimage.maximum(distance, instances, ids))
    deep = (distance > 0.85 * deepest[instances]).astype(float)
    middles = np.array([(0, 0), *ndimage.center_of_mass(deep, instances, ids)])
    y, x = np.indices(instances.shape)
    middle = np.hypot(y - middles[instances, 0], x - middles[instances, 1])
    return np.where(instances > 0, distance / (distance + middle), 0).astype(np.float32)


def cut_apart(foreground, central):
    """Nuclei out of the network's answers: a watershed that begins at the summits of ``central``.

    Parameters
    ----------
    foreground : (H, W) bool array
    central : (H, W) float array, about 0 at the edges of nuclei and 1 in their middles

    Returns
    -------
    (H, W) instance map, 0 = none, 1..n.
    """
    height = ndimage.gaussian_filter(np.clip(central, 0, 1.2), SMOOTHING)
    summits = local_maxima(reconstruction(height - SADDLE, height)) & foreground & (height > LEAST_CENTRAL)
    return without_small(watershed(-height, label(summits), mask=foreground), SMALLEST)


def objects_of(answers):
    """The detections of one picture out of the network's two maps (2, H, W), see `Nuclei`."""
    certain = 1 / (1 + np.exp(-answers[0]))
    found = cut_apart(certain > 0.5, answers[1])
    ids = np.arange(1, found.max() + 1)
    masks = torch.from_numpy(found == ids[:, None, None])
    scores = torch.tensor(ndimage.mean(certain, found, ids), dtype=torch.float32)
    return {
        "boxes": boxes_of(masks),
        "labels": torch.ones(len(ids), dtype=torch.int64),
        "scores": scores.reshape(-1),
        "masks": masks[:, None],
    }


def exposed(image, dark, bright):
    """A grey picture, brought from ``dark``..``bright`` to 0..1 and then bent: what is dim is spread, what dazzles is
    drawn in. Dim nuclei beside very bright ones so come to differ from the background.
    """
    share = ((image - dark) / max(bright - dark, 1e-4)).clamp(0, 8)
    return ((share + 0.05).sqrt() - 0.05**0.5) / (1.05**0.5 - 0.05**0.5)


def exposed_as_predicted(sample):
    """A transform: the picture `exposed` by its own percentiles, as pictures to be predicted are."""
    return sample | {"image": exposed(sample["image"], *percentiles(sample["image"]))}


def any_exposure(sample):
    """As `exposed_as_predicted`, with random percentiles: elsewhere there may be brighter nuclei, or none at all."""
    dark, bright = percentiles(sample["image"])
    lowest, highest = (0.2, 2) if torch.rand(()) < 0.5 else (0.7, 1.4)
    gain = lowest * (highest / lowest) ** float(torch.rand(()))
    dark = dark + 0.01 * float(torch.randn(())) * (bright - dark)
    return sample | {"image": exposed(sample["image"], dark, dark + (bright - dark) / gain)}


def percentiles(image):
    """The two percentiles of a picture (tensor of any shape), DARK and BRIGHT."""
    return np.percentile(image.numpy(), (DARK, BRIGHT)).tolist()


def reduction(diameter):
    """The whole number by which a picture is reduced so that nuclei of this diameter, in px, have about IDEAL px."""
    return max(1, math.floor(diameter / IDEAL + 0.5))


def typical_diameter(areas):
    """Diameter in px of the circle that is as large as the median of these areas in px; 0 if there are none."""
    return 2 * math.sqrt(float(np.median(areas)) / math.pi) if len(areas) else 0.0


def reduced(image, step):
    """Means over step x step pixels of a picture (C, H, W); at its ends the last row and column are repeated."""
    if step == 1:
        return image
    height, width = image.shape[-2:]
    image = F.pad(image, (0, -width % step, 0, -height % step), mode="replicate")
    return F.avg_pool2d(image, step)


def as_nuclei_ask(sample, least):
    """A sample, reduced as a picture to be predicted is, by what its own nuclei ask for; to ``least`` px or more."""
    instances = sample["instances"]
    step = reduction(typical_diameter(np.unique(instances[instances > 0].numpy(), return_counts=True)[1]))
    return scaled_down(sample, max(1, min(step, min(instances.shape) // least)))


def scaled_down(sample, step):
    """A sample with its image `reduced` and the middles of its maps' step x step pixels."""
    maps = {key: sample[key][step // 2 :: step, step // 2 :: step] for key in ("mask", "instances") if key in sample}
    height, width = maps["mask"].shape
    return sample | maps | {"image": reduced(sample["image"], step)[:, :height, :width]}
