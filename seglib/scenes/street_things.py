"""What stands in a generated street, drawn in perspective: facades, trees, vehicles, people, poles, signs.

Positions are metres: x to the right, y up, z ahead of the camera. A `View` holds the camera, the picture and the map
of classes. Both are drawn at twice the final size, so that halving the picture smooths its edges.
"""

import math
from functools import partial

from PIL import Image, ImageDraw

SKY, BUILDING, TREE, ROAD, PAVEMENT, WATER, CAR, BOAT, PERSON, POLE, SIGN = range(11)
NEAREST, BILINEAR = Image.Resampling.NEAREST, Image.Resampling.BILINEAR
PAINTS = ((225, 226, 226), (180, 183, 186), (110, 113, 118), (48, 50, 54), (30, 31, 34), (150, 32, 30), (36, 58, 110),
          (58, 92, 140), (40, 74, 56), (176, 150, 96), (196, 120, 40), (96, 40, 44))  # fmt: skip
SIGNS = (((190, 30, 35), (240, 238, 232)), ((30, 70, 160), (225, 230, 240)), ((235, 235, 230), (35, 75, 165)),
         ((30, 110, 70), (235, 235, 225)), ((40, 40, 42), (235, 200, 50)))  # fmt: skip
DARK = (25, 26, 28)
SKINS = ((224, 180, 150), (180, 130, 100), (110, 76, 58))


class View:
    """A camera in the street and what it has drawn so far.

    `focal`, `centre` and `horizon` are pixels of the canvas, `eye` is the camera's height; the street bends sideways
    by `bend` z² metres. Things fade into the colour `air`, by 63 % at 1 / `haze` metres. `sun` is the side it
    stands on, -1 left, 1 right, 0 behind clouds.
    """

    def __init__(self, size, dice, air, haze, sun):
        self.height, self.width = 2 * size[0], 2 * size[1]
        self.focal = math.sqrt(self.width * self.height) * dice.uniform(0.7, 1.1)
        self.centre = self.width * dice.uniform(0.3, 0.7)
        self.horizon = int(self.height * dice.uniform(0.36, 0.54))
        self.eye = dice.uniform(1.4, 2.4)
        self.bend = dice.choice((0, 0, 1)) * dice.uniform(-0.004, 0.004)
        self.air, self.haze, self.sun = air, haze, sun
        self.picture = Image.new("RGB", (self.width, self.height))
        self.labels = Image.new("L", (self.width, self.height), SKY)
        self.pen, self.glaze = ImageDraw.Draw(self.picture), ImageDraw.Draw(self.picture, "RGBA")
        self.marker = ImageDraw.Draw(self.labels)

    def at(self, x, y, z):
        """Where the camera sees the point: column and row of the canvas."""
        scale = self.focal / z
        return self.centre + scale * (x + self.bend * z * z), self.horizon + scale * (self.eye - y)

    def seen(self, colour, z, light=1.0):
        """The colour as it looks in this light through z metres of air."""
        clear = math.exp(-z * self.haze)
        (r, g, b), (air_r, air_g, air_b), haze, light = colour, self.air, 1 - clear, light * clear
        return int(light * r + haze * air_r), int(light * g + haze * air_g), int(light * b + haze * air_b)

    def veil(self, picture, z, light):
        """`seen` for pictures."""
        clear = math.exp(-z * self.haze)
        amount = max(1 - clear * light, 0.01)
        colour = tuple(int((1 - clear) * a / amount) for a in self.air)
        return Image.blend(picture, Image.new("RGB", picture.size, colour), amount)

    def polygon(self, points, label, colour):
        """Fill a polygon of canvas points in the picture and, unless label is None, in the map."""
        self.pen.polygon(points, fill=colour)
        if label is not None:
            self.marker.polygon(points, fill=label)

    def stamp(self, sprite, left, foot, width, height, label, z, light):
        """Paste a sprite, (colours, where) at several levels, scaled to a box that stands on row `foot`."""
        top, right = foot - height, left + width
        box = max(0, int(left)), max(0, int(top)), min(self.width, int(right)), min(self.height, int(foot))
        if box[2] <= box[0] or box[3] <= box[1]:
            return
        level = min(3, max(0, round(math.log2(96 / max(width, height)))))
        colours, where = sprite[0][level], sprite[1][level]
        x, y = colours.width / width, colours.height / height
        part = (box[0] - left) * x, (box[1] - top) * y, (box[2] - left) * x, (box[3] - top) * y
        size = box[2] - box[0], box[3] - box[1]
        where = where.transform(size, Image.Transform.EXTENT, part, NEAREST)
        colours = colours.transform(size, Image.Transform.EXTENT, part, BILINEAR if x < 0.4 else NEAREST)
        self.picture.paste(self.veil(colours, z, light), box[:2], where)
        self.labels.paste(label, box[:2], where)


