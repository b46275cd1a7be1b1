"""TIFF in its many kinds: the right values, or a refusal that names the file."""

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from seglib.datasets import read_image, read_mask

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (24, 30), dtype=np.uint8)
RGB = RNG.integers(0, 256, (24, 30, 3), dtype=np.uint8)
ID = np.arange(24 * 30).reshape(24, 30)


def test_a_bool_mask_is_what_was_written(tmp_path):
    """F1: tifffile writes bool as WhiteIsZero; Pillow turns it over."""
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, GREY > 99)
    assert tifffile.TiffFile(path).pages[0].photometric.name == "MINISWHITE"
    assert np.array_equal(read_mask(path), GREY > 99)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("values", [GREY > 99, GREY, GREY.astype(np.uint16) * 200], ids=["1", "8", "16"])
def test_where_white_is_zero_masks_keep_their_numbers_and_pictures_their_light(tmp_path, values, packed):
    path, most = tmp_path / "m.tif", 1 if values.dtype == bool else np.iinfo(values.dtype).max
    tifffile.imwrite(path, values, photometric="miniswhite")
    if packed:  # as Pillow's codec has it, for which tifffile wants another package
        with Image.open(path) as image:
            kind = "group4" if values.dtype == bool else "tiff_lzw"
            image.save(tmp_path / "p.tif", compression=kind, tiffinfo={262: 0})
        path = tmp_path / "p.tif"
    assert tifffile.TiffFile(path).pages[0].photometric.name == "MINISWHITE"
    assert np.array_equal(read_mask(path), values)
    light = (most - values.astype(float)) / most
    np.testing.assert_allclose(read_image(path)[1].numpy(), light, atol=1e-6)


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u4", "u8", ">u2", ">i8", ">u4"])
def test_whole_numbers_of_every_type_are_labels(tmp_path, kind):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, (ID % 120).astype(kind))
    assert np.array_equal(read_mask(path), ID % 120)


@pytest.mark.parametrize(("kind", "value"), [("u4", 2**31), ("i8", 2**40), ("u8", 2**63), ("i8", -(2**33))])
def test_labels_beyond_2_31_are_refused(tmp_path, kind, value):
    tifffile.imwrite(tmp_path / "m.tif", np.array([[1, value]], kind))
    with pytest.raises(ValueError, match=r"m\.tif holds u?int\d\d up to"):
        read_mask(tmp_path / "m.tif")


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4"])
def test_fractions_are_refused_by_name(tmp_path, kind):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, (GREY / 255).astype(kind))
    with pytest.raises(ValueError, match=r"m\.tif is a picture of mode F"):
        read_mask(path)
    with pytest.raises(ValueError, match=r"m\.tif has 32 bits"):
        read_image(path)
    tifffile.imwrite(path, GREY * np.complex64(1j))
    with pytest.raises(ValueError, match=r"m\.tif holds complex64"):
        read_mask(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_in_planes_and_both_byte_orders(tmp_path, planar, order):
    path, stored = tmp_path / "c.tif", RGB if planar == "contig" else RGB.transpose(2, 0, 1)
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar, byteorder=order)
    assert torch.equal(read_image(path), torch.from_numpy(RGB.transpose(2, 0, 1).copy()) / 255)
    tifffile.imwrite(path, GREY.astype(f"{order}u2") * 200, byteorder=order)
    np.testing.assert_allclose(read_image(path)[0].numpy(), GREY * (200 / 65535), rtol=1e-6)


def test_overviews_and_masks_of_transparency_are_passed_over_and_pages_are_not(tmp_path):
    """F20: a file with overview pages is one picture, wherever they stand; a stack or an ImageJ series is not."""
    path = tmp_path / "c.tif"
    for pages in ([(RGB, 0), (RGB[::2, ::2], 1)], [(RGB[::2, ::2], 1), (RGB, 0)]):
        with tifffile.TiffWriter(path) as writer:
            for page, kind in pages:
                writer.write(page, subfiletype=kind, photometric="rgb")
        assert torch.equal(read_image(path), torch.from_numpy(RGB.transpose(2, 0, 1).copy()) / 255)
    stack = np.stack([GREY] * 4)
    for options in ({"imagej": True}, {"photometric": "minisblack"}, {"metadata": None, "photometric": "minisblack"}):
        tifffile.imwrite(path, stack, **options)
        for read in (read_image, read_mask):
            with pytest.raises(ValueError, match=r"c\.tif holds 4 pictures"):
                read(path)


