import numpy as np
import pytest
import torch
from picture_files import colours, labels, save
from PIL import Image

from seglib.datasets import read_image, read_mask


def test_eight_bit_colour_and_grey(tmp_path):
    array = colours()
    image = read_image(save(tmp_path / "a.png", array))
    assert image.dtype == torch.float32
    assert image.shape == (3, 8, 10)
    assert torch.equal(image, torch.from_numpy(array).permute(2, 0, 1) / 255)
    grey = read_image(save(tmp_path / "b.png", array[..., 0]))
    assert torch.equal(grey, image[:1].expand(3, -1, -1))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_by_their_range(tmp_path, suffix):
    array = np.array([[0, 1, 256], [1000, 32768, 65535]], np.uint16)
    image = read_image(save(tmp_path / f"a.{suffix}", array))
    np.testing.assert_allclose(image.numpy(), np.stack([array / 65535] * 3), rtol=1e-6)


def test_bilevel_and_palette_images_show_their_colours(tmp_path):
    bilevel = read_image(save(tmp_path / "a.png", np.array([[True, False]])))
    assert bilevel[0].tolist() == [[1, 0]]
    palette = read_image(save(tmp_path / "b.png", np.array([[0, 1, 2]], np.uint8), mode="P"))
    np.testing.assert_allclose(palette[:, 0].numpy(), np.eye(3) * 200 / 255, rtol=1e-6)


def test_an_alpha_channel_that_hides_nothing_is_dropped(tmp_path):
    array = colours(channels=4)
    array[..., 3] = 255
    image = read_image(save(tmp_path / "a.png", array))
    assert torch.equal(image, torch.from_numpy(array[..., :3]).permute(2, 0, 1) / 255)
    grey = read_image(save(tmp_path / "b.png", array[..., 2:]))  # LA
    assert torch.equal(grey[1], torch.from_numpy(array[..., 2]) / 255)


def test_transparent_places_are_refused(tmp_path):
    array = colours(channels=4)
    array[..., 3] = 255
    array[2, 3, 3] = 40
    with pytest.raises(ValueError, match=r"a\.png is transparent in places \(alpha 40"):
        read_image(save(tmp_path / "a.png", array))
    palette = np.array([[0, 1, 2]], np.uint8)
    with pytest.raises(ValueError, match=r"b\.png is transparent"):
        read_image(save(tmp_path / "b.png", palette, mode="P", transparency=1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_respected(tmp_path, orientation):
    """A phone stores the sensor's rows and says how to turn them: compare with the definition of the tag."""
    upright = np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3, 1) * 40, 3, axis=2)
    stored = {  # what is stored so that the tag's turn shows the picture upright
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", np.ascontiguousarray(stored), exif=exif)
    np.testing.assert_array_equal((read_image(path)[0] * 255).round().numpy(), upright[..., 0])


def test_masks_of_all_kinds(tmp_path):
    array = labels(highest=2)
    expected = torch.from_numpy(array.astype(np.int64))
    for name, values, mode in (
        ("grey.png", array, None),
        ("palette.png", array, "P"),
        ("deep.png", array.astype(np.uint16) * 20000, None),
        ("deep.tif", array.astype(np.uint16) * 20000, None),
        ("flat.bmp", array, None),
    ):
        mask = read_mask(save(tmp_path / name, values, mode=mode))
        assert mask.dtype == torch.int64
        assert torch.equal(mask, expected * 20000 if "deep" in name else expected), name
    bilevel = read_mask(save(tmp_path / "bilevel.png", array > 0))
    assert torch.equal(bilevel, (expected > 0).long())


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_coded_masks_are_refused(tmp_path, channels):
    path = save(tmp_path / "m.png", colours(channels=channels))
    with pytest.raises(ValueError, match=r"m\.png is a picture of mode RGB.*one channel.*class index"):
        read_mask(path)


def test_fractions_and_unknown_ranges_are_refused(tmp_path):
    path = save(tmp_path / "f.tif", np.array([[0.5, 1.0]], np.float32))
    with pytest.raises(ValueError, match=r"f\.tif is a picture of mode F.*whole numbers"):
        read_mask(path)
    with pytest.raises(ValueError, match=r"f\.tif has 32 bits"):
        read_image(path)
    with pytest.raises(ValueError, match=r"i\.tif has 32 bits"):
        read_image(save(tmp_path / "i.tif", np.array([[1, 70000]], np.int32)))


def test_a_stack_of_pictures_is_refused_but_not_a_phone_s_preview(tmp_path):
    pages = [Image.fromarray(colours()) for _ in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=r"stack\.tif holds 3 pictures"):
        read_image(tmp_path / "stack.tif")
    pages[0].save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=pages[1:])
    assert Image.open(tmp_path / "phone.jpg").format == "MPO"
    assert read_image(tmp_path / "phone.jpg").shape == (3, 8, 10)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp"])
def test_cut_off_and_damaged_files_are_named(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", colours(40, 40))
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 3, len(whole) - 60):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=rf"a\.{suffix} (can't be read|is damaged or cut off)"):
            read_image(path)
    path.write_text("<html>404 not found</html>")
    with pytest.raises(ValueError, match=rf"a\.{suffix} can't be read as a picture"):
        read_image(path)