def draw_facade(view, x0, z0, x1, z1, height, texture, light):
    """A house front from (x0, z0) on its left to (x1, z1) on its right, the texture in true perspective."""
    corners = [view.at(x0, 0, z0), view.at(x0, height, z0), view.at(x1, height, z1), view.at(x1, 0, z1)]
    left, right = max(0, int(corners[0][0])), min(view.width, math.ceil(corners[2][0]))
    top = max(0, int(min(corners[1][1], corners[2][1])))
    bottom = min(view.height, math.ceil(max(corners[0][1], corners[3][1])))
    if right <= left or bottom <= top:
        return
    x0, x1 = x0 + view.bend * z0 * z0, x1 + view.bend * z1 * z1
    tall = height * view.focal / min(z0, z1)
    texture = texture[min(3, max(0, int(math.log2(220 / tall))))]
    side, centre, horizon = texture.width, view.centre - left, view.horizon - top
    # PIL asks where in the texture a pixel lies. Its column says how far along the front it is and so how far
    # away, along = (b - column z0) / (column (z1 - z0) - a); with that distance its row says how high it is.
    a, b = view.focal * (x1 - x0) + centre * (z1 - z0), view.focal * x0 + centre * z0
    base, up = side * (1 - view.eye / height), side * (z1 * x0 - z0 * x1) / height
    way = (side * z0 / a, 0, -side * b / a,
           -base * (z1 - z0) / a, -up / a, base + up * horizon / a,
           -(z1 - z0) / a, 0)  # fmt: skip
    texture, smooth = view.veil(texture, (z0 + z1) / 2, light), BILINEAR if tall > 4 * side else NEAREST
    where = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(where).polygon([(x - left, y - top) for x, y in corners], fill=255)
    view.picture.paste(texture.transform(where.size, Image.Transform.PERSPECTIVE, way, smooth), (left, top), where)
    view.marker.polygon(corners, fill=BUILDING)


def draw_plant(view, x, z, width, height, trunk, leaves, light):
    """A tree or, without a trunk, a hedge; `trunk` is its share of the height."""
    (column, foot), scale = view.at(x, 0, z), view.focal / z
    if trunk:
        half, top = max(0.6, 0.025 * height * scale), foot - height * scale / 2
        bark = ((column - half, foot), (column + half, foot), (column + half, top), (column - half, top))
        view.polygon(bark, TREE, view.seen((70, 60, 50), z, light))
    left, wide, high = column - width * scale / 2, width * scale, (1 - trunk) * height * scale
    view.stamp(leaves, left, foot - trunk * height * scale, wide, high, TREE, z, light)


