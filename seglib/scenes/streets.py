"""Streets: driving scenes whose surfaces are pieces of real photographs.

Sky, houses, trees, road, pavement, canals; cars, boats, people, lamp posts and signs, from far to near, in sun, under
clouds, at dusk and in rain. Proportions and brightness were set beside CamVid, a real data set of the kind.

Cars and boats look alike on purpose: the same function draws both, with the same random numbers, in the same places and
over the same dark shadow. Only the surface that they stand on differs.
"""

import random
from functools import reduce

import numpy as np
from PIL import Image, ImageFilter

from seglib.scenes import street_things as things
from seglib.scenes import textures
from seglib.scenes._common import Scene
from seglib.scenes.street_things import BOAT, CAR, PAVEMENT, PERSON, ROAD, WATER, View

VOID = 255
FAR = 70.0  # metres: the street is closed there
TEXELS = 24  # of the ground's textures in a metre
HOUSES = (72, 66, 60)  # their mean colour, as water mirrors it
WEATHER = {"clear": (0.9, 1.3), "overcast": (0.7, 1.25), "dusk": (0.5, 0.75), "rain": (0.55, 0.95)}  # exposure


class Streets(Scene):
    """Generated driving scenes.

    Each sample is a dict: ``image`` float32 (3, H, W) in 0..1, ``mask`` int64 (H, W) with class ids in the order of
    ``classes``. One pixel of void (255) lies along borders between classes, as where people draw the masks; people,
    poles and signs, often as thin, keep theirs.

    Parameters
    ----------
    length : int
        Number of pictures.
    size : int or (int, int)
        Height and width in pixels; a larger picture shows the same scene in more detail.
    seed : int
        Sample i depends on (seed, i) alone.
    transform : callable, optional
        Takes and returns a sample.

    Examples
    --------
    >>> sample = Streets(1, size=64)[0]
    >>> sample["image"].shape, sample["mask"].shape
    (torch.Size([3, 64, 64]), torch.Size([64, 64]))
    """

    classes = ("sky", "building", "tree", "road", "pavement", "water", "car", "boat", "person", "pole", "sign")

    def draw(self, rng):
        # Hundreds of single numbers are drawn: the standard library does that ten times faster than NumPy.
        dice = random.Random(int(rng.integers(2**62)))
        view, weather = draw_scene(dice, self.size)
        return {"image": photograph(rng, dice, view.picture, weather), "mask": annotate(view.labels)}


def draw_scene(dice, size):
    """Draw one scene from far to near; return its `View` and its weather."""
    weather = dice.choices(list(WEATHER), (40, 35, 13, 12))[0]
    clear, overcast = textures.skies()
    sky = dice.choice(clear if weather == "clear" else overcast)
    haze = dice.uniform(0.001, 0.012) * (2 if weather == "rain" else 1)
    side = dice.choice((-1, 1))
    view = View(size, dice, sky.getpixel((128, 120)), haze, side if weather == "clear" else 0)
    left = dice.randint(0, 96)
    sky = sky.crop((left, dice.randint(0, 60), left + 160, 128))
    view.picture.paste(sky.resize((view.width, view.horizon + 2), things.NEAREST), (0, 0))
    strips = lay_out(dice)
    draw_ground(view, dice, strips, weather == "rain")
    queue = [*backdrop(dice), *houses(dice, view, strips), *vehicles(dice, strips), *furniture(dice, strips)]
    for _, draw, arguments in sorted(queue, key=lambda item: -item[0]):
        draw(view, *arguments)
    for _ in range(40 if weather == "rain" else 0):
        x, y, long = dice.uniform(0, view.width), dice.uniform(0, view.height), dice.uniform(0.02, 0.08) * view.height
        view.glaze.line((x, y, x + long / 6, y + long), fill=(200, 205, 210, 60))
    return view, weather


