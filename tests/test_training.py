"""The training loop: it learns, repeats itself exactly, and says what is wrong."""

import math

import pytest
import torch
from hostile import Hostile
from squares import QUIET, Squares
from torch import nn

from seglib.losses import dice_loss
from seglib.models import UNet
from seglib.training import evaluate, fit, load, predict_logits, rate_factor, save
from seglib.training.batches import Stream, pixel_batch


def small_net(seed=0, dropout=0.0):
    torch.manual_seed(seed)
    return UNet(1, 2, width=8, depth=2, dropout=dropout)


@pytest.mark.slow
def test_fit_learns_squares():
    net = small_net()
    history = fit(net, Squares(32), Squares(8), steps=60, learning_rate=1e-2, eval_every=20, **QUIET)
    assert history["val_mean_iou"][-1] > 0.95
    assert history["step"] == list(range(1, 61))
    assert history["val_step"] == [20, 40, 60]
    assert sum(history["loss"][-5:]) < 0.3 * sum(history["loss"][:5])


@pytest.mark.slow
def test_same_seed_same_run_to_the_bit_and_other_seed_another():
    def losses(seed, workers=0):
        net = small_net(dropout=0.3)
        return fit(net, Squares(jitter=True), steps=6, seed=seed, workers=workers, **QUIET)["loss"]

    first = losses(1)
    assert losses(1) == first
    assert losses(2) != first


def test_workers_do_not_change_what_is_drawn():
    data = Stream(Squares(jitter=True), seed=3)
    alone = [data[j]["image"] for j in range(10)]
    parallel = torch.utils.data.DataLoader(data, 1, num_workers=2)
    for (j, batch), _ in zip(enumerate(parallel), range(10), strict=False):
        assert torch.equal(batch["image"][0], alone[j])


def test_stream_shows_every_sample_once_an_epoch_in_another_order():
    data = Stream(Squares(8), seed=0)
    first, second = ([data[8 * epoch + j]["name"] for j in range(8)] for epoch in (0, 1))
    assert sorted(first) == sorted(second) == [f"square {i}" for i in range(8)]
    assert first != second


def test_stream_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Stream(Squares(jitter=True), seed=0)[0]
    assert torch.equal(torch.rand(3), expected)


def test_a_draw_leaves_the_gpus_generators_alone(monkeypatch):
    monkeypatch.setattr(torch.cuda, "manual_seed_all", pytest.fail)
    Stream(Squares(jitter=True), seed=0)[0]


@pytest.mark.slow
def test_best_weights_are_kept_when_training_goes_wrong_later():
    """A loss that changes its sign half-way wrecks the network after its best scoring: the best is what remains."""
    calls = []

    def turncoat(logits, mask):
        calls.append(mask)
        sign = 1 if len(calls) < 60 else -1
        return sign * nn.functional.cross_entropy(logits, mask)

    net, data = small_net(), Squares(8)
    options = QUIET | {"steps": 60, "learning_rate": 1e-2, "schedule": "constant", "eval_every": 5}
    history = fit(net, data, data, loss=turncoat, **options)
    assert history["val_mean_iou"][-1] < max(history["val_mean_iou"]) - 0.2
    assert evaluate(net, data, 4)["mean_iou"] == pytest.approx(max(history["val_mean_iou"]))


@pytest.mark.slow
def test_early_stopping_waits_for_patience_scorings():
    net, data = small_net(), Squares(4)
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    net.head.bias.requires_grad_(True)
    history = fit(net, data, data, steps=50, learning_rate=1e-9, eval_every=2, patience=3, **QUIET)
    assert len(history["step"]) < 50
    assert history["val_step"][-1] == history["step"][-1]


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        ("constant", [1, 1, 1]),
        ("cosine", [(1 + math.cos(0.2 * math.pi)) / 2, 0.5, 0]),
        ("poly", [0.8**0.9, 0.5**0.9, 0]),
    ],
)
def test_schedules(schedule, values):
    assert [rate_factor(schedule, done) for done in (0.2, 0.5, 1.0)] == pytest.approx(values)
    assert rate_factor(schedule, 0) < 0.05  # warming up
    assert rate_factor("constant", 0.025) == pytest.approx(0.54)


def test_gradient_clipping_bounds_the_step(monkeypatch):
    """With plain gradient descent in place of AdamW, the step is no longer than learning rate x clip."""
    moved = {}

    class Recorder(torch.optim.SGD):
        def __init__(self, params, lr, weight_decay):
            super().__init__(params, lr=lr)

        def step(self, closure=None):
            moved["norm"] = torch.cat([p.grad.flatten() for g in self.param_groups for p in g["params"]]).norm()

    monkeypatch.setattr("torch.optim.AdamW", Recorder)
    loud = lambda logits, mask: 1e4 * nn.functional.cross_entropy(logits, mask)  # noqa: E731
    fit(small_net(), Squares(4), steps=1, loss=loud, **QUIET)
    assert moved["norm"] == pytest.approx(1, rel=1e-4)


@pytest.mark.slow
def test_class_weights_move_the_decision():
    def share_of_foreground(weights):
        net = small_net()
        fit(net, Squares(16), steps=40, class_weights=weights, **QUIET)
        return (predict_logits(net, Squares()[0]["image"][None]).argmax(1) == 1).float().mean()

    truth = 36 / 256
    assert share_of_foreground([1.0, 200.0]) > truth > share_of_foreground([200.0, 1.0])


