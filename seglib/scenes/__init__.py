"""The course's own pictures: drawn on demand (sample i depends on (seed, i) alone), photos with outlines, volumes."""

from seglib.scenes.cells import Cells
from seglib.scenes.digits import Digits
from seglib.scenes.new_microscope import NewMicroscope
from seglib.scenes.photographs import photo, photo_names, photos
from seglib.scenes.streets import Streets
from seglib.scenes.volumes import stereo_pair, volume

__all__ = ["Cells", "Digits", "NewMicroscope", "Streets", "photo", "photo_names", "photos", "stereo_pair", "volume"]