def lay_out(dice):
    """The street's cross-section: strips (left, right, class) in metres, the camera at 0 on a road or canal."""
    strips, x = [], 0.0
    for label in dice.choices(((ROAD,), (WATER,), (ROAD, WATER), (WATER, ROAD)), (42, 22, 18, 18))[0]:
        for width, kind in ((dice.uniform(1.5, 4.5), PAVEMENT), (dice.choice((6, 7, 9, 11)), label)):
            strips.append((x, x + width, kind))
            x += width
    strips.append((x, x + dice.uniform(1.5, 4.5), PAVEMENT))
    left, right, _ = dice.choice([strip for strip in strips if strip[2] != PAVEMENT])
    eye = dice.uniform(left + 1.5, right - 1.5)
    return [(left - eye, right - eye, kind) for left, right, kind in strips]


def draw_ground(view, dice, strips, wet):
    """Road, pavement and water: every pixel below the horizon asks which point of the ground it sees.

    Colours are found at the final size, not at twice that; the borders between strips are drawn sharply on top.
    """
    first = view.horizon + int(view.focal * view.eye / FAR)
    rows = np.arange(first + 1, view.height + 1, 2, dtype=np.float32)[:, None] - view.horizon
    z = view.focal * view.eye / rows
    x = (np.arange(1, view.width, 2, dtype=np.float32) - view.centre) * (z / view.focal) - view.bend * z * z
    strip = sum((x > right).view(np.uint8) for _, right, _ in strips[:-1])
    colours, kinds, contrast, gloss = (
        np.array(values, np.float32) for values in zip(*(surface(dice, s[2], wet) for s in strips), strict=True)
    )
    spot = (z * TEXELS).astype(np.int32) & 255, (x * TEXELS).astype(np.int32) & 255
    detail = textures.ground()[(kinds.astype(np.uint8)[strip], *spot)]
    detail /= np.sqrt(1 + (TEXELS * z * z / (view.focal * view.eye)) ** 2)  # pixels that span many stones mix them
    air, clear = np.array(view.air, np.float32)[:, None, None], np.exp(-z * view.haze)
    picture = colours.T.take(strip, axis=1)
    if gloss.any():
        # A bank at x with houses 8 m high is mirrored from x / reach on, the sky in between; waves blur the border.
        reach, wobble = 1 + 8 / view.eye, x * (1 + 0.25 * detail)
        sky = np.minimum(wobble - strips[0][0] / reach, strips[-1][1] / reach - wobble)
        houses = np.array(HOUSES, np.float32)[:, None, None]
        picture += gloss[strip] * (houses + np.clip(3 * sky + 0.5, 0, 1) * (0.9 * air - houses) - picture)
    light = (1 + contrast[strip] * detail) * clear
    if view.sun:  # the houses on that side throw a shadow
        reach = dice.uniform(1, 6)
        light[x < strips[0][0] + reach if view.sun < 0 else x > strips[-1][1] - reach] *= 0.6
    picture = np.clip(picture * light + (1 - clear) * air, 0, 255).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0)))
    view.picture.paste(picture.resize((view.width, 2 * len(rows)), things.NEAREST), (0, first))
    draw_borders(view, dice, strips, first)


def surface(dice, label, wet):
    """Look of a strip of ground: colour, which detail of `textures.ground`, its contrast, how much it mirrors."""
    if label == WATER:
        grey = dice.uniform(60, 150)
        return (grey * dice.uniform(0.75, 1), grey, grey * dice.uniform(0.9, 1.1)), 3, dice.uniform(0.1, 0.25), 0.75
    grey = dice.uniform(60, 140) if label == ROAD else dice.uniform(90, 175)
    warm = dice.uniform(0.82, 1) if label == PAVEMENT else dice.uniform(0.96, 1.08)
    colour = [(1 - 0.25 * wet) * grey * c for c in (1, (1 + warm) / 2, warm)]
    kind, gloss = (dice.choice((0, 1, 1, 2)), 0) if label == PAVEMENT else (0, 0.35 * wet)
    return colour, kind, dice.uniform(0.06, 0.2), gloss


