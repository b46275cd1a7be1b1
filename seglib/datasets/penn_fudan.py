"""Real pedestrians, told apart: the Penn-Fudan Database."""

from seglib.datasets.fetching import data_root, provide
from seglib.datasets.reading import check_same_size, list_pictures, read_image, read_mask

URL = "https://www.cis.upenn.edu/~jshi/ped_html/PennFudanPed.zip"
ENTRY = r"PennFudanPed/(PNGImages|PedMasks)/(\w+\.png)"  # of the archive


class PennFudan:
    """Pedestrians on two campuses: 170 pictures of 345 people, a mask for each of them.

    The publishers' layout: ``PennFudanPed`` with ``PNGImages/FudanPed00001.png`` and
    ``PedMasks/FudanPed00001_mask.png``, whose values count the people, 0 = none. Boxes and the like are made by
    ``transform=seglib.targets.instances_to_targets``, last in a `transforms.Compose`.

    Wang, Shi, Song, Shen: Object Detection Combining Recognition and Segmentation (2007). The publishers give no
    checksum: a download is as good as the connection, the length and the checksums inside the zip say. Tested on small
    trees of this layout, not on the whole set: the download and the 170 pictures themselves were not tried.

    Parameters
    ----------
    root : path, optional
        Holds ``PennFudanPed``, or is it. By default what the environment variable SEGLIB_DATA names, else the user's
        cache.
    split : {"train", "val", "all"}
        The publishers give no split: here the pictures whose number is a multiple of five are "val" (33 of 170).
    download : bool
        If the set is not there, fetch its archive (54 MB).
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        The set is not there and ``download`` is False; the message says how to get it.
    ValueError
        A picture lacks its mask, or a file is damaged.
    """

    classes = ("background", "pedestrian")

    def __init__(self, root=None, split="train", download=False, *, transform=None):
        if split not in ("train", "val", "all"):
            raise ValueError(f'split is "train", "val" or "all", not {split!r}')
        root = data_root(root)
        if not (folder := root).joinpath("PedMasks").is_dir():
            folder = provide(URL, None, root / "PennFudanPed.zip", ENTRY, root / "PennFudanPed", download)
        images, masks = (list_pictures(folder / name, (".png",)) for name in ("PNGImages", "PedMasks"))
        for name in images:
            if f"{name}_mask" not in masks:
                raise ValueError(
                    f"{folder / 'PedMasks' / name}_mask.png is missing: was the set copied or unpacked completely?"
                )
        self.pairs = [
            (images[name], masks[f"{name}_mask"])
            for name in sorted(images)
            if split in ("all", "val" if name[-1] in "05" else "train")
        ]
        self.transform = transform

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image, instances = read_image(image_path), read_mask(mask_path)
        check_same_size(instances, mask_path, image, image_path)
        sample = {"image": image, "mask": (instances > 0).long(), "instances": instances, "name": image_path.stem}
        return self.transform(sample) if self.transform else sample
