"""The same loop trains detectors: validated, best weights kept, asked without changing their mode."""

import pytest
import torch
from squares import QUIET, Squares
from torch import nn

from seglib.losses import dice_loss
from seglib.training import detection_batch, evaluate, fit, predict_detector


class OneBox(nn.Module):
    """A detector that learns how wide the squares are; it knows where they begin."""

    def __init__(self):
        super().__init__()
        self.width = nn.Parameter(torch.tensor(2.0))

    def forward(self, images, targets=None):
        if self.training:
            wrong = [self.width - (target["boxes"][:, 2] - target["boxes"][:, 0]) for target in targets]
            return {"loss_width": torch.cat(wrong).abs().mean(), "loss_small": 0.1 * self.width.abs()}
        found = []
        for image in images:
            top, left = divmod(int((image[0] > 0.5).flatten().float().argmax()), 16)
            box = torch.stack(
                [torch.tensor(float(left)), torch.tensor(float(top)), left + self.width, top + self.width]
            )
            found.append({"boxes": box[None], "labels": torch.tensor([1]), "scores": torch.tensor([0.9])})
        return found


class Boxes(Squares):
    def __getitem__(self, index):
        sample = super().__getitem__(index)
        rows, columns = torch.nonzero(sample["mask"], as_tuple=True)
        box = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
        return sample | {"boxes": box[None], "labels": torch.tensor([1])}


DETECTION = QUIET | {"collate": detection_batch}


@pytest.mark.slow
def test_a_detector_is_trained_validated_and_keeps_its_best_weights():
    net = OneBox()
    assert evaluate(net, Boxes(6), collate=detection_batch)["AP"] == 0
    history = fit(net, Boxes(6), Boxes(6), steps=60, learning_rate=0.5, eval_every=10, **DETECTION)
    assert history["val_AP"][-1] > 0.5
    assert history["val_step"] == [10, 20, 30, 40, 50, 60]
    assert len(history["loss_width"]) == len(history["loss_small"]) == len(history["loss"]) == 60
    summed = [a + b for a, b in zip(history["loss_width"], history["loss_small"], strict=True)]
    assert summed == pytest.approx(history["loss"])
    assert evaluate(net, Boxes(6), collate=detection_batch)["AP"] == max(history["val_AP"])
    with pytest.raises(ValueError, match="brings its own losses"):
        fit(OneBox(), Boxes(6), steps=1, loss=dice_loss, **DETECTION)


def test_a_detector_asked_halfway_is_in_the_mode_it_was_in():
    net = OneBox().train()
    answers = predict_detector(net, Boxes(6), batch_size=2)
    assert next(answers).keys() == {"boxes", "labels", "scores"}
    assert net.training  # though the rest was never read
    broken = predict_detector(net, [{"image": None}])
    with pytest.raises(AttributeError):
        next(broken)
    assert net.training
    assert len(list(predict_detector(net.eval(), Boxes(5), batch_size=2))) == 5
    assert not net.training