def draw_borders(view, dice, strips, first):
    """The strips in the map of classes, and on the picture their kerbs and the marks of roads."""
    kerb, paint = view.seen((168, 166, 160), 10), view.seen([dice.uniform(170, 240)] * 3, 10)
    view.marker.rectangle((0, first, view.width, view.height), fill=PAVEMENT)
    for left, right, label in strips[1:-1]:
        if label == PAVEMENT:
            continue
        view.marker.polygon(seen_strip(view, left, right, 0.8, FAR), fill=label)
        for edge in (left, right):
            view.pen.polygon(seen_strip(view, edge - 0.12, edge + 0.12, 0.8, FAR), fill=kerb)
        middle, start = (left + right) / 2, dice.uniform(1.5, 6)
        marks = [(middle - 0.08, middle + 0.08, start + z, start + z + 3) for z in range(0, 36, 6)]
        if dice.random() < 0.5:
            marks += [(edge - 0.06, edge + 0.06, 1.5, FAR) for edge in (left + 0.5, right - 0.5)]
        if dice.random() < 0.25:  # a zebra crossing
            marks += [(left + k + 0.2, left + k + 0.7, 3 * start, 3 * start + 3) for k in range(int(right - left))]
        if label == ROAD:
            for mark in marks:
                view.pen.polygon(seen_strip(view, *mark), fill=paint)


def seen_strip(view, left, right, near, far):
    """Canvas points of a strip on the ground from `near` to `far`; it bends with the street."""
    steps = [near * (far / near) ** (k / 6) for k in range(7)] if view.bend else (near, far)
    return [view.at(left, 0, z) for z in steps] + [view.at(right, 0, z) for z in reversed(steps)]


def backdrop(dice):
    """A far row of trees with houses before it, as (distance, function, arguments), like those that follow."""
    for x in (-30, 30):
        hedge = dice.choice(textures.bushes("hedge"))
        yield FAR + 2, things.draw_plant, (x, FAR, 60, dice.uniform(4, 9), 0, hedge, 0.8)
    for x in (-30, -8, 14):
        x, wide, texture = x + dice.uniform(-8, 8), dice.uniform(10, 25), dice.choice(textures.facades())
        yield FAR + 1, things.draw_facade, (x, FAR, x + wide, FAR, dice.uniform(4, 12), texture, 0.7)


def houses(dice, view, strips):
    """Both sides of the street: houses, or trees and a hedge."""
    for side, line in ((-1, strips[0][0]), (1, strips[-1][1])):
        built, usual, z = dice.choice((0.3, 0.8, 0.95)), dice.uniform(6, 14), 1.0
        light, neighbour = 0.68 - 0.18 * side * view.sun, 99.0
        while z < FAR:
            end = z + dice.uniform(6, 14) * (1 + z / 20)
            height = usual * dice.uniform(0.75, 1.3)
            if dice.random() < built:
                texture = dice.choice(textures.facades())
                front = (line, end, line, z) if side > 0 else (line, z, line, end)
                yield end, things.draw_facade, (*front, height, texture, light)
                if height > neighbour:  # its end wall shows
                    wall = (line, z, line + 9, z) if side > 0 else (line - 9, z, line, z)
                    yield z + 0.1, things.draw_facade, (*wall, height, texture, 0.8 * light)
            else:
                height = 0
                hedge = dice.choice(textures.bushes("hedge"))
                yield z, things.draw_plant, (line + 4 * side, z, 8, dice.uniform(0.8, 2.2), 0, hedge, light)
                for tree in np.arange(z + 2, min(end, 45), dice.uniform(5, 9)):
                    yield tree, *a_tree(dice, line + side * dice.uniform(0.5, 5), tree, light)
            z, neighbour = end, height


