"""Networks as ONNX or TorchScript, with what prepares a picture inside, compared with torch."""

import io
import json
import time
import warnings
from contextlib import contextmanager
from unittest import mock

import numpy as np
import torch
from skimage.data import chelsea
from torch import nn
from torch.nn import functional as F

from seglib.datasets import read_image
from seglib.plotting import class_color
from workbench.tiles import SMALLEST

EXACT = 1e-4  # that a probability may differ by
LUMA = torch.tensor([0.299, 0.587, 0.114])  # as `transforms.Grayscale`


class Prepared(nn.Module):
    """Pictures float32 (1, 3, H, W) in 0..1 -> probabilities (1, K, H, W): `Grayscale`, `Standardize`, network."""

    def __init__(self, network, grey):
        super().__init__()
        self.network, self.grey = network, grey

    def forward(self, image):
        if self.grey:
            image = (image * LUMA.to(image)[:, None, None]).sum(1, keepdim=True)
        exact = image.double()  # a runtime's float32 means of a whole picture are off by enough to be seen
        mean = exact.mean((2, 3), keepdim=True)
        deviation = (exact - mean).square().mean((2, 3), keepdim=True).sqrt()
        heads = self.network((image - mean.float()) / deviation.clamp_min(1e-6).float())
        return (heads["out"] if isinstance(heads, dict) else heads).softmax(1)


def exported(network, config, form, photo=None):
    """(bytes of the file, what is to be compared): (torch's answer, the file's, seconds of each) of three pictures.

    The file has texts along: "classes" and "colours" (0..255) as JSON lists, and "model".
    """
    colours = [np.round(255 * class_color(label)).astype(int).tolist() for label in range(len(config["classes"]))]
    facts = {"classes": json.dumps(config["classes"]), "colours": json.dumps(colours), "model": config["model"]}
    network = Prepared(network, config["grey"]).cpu().eval()
    image = read_image(photo)[None] if photo else torch.from_numpy(chelsea()).permute(2, 0, 1)[None] / 255
    with traceable(network), torch.no_grad():
        content, answer = {"onnx": as_onnx, "torchscript": as_torchscript}[form](network, image, facts)
        answer(image)  # the first time takes longer
        views = (image, image[..., :-3, :-7], image.transpose(2, 3))
        return content, [(*timed(network, view), *timed(answer, view)) for view in views]


def timed(answer, image):
    begun = time.perf_counter()
    return answer(image), time.perf_counter() - begun


def compare(pairs, allowed):
    """How exact and how fast the file is, in words; raises ValueError if more than a share of the pixels is off."""
    off = torch.cat([(wanted - found).abs().amax(1).flatten() for wanted, _, found, _ in pairs])
    share = float((off > EXACT).float().mean())
    if share > allowed or off.isnan().any():
        raise ValueError(f"{share:.2%} of a photo's pixels differ from torch, by up to {off.max():.1g}")
    size = " x ".join(map(str, pairs[0][0].shape[2:]))
    but = f", but for {share:.2%} of the pixels, where rounding moved a maximum" if share else ""
    worst = float(off[off <= EXACT].max())
    return f"as torch to {worst:.1g}{but}; a photo of {size} px takes {pairs[0][3]:.3f} s, in torch {pairs[0][1]:.3f} s"


@contextmanager
def traceable(network):
    """Replace, while a network is written, three steps that exporters can't follow for any size by their equals."""
    pyramid = getattr(network.network, "pyramid", network)  # PSPNet's; others don't mind an attribute more
    with (
        mock.patch.object(pyramid, "pool", pool_by_products, create=True),
        mock.patch("seglib.models.unet.pad_to", pad_always),
        mock.patch.object(F, "max_unpool2d", unpool_by_scatter),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # on torch's own affairs
        yield


def pad_always(x, size):
    """`unet.pad_to` without its question whether there is anything to do."""
    return F.pad(x, (0, size[1] - x.shape[-1], 0, size[0] - x.shape[-2]), mode="replicate")


def pool_by_products(x, bins):
    """`F.adaptive_avg_pool2d` as two matrix products, one for each side."""
    return bin_weights(x.shape[-2], bins).to(x) @ x @ bin_weights(x.shape[-1], bins).to(x).T


def bin_weights(length, bins):
    """Weights (bins, length) of the means over bins: from floor(i * length / bins) to ceil((i + 1) * length / bins)."""
    edges, place = torch.arange(bins + 1) * length, torch.arange(length)
    inside = (place >= (edges[:-1] // bins)[:, None]) & (place < -(-edges[1:] // bins)[:, None])
    return inside / inside.sum(1, keepdim=True)


def unpool_by_scatter(x, indices, kernel_size, output_size):
    """`F.max_unpool2d`: zeros, and every value where its index says."""
    height, width = output_size[-2:]
    places = x.new_zeros(*x.shape[:2], height * width).scatter(2, indices.flatten(2), x.flatten(2))
    return places.unflatten(2, (height, width))


def as_onnx(network, image, facts):
    """(bytes of an ONNX file whose height and width are free, function from a picture to its answer)."""
    import onnx
    import onnxruntime

    free = {2: torch.export.Dim("height", min=SMALLEST), 3: torch.export.Dim("width", min=SMALLEST)}
    names = {"input_names": ["image"], "output_names": ["probabilities"]}
    program = torch.onnx.export(network, (image,), dynamo=True, dynamic_shapes=(free,), verbose=False, **names)
    model = program.model_proto  # made anew each time it is asked for
    onnx.helper.set_model_props(model, facts)
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return content, lambda picture: torch.from_numpy(session.run(None, {"image": picture.numpy()})[0])


def as_torchscript(network, image, facts):
    """(bytes of a file for `torch.jit.load`, in Python or C++, function from a picture to its answer)."""
    traced, content = torch.jit.trace(network, image), io.BytesIO()
    torch.jit.save(traced, content, _extra_files=facts)
    return content.getvalue(), traced
