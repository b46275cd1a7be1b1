"""Surfaces for streets and digits, cut from real photographs when first asked for, then kept.

Brick, gravel and grass (CC0) ship with scikit-image; the pavilion at a lake, `china.jpg` by danielbuechele
(CC BY 2.0), ships with scikit-learn. Every list has a fixed seed, so that all processes have the same.
"""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

# Where things are seen in china.jpg: left, top, right, bottom.
SKY, STOREY, ROOF = (330, 0, 540, 130), (97, 188, 320, 234), (180, 258, 290, 280)
LEAVES = ((0, 300, 60, 420), (90, 350, 200, 427), (400, 335, 500, 420), (460, 310, 550, 420), (590, 230, 640, 420))
SEASONS = ((1, 1, 1), (0.7, 0.85, 0.65), (1.25, 0.95, 0.6), (0.8, 0.75, 0.7))
WALLS = ((170, 80, 62), (120, 72, 58), (150, 105, 80), (196, 170, 120), (222, 214, 196), (236, 232, 226),
         (190, 150, 132), (150, 150, 150), (105, 100, 98), (150, 160, 172), (92, 70, 62))  # fmt: skip


@cache
def china():
    """The pavilion, an RGB picture of 640x427 pixels."""
    from sklearn.datasets import load_sample_image  # slow to import, so only when a scene is drawn

    return Image.fromarray(load_sample_image("china.jpg"))