def vehicles(dice, strips):
    """Cars on the roads, boats on the water, placed in the same way."""
    for left, right, label in strips[1:-1]:
        lanes = max(2, int((right - left) / 2.8)) if label != PAVEMENT else 0
        for lane in range(lanes):
            x = left + (lane + 0.5) * (right - left) / lanes
            z = dice.uniform(5, 24) + (3 if abs(x) < 1.5 else 0)  # not right before the camera
            while z < 36:
                yield z, things.draw_vehicle, (dice, x + dice.gauss(0, 0.1), z, CAR if label == ROAD else BOAT)
                z += 6.5 + dice.expovariate(1 / 20)


def furniture(dice, strips):
    """People, lamp posts, signs and trees on the pavements, and now and then somebody who crosses the road."""
    for left, right, label in strips:
        people = dice.randint(0, 3) if label == PAVEMENT else int(dice.random() < 0.35 and label == ROAD)
        for _ in range(people):
            z = dice.uniform(3.5, 18)
            yield z, things.draw_person, (dice, dice.uniform(left + 0.3, right - 0.3), z)
        if label == PAVEMENT:
            edge, arm = (right - 0.4, 1.2) if (left + right) < 0 else (left + 0.4, -1.2)
            for z in np.arange(dice.uniform(4, 14), dice.uniform(4, 50), dice.uniform(8, 20)):
                yield z, things.draw_pole, (dice, edge, z, dice.uniform(4, 7), arm)
            for _ in range(dice.randint(0, 2)):
                z = dice.uniform(4, 15)
                yield z, things.draw_sign, (dice, edge, z)
            for z in np.arange(dice.uniform(5, 14), dice.choice((0, 0, 35)), dice.uniform(8, 14)):
                yield z, *a_tree(dice, edge, z, 0.9)


def a_tree(dice, x, z, light):
    """Function and arguments that draw a tree of some kind and size."""
    height, crown = dice.uniform(4, 9), dice.choice(textures.bushes("crown"))
    return things.draw_plant, (x, z, height * dice.uniform(0.5, 0.8), height, 0.22, crown, light)


def photograph(rng, dice, picture, weather):
    """What a camera makes of the scene, float32 (3, H, W) in 0..1: lens blur, exposure, white balance, noise."""
    picture = picture.reduce(2).filter(ImageFilter.BoxBlur(dice.uniform(0, 0.4)))
    picture = np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))
    light = np.array([dice.gauss(1, 0.02) for _ in range(3)]) * dice.uniform(*WEATHER[weather]) / 255
    noise = rng.standard_normal(picture.shape[1:], dtype=np.float32)  # of brightness: JPEG drops that of colour
    image = picture * light.astype(np.float32)[:, None, None] + np.float32(dice.uniform(0.004, 0.025)) * noise
    return np.clip(image, 0, 1, out=image)


def annotate(labels):
    """Class map at the final size, int64 (H, W): void where classes meet, except on thin things.

    A pixel covers 2x2 of the canvas. It is void if its 3x3 hold two classes: that makes a border one pixel wide.
    """
    labels = np.asarray(labels)
    height, width = labels.shape[0] // 2, labels.shape[1] // 2
    labels = np.concatenate((labels, labels[-1:]))
    labels = np.concatenate((labels, labels[:, -1:]), axis=1)

    def over(side, choose):
        """The highest or the lowest label of the side x side that belong to each pixel."""
        rows = reduce(choose, [labels[k::2][:height] for k in range(side)])
        return reduce(choose, [rows[:, k::2][:, :width] for k in range(side)])

    own, high, low = over(2, np.maximum), over(3, np.maximum), over(3, np.minimum)
    # A pole would vanish in its borders: people, poles and signs, the last classes, keep their pixels.
    return np.where(own >= PERSON, own, np.where(low == high, low, np.uint8(VOID))).astype(np.int64)
