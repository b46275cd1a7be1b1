"""Label a picture with a network that ``seglib export --to onnx`` wrote: python run_onnx.py model.onnx a.npy labels.npy

Needs onnxruntime and NumPy alone. a.npy holds a picture, uint8 (H, W, 3), as Pillow gives it:
numpy.save("a.npy", Image.open("a.jpg").convert("RGB")).
"""

import json
import sys

import numpy as np
import onnxruntime


def segment(session, picture):
    """Classes of a picture, uint8 (H, W, 3), and their probabilities: uint8 (H, W), float32 (classes, H, W)."""
    height, width = picture.shape[:2]
    rest = (0, max(0, 64 - height)), (0, max(0, 64 - width)), (0, 0)  # pictures under 64 px are repeated at their end
    image = np.pad(picture, rest, mode="edge").transpose(2, 0, 1)[None].astype(np.float32) / 255
    shares = session.run(None, {"image": image})[0][0, :, :height, :width]
    return shares.argmax(0).astype(np.uint8), shares


if __name__ == "__main__":
    session = onnxruntime.InferenceSession(sys.argv[1], providers=onnxruntime.get_available_providers())
    labels, _ = segment(session, np.load(sys.argv[2]))
    np.save(sys.argv[3], labels)
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    print({name: int((labels == number).sum()) for number, name in enumerate(classes)})
