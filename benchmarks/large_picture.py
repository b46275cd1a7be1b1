"""How long ``seglib predict`` takes for a picture of 100 megapixels, and how much memory.

    python -m benchmarks.large_picture         ten minutes on 2 cores

The picture, 400 generated scenes of nuclei side by side, and what was found stay in build/large_picture.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.record import write_rows
from seglib.scenes import Cells

FOLDER, SIDE, SCENE, SEED = Path("build/large_picture"), 10_000, 500, 0


def draw(path):
    """Write the picture, 8 bits; of 40 scenes, turned."""
    scenes, rng = Cells(40, size=SCENE), np.random.default_rng(SEED)
    drawn = [np.round(scenes[index]["image"][0].numpy() * 255).astype(np.uint8) for index in range(len(scenes))]
    rows = [
        np.hstack([np.rot90(drawn[rng.integers(len(drawn))], rng.integers(4)) for _ in range(SIDE // SCENE)])
        for _ in range(SIDE // SCENE)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(path)


def main():
    picture, out = FOLDER / "large.png", FOLDER / "predicted"
    draw(picture)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "seglib", "predict", picture, "--out", out], check=True)
    seconds = time.perf_counter() - started
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # Linux counts in KiB
    found = json.loads((out / "objects.json").read_text())["annotations"]
    row = {"megapixels": SIDE**2 // 10**6, "seconds": round(seconds), "peak_GiB": round(gigabytes, 2)}
    write_rows("results/large_picture.csv", [row | {"objects": len(found), "seed": SEED}])


if __name__ == "__main__":
    main()