@pytest.mark.parametrize(
    ("bands", "options"),
    [
        (5, {"photometric": "minisblack", "planarconfig": "contig"}),
        (3, {"photometric": "minisblack", "planarconfig": "contig"}),
        (6, {"photometric": "rgb"}),
        (4, {"photometric": "rgb", "extrasamples": ["unspecified"]}),  # near infrared, say, and no transparency
        (3, {"photometric": "cielab"}),
    ],
)
def test_other_bands_are_refused_by_name(tmp_path, bands, options):
    tifffile.imwrite(tmp_path / "c.tif", np.dstack([GREY] * bands), **options)
    with pytest.raises(ValueError, match=rf"c\.tif holds 1 pictures, [A-Z]+ in {bands} bands"):
        read_image(tmp_path / "c.tif")


def test_an_opaque_alpha_is_dropped_and_transparency_refused(tmp_path):
    path, alpha = tmp_path / "c.tif", np.full_like(GREY, 255)
    tifffile.imwrite(path, np.dstack([RGB, alpha]), photometric="rgb", extrasamples=["unassalpha"])
    assert torch.equal(read_image(path), torch.from_numpy(RGB.transpose(2, 0, 1).copy()) / 255)
    tifffile.imwrite(path, np.dstack([RGB, GREY]), photometric="rgb", extrasamples=["unassalpha"])
    with pytest.raises(ValueError, match=r"c\.tif is transparent in places"):
        read_image(path)


@pytest.mark.parametrize("bits", [2, 4])
def test_fewer_bits_are_never_scaled_in_silence(tmp_path, bits):
    """Pillow stretches 0..15 to 0..255, which would be other labels."""
    values = (ID % 4).astype(np.uint8)
    packed = np.packbits(np.unpackbits(values[..., None], axis=-1)[..., 8 - bits :].reshape(24, -1), axis=1)
    tifffile.imwrite(tmp_path / "whole.tif", packed)
    content = bytearray((tmp_path / "whole.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "whole.tif") as file:
        for tag, value in ((256, 30), (258, bits)):
            place = file.pages[0].tags[tag].valueoffset
            content[place : place + 2] = value.to_bytes(2, "little")
    (tmp_path / "m.tif").write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.tif can't be read.*imagecodecs"):
        read_mask(tmp_path / "m.tif")


def test_what_tools_pack_is_read(tmp_path):
    path, image = tmp_path / "c.tif", Image.fromarray(RGB)
    for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits", None):
        image.save(path, compression=kind)
        assert torch.equal(read_image(path), torch.from_numpy(RGB.transpose(2, 0, 1).copy()) / 255), kind
    image.save(path, compression="jpeg", quality=95)
    assert abs(read_image(path).numpy() * 255 - np.array(Image.open(path)).transpose(2, 0, 1)).max() < 0.01
    indices = Image.fromarray((ID % 9).astype(np.uint8))
    indices.putpalette([*RGB[:3].tobytes()])
    for kind in ("tiff_lzw", None):
        indices.save(path, compression=kind)
        assert np.array_equal(read_mask(path), ID % 9)
        assert np.array_equal(read_image(path)[:, 0, 1].numpy(), RGB[0, 1].astype(np.float32) / 255)


@pytest.mark.parametrize("content", [b"", b"II*\0", b"<html>", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_tiff_is_named(tmp_path, content):
    (tmp_path / "c.tif").write_bytes(content)
    with pytest.raises(ValueError, match=r"c\.tif can't be read as a picture"):
        read_image(tmp_path / "c.tif")
    with pytest.raises(ValueError, match=r"gone\.tif is missing"):
        read_image(tmp_path / "gone.tif")
