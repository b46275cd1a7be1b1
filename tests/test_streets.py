"""Streets: labelled where drawn, look-alikes told apart by their surroundings only. test_scenes.py has the rest."""

import random

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats
from sklearn.tree import DecisionTreeClassifier

from seglib.scenes import Streets, streets, textures
from seglib.scenes import street_things as things
from seglib.scenes.street_things import BOAT, BUILDING, CAR, PAVEMENT, PERSON, POLE, ROAD, SIGN, TREE, WATER

COUNT, VOID, BLANK = 250, 255, (255, 0, 255)


@pytest.fixture(scope="module")
def scenes():
    data = Streets(COUNT, size=96, seed=3)
    samples = [data[i] for i in range(COUNT)]
    return np.stack([s["image"].numpy() for s in samples]), np.stack([s["mask"].numpy() for s in samples])


def test_class_ids_follow_the_names():
    names = ("sky", "building", "tree", "road", "pavement", "water", "car", "boat", "person", "pole", "sign")
    assert Streets.classes == names
    assert [getattr(things, name.upper()) for name in names] == list(range(11))


def test_every_class_has_its_share(scenes):
    share = np.bincount(scenes[1].ravel(), minlength=256) / scenes[1].size
    bounds = {"sky": (0.1, 0.3), "building": (0.1, 0.3), "tree": (0.04, 0.15), "road": (0.13, 0.33),
              "pavement": (0.02, 0.1), "water": (0.08, 0.22), "car": (0.03, 0.1), "boat": (0.02, 0.08),
              "person": (0.004, 0.02), "pole": (0.008, 0.03), "sign": (0.003, 0.02)}  # fmt: skip
    for k, name in enumerate(Streets.classes):
        assert bounds[name][0] < share[k] < bounds[name][1], name
    assert 0.02 < share[VOID] < 0.08
    assert {ROAD, things.SKY, BUILDING} < set(share.argsort()[-4:].tolist())  # these and water dominate


def test_scenes_vary(scenes):
    brightness = scenes[0].mean((1, 2, 3))
    assert brightness.std() > 0.08
    assert 0.3 < brightness.mean() < 0.6
    for label, least, most in ((ROAD, 0.55, 0.95), (WATER, 0.35, 0.75), (CAR, 0.5, 0.95), (BOAT, 0.35, 0.75)):
        present = (scenes[1] == label).any((1, 2)).mean()
        assert least < present < most


def test_void_parts_all_classes_but_thin_ones(scenes):
    for a, b in ((scenes[1][:, 1:], scenes[1][:, :-1]), (scenes[1][:, :, 1:], scenes[1][:, :, :-1])):
        touch = (a != b) & (a < PERSON) & (b < PERSON)
        assert not touch.any()


def test_void_lies_on_borders():
    labels = np.full((40, 40), PAVEMENT, np.uint8)
    labels[:, :17] = ROAD  # this border falls into a pixel, the next between two
    labels[:, 30:] = WATER
    mask = streets.annotate(Image.fromarray(labels))
    assert mask.shape == (20, 20)
    expected = [ROAD] * 8 + [VOID] + [PAVEMENT] * 5 + [VOID] + [WATER] * 5
    assert (mask == expected).all()


@pytest.mark.parametrize("column", [10, 11])
@pytest.mark.parametrize("label", [PERSON, POLE, SIGN])
def test_thin_things_outlive_their_borders(column, label):
    labels = np.zeros((40, 40), np.uint8)
    labels[6:30, column : column + 2] = label
    mask = streets.annotate(Image.fromarray(labels))
    assert (mask[3:15] == label).sum(axis=1).tolist() == [1 if column == 10 else 2] * 12
    assert (mask == label).sum(axis=1).max() <= 2


def blank_view(seed=0, size=(96, 96), haze=0.0):
    view = things.View(size, random.Random(seed), (200, 205, 215), haze, 0)
    view.bend, view.centre = 0.002, view.width / 2
    view.picture.paste(BLANK, (0, 0, view.width, view.height))
    view.labels.paste(VOID, (0, 0, view.width, view.height))
    return view


def drawn(view):
    return (np.asarray(view.picture) != BLANK).any(axis=2), np.asarray(view.labels)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("labels", "draw"),
    [
        ({BUILDING}, lambda v, d: things.draw_facade(v, -4, 5, -4, 15, 9, textures.facades()[0], 0.8)),
        ({BUILDING}, lambda v, d: things.draw_facade(v, -4, 20, 9, 20, 9, textures.facades()[1], 0.8)),
        ({TREE}, lambda v, d: things.draw_plant(v, 1, 9, 4, 6, 0.2, textures.bushes("crown")[0], 0.8)),
        ({TREE}, lambda v, d: things.draw_plant(v, 1, 9, 4, 2, 0, textures.bushes("hedge")[0], 0.8)),
        ({PERSON}, lambda v, d: things.draw_person(v, d, 1, 8)),
        ({POLE}, lambda v, d: things.draw_pole(v, d, 1, 8, 3, 1)),
        ({POLE, SIGN}, lambda v, d: things.draw_sign(v, d, 1, 8)),
    ],
)
def test_labels_lie_where_things_are_drawn(seed, labels, draw):
    view = blank_view(seed)
    draw(view, random.Random(seed))
    painted, mask = drawn(view)
    assert set(np.unique(mask)) == labels | {VOID}
    assert ((mask != VOID) == painted).mean() > 0.999
    assert painted.sum() > 50