def test_pixel_weights_of_the_samples_count():
    class Blind(Squares):
        def __getitem__(self, index):
            sample = super().__getitem__(index)
            return sample | {"weights": torch.zeros(16, 16)}

    history = fit(small_net(), Blind(), steps=2, **QUIET)
    assert history["loss"] == [0, 0]
    history = fit(small_net(), Squares(), steps=1, loss=dice_loss, **QUIET)  # a loss of one's own
    assert 0 < history["loss"][0] < 1


class TwoHeads(nn.Module):
    """Knows class 0 for sure in "out", and nothing in "aux"."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        nothing = x.expand(-1, 2, -1, -1) * 0 + self.bias
        return {"out": nothing + torch.tensor([50.0, 0])[:, None, None], "aux": nothing}


def test_an_auxiliary_head_counts_0_4_and_is_not_the_prediction():
    history = fit(TwoHeads(), Squares(4), steps=1, **QUIET)
    # "out" is off by 50 on the 36 of 256 pixels of class 1; "aux" is at ln 2 everywhere
    assert history["loss"][0] == pytest.approx(50 * 36 / 256 + 0.4 * math.log(2), rel=1e-3)
    assert evaluate(TwoHeads(), Squares(4))["pixel_accuracy"] == pytest.approx(220 / 256)
    assert predict_logits(TwoHeads(), torch.zeros(1, 1, 4, 4))[0, :, 0, 0].tolist() == [50, 0]


@pytest.mark.slow
def test_seconds_end_the_run():
    history = fit(small_net(), Squares(), seconds=0.5, **QUIET)
    assert len(history["step"]) >= 1
    assert history["learning_rate"][-1] <= 2e-3


def test_evaluate_pools_pixels_and_leaves_the_mode_alone():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return torch.cat([torch.ones_like(x), torch.zeros_like(x)], 1) + self.bias

    net = Constant().train()
    scores = evaluate(net, Squares(5), batch_size=2)
    # 36 of 256 pixels are squares; all is called background.
    assert scores["confusion_matrix"].tolist() == [[5 * 220, 0], [5 * 36, 0]]
    assert scores["iou"].tolist() == pytest.approx([220 / 256, 0])
    assert scores["mean_iou"] == pytest.approx(220 / 512)
    assert scores["pixel_accuracy"] == pytest.approx(220 / 256)
    assert net.training


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": []}, "training set is empty"),
        ({"schedule": "step"}, "not 'step'"),
        ({"loss": lambda logits, mask: logits.sum() * float("nan")}, "loss is nan at step 1"),
    ],
)
def test_what_cannot_work_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(small_net(), **({"train": Squares()} | arguments), steps=2, **QUIET)


def test_an_empty_validation_set_and_unequal_pictures_are_named():
    with pytest.raises(ValueError, match="the validation set is empty"):
        fit(small_net(), Squares(), [], steps=2, **QUIET)
    with pytest.raises(ValueError, match="nothing to score, the data set is empty"):
        evaluate(small_net(), [])
    samples = [
        {"image": torch.zeros(1, side, 8), "mask": torch.zeros(side, 8).long(), "name": f"a{side}"} for side in (8, 16)
    ]
    with pytest.raises(ValueError, match=r"unequal size can't share a batch: \(1, 8, 8\) a8, \(1, 16, 8\) a16"):
        fit(small_net(), samples, steps=1, **QUIET)
    with pytest.raises(ValueError, match="unequal size"):
        fit(small_net(), Squares(), samples, steps=1, **QUIET)
    assert fit(small_net(), samples, steps=2, **(QUIET | {"batch_size": 1}))["step"] == [1, 2]


def test_a_batch_of_pixels_holds_no_objects():
    sample = {"image": torch.zeros(1, 2, 2), "mask": torch.zeros(2, 2).long(), "boxes": torch.zeros(3, 4), "name": "a"}
    assert pixel_batch([sample, sample | {"boxes": torch.zeros(1, 4)}]).keys() == {"image", "mask"}


def test_fit_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    net = small_net(dropout=0.5)
    torch.manual_seed(5)
    fit(net, Squares(jitter=True), Squares(2), steps=3, seed=8, **QUIET)
    assert torch.equal(torch.rand(3), expected)


def test_save_and_load_round_trip(tmp_path):
    net, other = small_net(0), small_net(1)
    save(net, tmp_path / "net.safetensors")
    load(other, tmp_path / "net.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), other.state_dict().values(), strict=True))
    assert [f.name for f in tmp_path.iterdir()] == ["net.safetensors"]


def test_load_names_the_file_that_does_not_fit(tmp_path):
    save(small_net(), tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=r"net\.safetensors does not fit this UNet"):
        load(UNet(1, 2, width=4, depth=2), tmp_path / "net.safetensors")


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_load_takes_the_names_of_wrapped_networks(tmp_path, prefix):
    """torch.compile and DataParallel put a word before each name."""
    model = nn.Conv2d(1, 2, 1)
    save({prefix + name: tensor for name, tensor in model.state_dict().items()}, tmp_path / "w.safetensors")
    loaded = load(nn.Conv2d(1, 2, 1), tmp_path / "w.safetensors")
    assert torch.equal(loaded.weight, model.weight)


def test_load_never_runs_code(tmp_path):
    torch.save({"head.weight": Hostile(tmp_path / "broken_in")}, tmp_path / "hostile.pt")
    with pytest.raises(ValueError, match=r"hostile\.pt is no safetensors file"):
        load(small_net(), tmp_path / "hostile.pt")
    assert not (tmp_path / "broken_in").exists()


def test_progress_prints_one_plain_line_where_there_is_no_terminal(capsys):
    fit(small_net(), Squares(), Squares(4), steps=4, batch_size=2, eval_every=2)
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("\n") == 1
    assert captured.out.startswith("training: 4 steps, loss ")
