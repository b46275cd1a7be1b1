"""Pictures that are in a set twice, to the byte or nearly."""

import torch

NEAR = 4  # of 64 bits of the difference hash


def find_twins(pictures):
    """Yield (picture, earlier picture, distance) of pictures that were there before; distance is None for equal files.

    A picture is told of once for its own split and once for the others, with the most similar one there; equal files
    come before similar ones. Similar are pictures whose hashes differ in at most NEAR bits.

    Parameters
    ----------
    pictures : list
        Each with "split", "digest" and "bits", bool (64,) or None.
    """
    first, equal = {}, set()  # {digest: {split: picture}}; (position, whether of the same split)
    for position, picture in enumerate(pictures):
        seen = first.setdefault(picture.digest, {})
        for split, twin in seen.items():
            if (position, split == picture.split) not in equal:
                equal.add((position, split == picture.split))
                yield picture, twin, None
        seen.setdefault(picture.split, picture)
    for position, twin, distance in _similar(pictures):
        picture = pictures[position]
        if (position, twin.split == picture.split) not in equal:
            yield picture, twin, distance


def _similar(pictures):
    """Yield (position, earlier picture, distance): the nearest of its split and the nearest of the other splits."""
    places = [position for position, picture in enumerate(pictures) if picture.bits is not None]
    if not places:
        return
    signs = torch.stack([pictures[position].bits for position in places]).float() * 2 - 1
    names = sorted({picture.split for picture in pictures})
    splits = torch.tensor([names.index(pictures[position].split) for position in places])
    for row in range(1, len(places)):
        distances = (64 - signs[:row] @ signs[row]) / 2
        own = splits[:row] == splits[row]
        for among in (own, ~own):
            distance, nearest = torch.where(among, distances, torch.inf).min(0)
            if distance <= NEAR:
                yield places[row], pictures[places[nearest]], int(distance)