@pytest.mark.parametrize("seed", range(4))
def test_vehicle_is_labelled_and_its_shadow_is_not(seed):
    view = blank_view(seed)
    things.draw_vehicle(view, random.Random(seed), 0.5, 9, CAR)
    painted, mask = drawn(view)
    assert painted[mask == CAR].all()
    colours, counts = np.unique(np.asarray(view.picture)[painted & (mask == VOID)], axis=0, return_counts=True)
    assert counts.sum() - counts.max() < 0.005 * (mask == CAR).sum()
    assert (colours[counts.argmax()] < np.array(BLANK) // 2 + 8).all()


@pytest.mark.parametrize("seed", range(4))
def test_car_and_boat_are_the_same_drawing(seed):
    views = blank_view(seed), blank_view(seed)
    for view, label in zip(views, (CAR, BOAT), strict=True):
        things.draw_vehicle(view, random.Random(seed), 1, 8, label)
    (a, mask_a), (b, mask_b) = map(drawn, views)
    assert np.array_equal(views[0].picture, views[1].picture)
    assert np.array_equal(mask_a == CAR, mask_b == BOAT)
    assert a.sum() == b.sum() > 200


def test_cars_and_boats_get_the_same_places():
    strips = [(-6, -3, PAVEMENT), (-3, 6, ROAD), (6, 9, PAVEMENT)]
    canal = [(left, right, WATER if label == ROAD else label) for left, right, label in strips]
    cars, boats = (list(streets.vehicles(random.Random(1), s)) for s in (strips, canal))
    assert len(cars) > 2
    for (z, draw, car), (other_z, other_draw, boat) in zip(cars, boats, strict=True):
        assert (z, draw, car[1:3]) == (other_z, other_draw, boat[1:3])
        assert (car[3], boat[3]) == (CAR, BOAT)


def test_cars_stand_on_roads_and_boats_float(scenes):
    above, below = scenes[1][:, :-2], scenes[1][:, 2:]
    for label, own, other in ((CAR, ROAD, WATER), (BOAT, WATER, ROAD)):
        right = ((above == label) & (below == own)).sum()
        wrong = ((above == label) & (below == other)).sum()
        assert right > 3000
        assert wrong < 0.005 * right


def test_insides_of_cars_and_boats_have_the_same_colours(scenes):
    features = {CAR: [], BOAT: []}
    for image, mask in zip(*scenes, strict=True):
        contrast = ndimage.generic_gradient_magnitude(image.mean(0), ndimage.sobel)
        for label, rows in features.items():
            inside = ndimage.binary_erosion(mask == label, iterations=2)
            if inside.sum() > 30:
                rgb = image[:, inside]
                rows.append([*rgb.mean(1), rgb.std(), (rgb.max(0) - rgb.min(0)).mean(), contrast[inside].mean()])
    cars, boats = np.array(features[CAR]), np.array(features[BOAT])
    assert min(len(cars), len(boats)) > 80
    for k in range(cars.shape[1]):
        assert stats.ks_2samp(cars[:, k], boats[:, k]).pvalue > 0.01


def test_near_things_are_drawn_last_and_hide_far_ones(monkeypatch):
    seen = []
    monkeypatch.setattr(things, "draw_vehicle", lambda view, dice, x, z, label: seen.append(z))
    for seed in range(10):
        seen.clear()
        streets.draw_scene(random.Random(seed), (64, 64))
        assert seen == sorted(seen, reverse=True)


def test_haze_pales_with_distance():
    view = blank_view(haze=0.02)
    air = np.array(view.air)
    near, far = (np.abs(np.array(view.seen((20, 20, 20), z)) - air).max() for z in (5, 50))
    assert far / near == pytest.approx(np.exp(-0.02 * 45), abs=0.02)
    veiled = np.asarray(view.veil(Image.new("RGB", (2, 2), (20, 20, 20)), 50, 0.8))
    assert np.abs(veiled.astype(int) - view.seen((20, 20, 20), 50, 0.8)).max() <= 2


@pytest.mark.slow
def test_colour_alone_does_not_solve_it(scenes):
    pixels, labels = scenes[0].transpose(0, 2, 3, 1).reshape(COUNT, -1, 3)[:, ::7], scenes[1].reshape(COUNT, -1)[:, ::7]
    known = labels != VOID
    train, test = known[:150], known[150:]
    tree = DecisionTreeClassifier(min_samples_leaf=20).fit(pixels[:150][train], labels[:150][train])
    right = tree.predict(pixels[150:][test]) == labels[150:][test]
    assert 0.3 < right.mean() < 0.65