@cache
def detail(name, side=256):
    """Light and dark of a photograph's surface, float32 (256, 256), mean 0, deviation 1; repeats after `side`."""
    from skimage import data

    picture = np.asarray(Image.fromarray(getattr(data, name)()).resize((side, side), Image.Resampling.BOX), np.float32)
    picture = np.rot90(picture) if name == "brick" else picture  # the photographed bricks stand upright
    picture = picture - gaussian_filter(picture, side / 6, mode="wrap")
    return np.tile(np.clip(picture / picture.std(), -2.5, 2.5), (256 // side, 256 // side))


@cache
def ground():
    """Details of asphalt, paving, gravel and waves, float32 (4, 256, 256); waves are grass smeared sideways."""
    waves = gaussian_filter(detail("grass"), (1, 7), mode="wrap")
    return np.stack([0.5 * detail("gravel", 128), detail("brick", 128), 0.6 * detail("gravel"), waves / waves.std()])


@cache
def skies():
    """(clear, overcast): twelve RGB skies of 256x128 each, hazy at the bottom; clouds are gravel out of focus."""
    rng = np.random.default_rng(1)
    blue = np.asarray(china().crop(SKY).resize((256, 128)), np.float32)
    height = np.linspace(1, 0, 128)[:, None, None]
    result = [], []
    for k in range(24):
        stones = np.roll(detail("gravel"), rng.integers(256, size=2), (0, 1))
        clouds = sum(w * gaussian_filter(stones, r, mode="wrap") for w, r in ((30, 24), (8, 10), (1.3, 4)))[:100]
        clouds = np.asarray(Image.fromarray(clouds).resize((256, 128)))[..., None]
        cover = np.clip(clouds / 2 + rng.uniform(-0.7, 0.5), 0, 1)
        clear = (blue - height * rng.uniform(0, 1) * (110, 70, 30)) * (1 - cover) + cover * rng.uniform(225, 255)
        grey = rng.uniform(175, 255) + rng.uniform(4, 18) * clouds + 25 * (1 - height) + (-3, 0, 4)
        kind, sky = (0, clear) if k < 12 else (1, grey)
        result[kind].append(Image.fromarray(np.clip(sky, 0, 255).astype(np.uint8)))
    return result


def wall(rng):
    """A plain, slightly dirty wall of 128x128 pixels: brick, stone or plaster in one of many tints."""
    pattern = detail(str(rng.choice(["brick", "brick", "gravel", "grass"])), int(rng.choice([64, 128])))
    shade = 1 + rng.uniform(0.03, 0.14) * pattern + 0.15 * gaussian_filter(detail("gravel"), 12, mode="wrap")
    tint = np.array(WALLS[rng.integers(len(WALLS))]) * rng.uniform(0.7, 1.05)
    return Image.fromarray(np.clip(shade[:128, :128, None] * tint, 0, 255).astype(np.uint8))


def facade(rng):
    """A house front of 128x128 pixels: windows that mirror the photograph, perhaps a shop and a roof."""
    picture = wall(rng)
    pen = ImageDraw.Draw(picture)
    trim, dark = (tuple(int(v) for v in rng.integers(*r) + rng.integers(0, 25, 3)) for r in ((60, 230), (10, 70)))
    floors, columns = rng.integers(2, 6), rng.integers(2, 7)
    top, shop = (22 if rng.random() < 0.45 else 6), rng.random() < 0.6
    wide, high = 128 / columns, (128 - top) / floors
    pane = int(wide * rng.uniform(0.35, 0.7)), int(high * rng.uniform(0.45, 0.7))
    for k in range(columns * (floors - 1 if shop else floors)):
        x, y = int((k % columns + 0.5) * wide - pane[0] / 2), int(top + (k // columns + 0.6) * high - pane[1] / 2)
        pen.rectangle((x - 1, y - 1, x + pane[0], y + pane[1] + 1), fill=trim)
        left, upper = rng.integers(400), rng.integers(100, 330)
        mirrored = china().crop((left, upper, left + 40, upper + 40)).resize(pane)
        picture.paste(Image.blend(mirrored, Image.new("RGB", pane, (22, 28, 36)), rng.uniform(0.5, 0.95)), (x, y))

    def put_across(piece, y, height):
        piece = china().crop(piece).resize((128, height))
        picture.paste(Image.blend(piece, Image.new("RGB", piece.size, dark), rng.uniform(0.3, 0.9)), (0, y))

    if shop:
        y = int(128 - high)
        put_across(STOREY, y, int(high) + 1)
        pen.rectangle((0, y, 128, y + 6), fill=trim)
    if top > 10:
        put_across(ROOF, 0, top)
        pen.line((0, top, 128, top), fill=trim)
    return picture


def levels(picture):
    """The picture and its half, quarter and eighth. Far things are drawn from a small one, or they would flicker."""
    return [picture] + [picture.reduce(2**k) for k in (1, 2, 3)]


@cache
def facades():
    """House fronts, each as `levels`."""
    rng = np.random.default_rng(2)
    return [levels(facade(rng)) for _ in range(48)]


@cache
def bushes(kind):
    """32 shapes of leaves, a tree's "crown" or a "hedge": (colours, where) of at most 96x96, each as `levels`."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:96, 0:96] / 48 - 1
    result = []
    for _ in range(32):
        grass = np.roll(detail("grass"), rng.integers(256, size=2), (0, 1))[:96, :96]
        blobs = rng.uniform(-0.5, 0.5, (rng.integers(4, 10), 2, 1, 1))
        crown = 1.2 - np.min([(rows - y) ** 2 + (columns - x) ** 2 for y, x in blobs], axis=0) / rng.uniform(0.12, 0.22)
        hedge = np.minimum(6 * (rows + 0.85 + 0.3 * gaussian_filter(grass, 4)), 2)
        where = Image.fromarray(np.uint8(255) * ((crown if kind == "crown" else hedge) + 0.3 * grass > 0))
        leaves = np.asarray(china().crop(LEAVES[rng.integers(len(LEAVES))]).resize((96, 96)), np.float32)
        grey = leaves.mean(axis=2, keepdims=True)
        leaves = (grey + (leaves - grey) * rng.uniform(0.4, 1.3)) * SEASONS[rng.integers(4)]  # lit from above:
        leaves = np.clip(leaves * rng.uniform(0.65, 1.1) * (1 - 0.25 * rows[..., None]), 0, 255).astype(np.uint8)
        hard = [level.point(lambda v: 255 * (v > 127)) for level in levels(where.crop(where.getbbox()))]
        result.append((levels(Image.fromarray(leaves).crop(where.getbbox())), hard))
    return result