def draw_vehicle(view, dice, x, z, label):
    """A car or a boat: this function draws both in the same way, so only their surroundings tell them apart.

    The outline of its side is extended to the vehicle's width. It has glass, lights, and a dark lower edge, which may
    be a car's shadow or a boat's waterline; the black discs are wheels, or the old tyres that keep a boat off the quay.
    """
    length, width, height = dice.uniform(3.6, 5.4), dice.uniform(1.6, 2.1), dice.uniform(1.4, 2.1)
    if dice.random() < 0.1:  # a bus, a barge
        length, height = 1.5 * length, 1.4 * height
    turn = dice.choice((0, 0, math.pi, math.pi, math.pi / 2, -math.pi / 2)) + dice.gauss(0, 0.08)
    cosine, sine = math.cos(turn), math.sin(turn)
    paint, tail, nose = dice.choice(PAINTS), dice.choice((0.02, 0.02, 0.17)), dice.uniform(0.06, 0.3)
    paint = [c * dice.uniform(0.8, 1.1) for c in paint]
    glass = [0.25 * a + c for a, c in zip(view.air, (10, 14, 20), strict=True)]

    def corner(across, along, up):
        along, across = (along - 0.5) * length, across * width * (0.5 if up < 0.65 else 0.42)
        return view.at(x + across * cosine + along * sine, up * height, max(z - across * sine + along * cosine, 0.5))

    def fill(points, colour, light=1.0, mark=None):
        view.polygon(points, mark, view.seen(colour, z, light))

    shade = [corner(*point) for point in ((-1.3, -0.07, 0), (1.3, -0.07, 0), (1.3, 1.07, 0), (-1.3, 1.07, 0))]
    view.glaze.polygon(shade, fill=(8, 10, 12, 150))
    outline = ((0.02, 0), (0, 0.22), (0, 0.5), (0.02, 0.6), (tail, 0.62), (tail + 0.07, 1), (0.86 - nose, 1),
               (1 - nose, 0.62), (0.98, 0.54), (1, 0.44), (0.98, 0.22), (0.96, 0))  # fmt: skip
    kinds = ((DARK, 1), (paint, 0.85), (paint, 0.95), (paint, 1.2), (glass, 1), (paint, 1.2))
    left, right = ([corner(side, *point) for point in outline] for side in (-1, 1))
    for k in range(11) if cosine < 0 else range(10, -1, -1):  # from the far end to the near one
        a, b, c, d = quad = left[k], left[k + 1], right[k + 1], right[k]
        if (c[0] - a[0]) * (d[1] - b[1]) > (c[1] - a[1]) * (d[0] - b[0]):  # its outside is seen, not its inside
            fill(quad, *kinds[min(k, 10 - k)], label)
    ahead, detailed = x + view.bend * z * z, height * view.focal > 12 * z
    for side, points in ((-1, left), (1, right)):
        if side * (z * sine - ahead * cosine) > width / 2:
            fill(points, paint, 0.95 + 0.15 * view.sun * side, label)
            if detailed:
                draw_flank(view, fill, partial(corner, side), tail, nose, length, paint, glass)
    if detailed and abs(ahead * sine + z * cosine) > length / 2:
        draw_end(fill, corner, 0 if cosine > 0 else 1)


def draw_flank(view, fill, corner, tail, nose, length, paint, glass):
    """The side of a vehicle: dark sill, shade below, shine along the shoulder, two windows, two discs."""
    pillar = (0.9 + tail - nose) / 2
    for low, high, colour, light, left, right, tilt, rake in (
        (0, 0.2, DARK, 1, 0.03, 0.95, 0, 0),
        (0.2, 0.34, paint, 0.75, 0.02, 0.97, 0, 0),
        (0.5, 0.58, paint, 1.2, 0.02, 0.97, 0, 0),
        (0.65, 0.93, glass, 1, tail + 0.03, pillar - 0.01, 0.06, 0),
        (0.65, 0.93, glass, 1, pillar + 0.01, 0.97 - nose, 0, 0.13),
    ):
        points = (left, low), (left + tilt, high), (right - rake, high), (right, low)
        fill([corner(*point) for point in points], colour, light)
    for along in (0.19, 0.8):
        reach = 0.33 / length
        (x0, foot), (x1, _), (_, top) = corner(along - reach, 0), corner(along + reach, 0), corner(along, 0.36)
        x, y = (x0 + x1) / 2, (foot + top) / 2
        for share, grey in ((0.5, 22), (0.25, 120)):
            a, b = share * abs(x1 - x0), share * (foot - top)
            view.pen.ellipse((x - a, y - b, x + a, y + b), fill=(grey, grey, grey))


