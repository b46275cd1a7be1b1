"""Files that hold other forms of what the commands read as PNG: stacks of TIFF pages, MATLAB's maps."""

from pathlib import Path

import tifffile
from PIL import Image
from scipy.io import loadmat

from workbench.formats.common import within


def unpack(root, out):
    """Write the pages of TIFF stacks (as ISBI 2012's) and the maps of MATLAB's truth (as CrackForest's) as PNG.

    STACK.tif becomes STACK/000.png and so on, NAME.mat NAME.png, in folders as below ``root``. Returns their number.
    Raises FileExistsError if ``out`` is there, ValueError for what is none of both inside.
    """
    pages = {}
    for path in sorted(Path(root).rglob("[!.]*.*")):
        place = Path(out, path.relative_to(root)).with_suffix("")
        with within(path):
            if path.suffix == ".mat":
                pages[place.with_suffix(".png")] = loadmat(path, simplify_cells=True)["groundTruth"]["Segmentation"]
            elif path.suffix in (".tif", ".tiff"):
                with tifffile.TiffFile(path) as file:
                    stack = file.asarray() if len(file.series[0].axes.rstrip("S")) == 3 else ()
                pages |= {place / f"{number:03}.png": page for number, page in enumerate(stack)}
    if pages and Path(out).exists():
        raise FileExistsError(f"{out} is there already: name a new folder")
    for path, page in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(page).save(path)
    return len(pages)