def draw_end(fill, corner, end):
    """Lamps and number plate at the tail (0) or the nose (1) of a vehicle."""
    lamp = ((190, 40, 34), (240, 236, 215))[end]
    for low, high, left, right, colour in ((0.38, 0.5, -0.95, -0.55, lamp), (0.38, 0.5, 0.55, 0.95, lamp),
                                           (0.25, 0.34, -0.3, 0.3, (225, 220, 190))):  # fmt: skip
        fill([corner(*p) for p in ((left, end, low), (right, end, low), (right, end, high), (left, end, high))], colour)


def draw_person(view, dice, x, z):
    """Legs, coat, arms, head."""
    (column, foot), tall = view.at(x, 0, z), dice.uniform(1.5, 1.9) * view.focal / z
    coat, legs = (view.seen([dice.uniform(40, 170) for _ in range(3)], z, dice.uniform(0.3, 0.9)) for _ in range(2))
    step = dice.uniform(0.02, 0.14)
    parts = [(coat, ((-0.1, 0.42), (0.1, 0.42), (0.12, 0.8), (0.05, 0.86), (-0.05, 0.86), (-0.12, 0.8)))]
    for way in (-1, 1):
        near, far, up = way * step - 0.04, way * step + 0.04, way * 0.04
        parts.append((legs, ((near, 0), (far, 0), (up + 0.05, 0.48), (up - 0.05, 0.48))))
        parts.append((coat, ((way * 0.12, 0.42), (way * 0.17, 0.44), (way * 0.13, 0.8), (way * 0.07, 0.8))))
    for colour, points in parts:
        view.polygon([(column + px * tall, foot - py * tall) for px, py in points], PERSON, colour)
    head = (column - 0.06 * tall, foot - tall, column + 0.06 * tall, foot - 0.85 * tall)
    view.pen.ellipse(head, fill=view.seen(dice.choice(SKINS), z))
    view.marker.ellipse(head, fill=PERSON)


def draw_pole(view, dice, x, z, height, arm):
    """A lamp post; `arm` metres of it reach over the road."""
    (column, foot), scale = view.at(x, 0, z), view.focal / z
    thick = max(2, min(round(dice.uniform(0.12, 0.22) * scale), view.width // 32))
    grey, top = view.seen([dice.uniform(30, 150)] * 3, z), foot - height * scale
    for line in ((column, foot, column, top), (column, top, column + arm * scale, top - 0.2 * scale)):
        view.pen.line(line, fill=grey, width=thick)
        view.marker.line(line, fill=POLE, width=thick)


def draw_sign(view, dice, x, z):
    """A traffic sign or a board on its post: a triangle, a rectangle or a disc, with a rim."""
    height, scale = dice.uniform(2.2, 3.2), view.focal / z
    draw_pole(view, dice, x, z, height, 0)
    column, foot = view.at(x, 0, z)
    half, corners = max(dice.uniform(0.3, 0.6) * scale, 2.5), dice.choice((3, 4, 4, 12))
    wide = dice.uniform(1, 2.2) if corners == 4 else 1.0
    start = {3: math.pi / 2, 4: math.pi / 4, 12: 0}[corners]
    angles = [start + 2 * math.pi * k / corners for k in range(corners)]
    rim, inside = dice.choice(SIGNS)
    for size, colour, label in ((half, rim, SIGN), (0.62 * half, inside, None)):
        points = [(column + wide * size * math.cos(a), foot - height * scale - size * math.sin(a)) for a in angles]
        view.polygon(points, label, view.seen(colour, z))
