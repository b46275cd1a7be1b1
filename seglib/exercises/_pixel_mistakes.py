"""What the usual mistakes give in lesson 05: slopes by hand, folds, and the step with bugs."""

from functools import partial
from itertools import product

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from seglib.exercises import NotYet


def wrong_slopes(W1, W2, x, true_class):
    """The reason -> the slopes (of W1, of W2) that a wrong way back gives."""
    a = W1 @ x
    h = np.maximum(a, 0)
    p = np.exp(W2 @ h) / np.exp(W2 @ h).sum()
    y = np.eye(len(p))[true_class]
    e, straight = np.exp(W2 @ h), np.exp(W2 @ a) / np.exp(W2 @ a).sum()

    def back(slope_z, through, gate, h=h):
        return np.outer((W2.T @ (slope_z if through else p)) * gate, x), np.outer(slope_z, h)

    return {
        "the signs are turned round: a logit's slope is `p - y`, not `y - p` (rule 1)": back(y - p, True, a > 0),
        "the true class is missing in a logit's slope: `p - y`, where y is 1 for it (rule 1)": back(p, True, a > 0),
        "the slope of a logit is taken from the logit. It is `p - y`, with softmax (rule 1)": back(
            W2 @ h - y, True, a > 0
        ),
        "a shut ReLU lets no slope through: 0 where it gave 0 (rule 3)": back(p - y, True, 1),
        "ReLU passes a slope on as it is; you multiply it with the number that went through (rule 3)": back(
            p - y, True, h
        ),
        "into W2 goes h, after ReLU, not what stood before it (rule 4)": back(p - y, True, a > 0, a),
        "a ReLU that gave exactly 0 lets no slope through either: `a > 0`, not `a >= 0` (rule 3)": back(
            p - y, True, a >= 0
        ),
        "softmax lacks its division by the sum: p has to add up to 1": back(e - y, True, a > 0),
        "p is made from the logits by softmax, not by one sigmoid for each (rule 1)": back(
            1 / (1 + 1 / e) - y, True, a > 0
        ),
        "the way forward leaves out ReLU: `h = np.maximum(a, 0)`": back(straight - y, True, a > 0, a),
        "the way forward leaves out ReLU, and so does the way back": back(straight - y, True, 1, a),
        "you go back from p_t alone. A logit's slope is `p - y`, which has softmax and logarithm in it (rule 1)": back(
            -y / p, True, a > 0
        ),
        "the slopes are divided by the number of classes. The loss is that of one pixel, no mean over classes": back(
            (p - y) / len(p), True, a > 0
        ),
        **{
            f"y is 1 for class {other}. The true class is {true_class} (rule 1)": back(
                p - np.eye(len(p))[other], True, a > 0
            )
            for other in range(len(p))
            if other != true_class
        },
    }


def expect_slopes(name, got, want, wrong):
    """Raise NotYet unless `got` is the pair of arrays `want`."""
    if not isinstance(got, tuple | list) or len(got) != 2 or any(not isinstance(part, np.ndarray) for part in got):
        raise NotYet(f"{name} must give two NumPy arrays: the slopes of W1, and those of W2.")
    if all(np.shape(a) == b.shape and np.allclose(a, b) for a, b in zip(got, want[::-1], strict=True)):
        raise NotYet(f"{name} gives the right slopes in the wrong order: first those of W1, then those of W2.")
    shapes, right = [part.shape for part in got], [part.shape for part in want]
    if shapes != right:
        turned = shapes == [shape[::-1] for shape in right]
        advice = "Rows and columns are swapped" if turned else "One slope for every weight is wanted"
        raise NotYet(f"{name} gives shapes {shapes}, wanted {right}. {advice}.")
    if all(np.allclose(*pair, atol=1e-6) for pair in zip(got, want, strict=True)):
        return
    for why, parts in wrong.items():
        if all(np.allclose(*pair, atol=1e-6) for pair in zip(got, parts, strict=True)):
            raise NotYet(f"In {name}, {why}.")
    first, second = (np.allclose(*pair, atol=1e-6) for pair in zip(got, want, strict=True))
    if second:
        advice = "the slopes of W2 are right, and with them p - y; those of W1 are not. Look at rules 2 and 3"
    elif first:
        advice = "the slopes of W1 are right; those of W2 are not. Into W2 goes h, and it feeds the logits (rule 4)"
    else:
        advice = "the slopes of W1 and of W2 are not right. Print h and p - y, and go back from there"
    raise NotYet(f"In {name}, {advice}.")


def judge_folds(call, folds, groups, k):
    """Raise NotYet unless `folds(groups, k)` splits tiles without a leak, and pictures evenly."""
    got = list(folds(groups, k))
    if len(got) != k or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in got):
        raise NotYet(f"`{call}` must give {k} pairs (training places, validation places).")
    pairs = [tuple(np.asarray(side) for side in pair) for pair in got]
    if any(side.ndim != 1 or (len(side) and side.dtype.kind not in "iu") for pair in pairs for side in pair):
        raise NotYet("Each side of a pair is a one-dimensional array of places: whole numbers from 0.")
    everywhere = set(range(len(groups)))
    if all(set(train.tolist()) ^ set(val.tolist()) == set(groups.tolist()) for train, val in pairs):
        raise NotYet(
            f"`{call}` holds the names of pictures. Wanted are the places of tiles: `np.flatnonzero` finds them."
        )
    if outside := {int(place) for pair in pairs for side in pair for place in side} - everywhere:
        raise NotYet(f"`{call}`: there are no places {sorted(outside)}; they run from 0 to {len(groups) - 1}.")
    names = np.unique(groups).tolist()
    sizes = [len({names.index(groups[place]) for place in val}) for _, val in pairs]
    validated = np.sort(np.concatenate([val for _, val in pairs]))
    each_once = np.array_equal(validated, np.arange(len(groups)))
    if not np.array_equal(validated, sorted(everywhere)) and sorted(
        place for train, _ in pairs for place in train
    ) == sorted(everywhere):
        raise NotYet(f"`{call}`: training and validation are swapped. A pair is (training places, validation places).")
    uneven = f"`{call}`: the folds validate on {sizes} pictures. They should be spread evenly: {_even(len(names), k)}."
    for number, (train, val) in enumerate(pairs, start=1):
        if len(val) == 0:
            counted = names != list(range(len(names)))
            why = f"The pictures are called {names}: did you count on 0, 1, 2, ...?" if counted else "Spread them."
            raise NotYet(uneven if each_once else f"`{call}`: fold {number} has no tile to validate. {why}")
        train, val = train.tolist(), val.tolist()
        if both := set(train) & set(val):
            raise NotYet(f"In fold {number}, tiles {sorted(both)} are in training and in validation.")
        if both := {names.index(groups[place]) for place in train} & {names.index(groups[place]) for place in val}:
            shared = [names[which] for which in sorted(both)]
            raise NotYet(
                f"In fold {number}, tiles of the pictures {shared} stand on both sides: a leak. Split the pictures, "
                "and let their tiles follow."
            )
        if len(set(train)) < len(train):
            twice = sorted({place for place in train if train.count(place) > 1})
            raise NotYet(f"`{call}`: in fold {number}, the tiles {twice} are in training more than once.")
    if not each_once:
        raise NotYet(f"Every tile must be in validation exactly once over the folds; yours are {validated.tolist()}.")
    for number, (train, val) in enumerate(pairs, start=1):
        if left := everywhere - set(train.tolist()) - set(val.tolist()):
            raise NotYet(
                f"`{call}`: in fold {number}, the tiles {sorted(left)} are in neither. All that are not in validation "
                "train, those of other folds before it and after it."
            )
    if max(sizes) - min(sizes) > 1:
        raise NotYet(uneven)


def _even(pictures, k):
    return [len(range(number, pictures, k)) for number in range(k)]


def after_steps(step):
    """What three steps of a small network return, its state after them, and what was called, in order."""
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    images, masks = torch.randn(4, 1, 6, 6), torch.randint(0, 2, (4, 6, 6))
    masks[0, :2] = 255
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    net.eval()
    calls = []

    def noted_forward(net, given, _):
        calls.append("predict" if net.training else "predict in evaluation")
        if given[0].shape != images.shape or not torch.equal(given[0], images):
            calls.append("other images")

    net.register_forward_hook(noted_forward)
    net[0].weight.register_hook(lambda slope: calls.append("backward"))
    for owner, name in ((net, "zero_grad"), (optimizer, "zero_grad"), (optimizer, "step")):
        _noted(owner, name, calls)
    values = [step(net, images, masks, optimizer) for _ in range(3)]
    return values, {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}, calls


def _noted(owner, name, calls):
    method = getattr(owner, name)

    def noted(*args, **kwargs):
        calls.append(name)
        return method(*args, **kwargs)

    setattr(owner, name, noted)


BUGS = (
    "Slopes of earlier steps are still there and add up: `optimizer.zero_grad()` is missing.",
    "There is a softmax before the cross-entropy, which applies its own: pass logits.",
    "Batch norm is in evaluation mode; in training it must use the batch's mean: `net.train()`.",
)
VOID = {
    "Void (255) in the mask is taken for a class: `ignore_index=255`, no `clamp`.": lambda masks: masks.clamp(max=1),
    "Void (255) in the mask becomes background. Nobody knows what is there: tell the loss to ignore it.": (
        lambda masks: masks % 255
    ),
}


def _with_bugs(zero, logits, train, change):
    """The step with the bugs of `BUGS` whose argument is False; `change` is what happens to the masks."""

    def step(net, images, masks, optimizer):
        net.train(train)
        scores = net(images) if logits else net(images).softmax(1)
        loss = F.cross_entropy(scores, change(masks), ignore_index=255)
        if zero:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


_cross_entropy = partial(F.cross_entropy, ignore_index=255)
LOSSES = {  # what is wrong -> the loss (of logits and masks) that it makes
    "The loss is a sum over pixels. The mean is wanted: steps must not grow with the pictures.": (
        lambda z, masks: _cross_entropy(z, masks, reduction="sum")
    ),
    "The mean divides by all pixels, void ones too: divide by the number of those that count.": (
        lambda z, masks: _cross_entropy(z, masks, reduction="sum") / masks.numel()
    ),
    "A softmax over columns (the last axis) is no softmax over classes, and cross-entropy has its own: pass logits.": (
        lambda z, masks: _cross_entropy(z.softmax(-1), masks)
    ),
    "`log_softmax` runs over columns (the last axis). Classes are axis 1; cross-entropy has its own: pass logits.": (
        lambda z, masks: _cross_entropy(z.log_softmax(-1), masks)
    ),
    "There is a sigmoid before the cross-entropy, which applies its own softmax: pass logits.": (
        lambda z, masks: _cross_entropy(z.sigmoid(), masks)
    ),
    "`nll_loss` wants logarithms of probabilities; it gets logits. `F.cross_entropy` takes these.": (
        lambda z, masks: F.nll_loss(z, masks, ignore_index=255)
    ),
    "`nll_loss` wants logarithms of probabilities; it gets probabilities. `F.cross_entropy` takes logits.": (
        lambda z, masks: F.nll_loss(z.softmax(1), masks, ignore_index=255)
    ),
    "The loss has the wrong sign: the step goes uphill.": lambda z, masks: -_cross_entropy(z, masks),
}


def _with_loss(loss):
    def step(net, images, masks, optimizer):
        net.train()
        value = loss(net(images), masks)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()

    return step


def alike(state, other, atol=1e-5):
    return all(torch.allclose(state[name], other[name], atol=atol) for name in other)


def explain_step(state, calls, right):
    """Raise NotYet with the reason why `state` is not the `right` one, by what was called and by what bugs give."""
    start = after_steps(lambda *args: 0.0)[1]
    moved = not torch.equal(state["0.weight"], start["0.weight"])
    if "step" not in calls:
        if moved:
            raise NotYet("The weights move, but `optimizer`, which is given, takes no step. Make none of your own.")
        raise NotYet("After three steps no weight has moved: nobody calls `optimizer.step()`.")
    if "backward" not in calls:
        raise NotYet("No weight gets a slope: nobody calls `backward()` on the loss.")
    first = calls[: calls.index("step") + 1]
    if "backward" not in first:
        raise NotYet(
            "`optimizer.step()` comes before `backward()`: it uses slopes that are not there yet, or old ones."
        )
    if "zero_grad" in first[first.index("backward") :]:
        raise NotYet(
            "`zero_grad()` stands between `backward()` and `optimizer.step()`: the new slopes are thrown away before "
            "they are used."
        )
    predicted = sum(call.startswith("predict") for call in calls)
    learned = [name for name in right if name.endswith(("weight", "bias"))]
    if alike(state, {name: right[name] for name in learned}) and predicted != 3:
        raise NotYet(
            f"The weights move rightly, but three steps call the network {predicted} times, and each call in training "
            "moves batch norm's running means. Call it once a step; return the loss whose slopes you used."
        )
    if "other images" in calls:
        raise NotYet("The network does not get `images` as they are given: the whole batch at once, unchanged.")
    if predicted != 3:
        raise NotYet(f"Three steps call the network {predicted} times. Call it once a step.")
    if calls.count("step") != 3:
        raise NotYet(
            f"In three calls `optimizer.step()` runs {calls.count('step')} times. One step for each is wanted."
        )
    if calls.count("backward") != 3:
        raise NotYet(
            f"In three calls `backward()` runs {calls.count('backward')} times, and the slopes of each are added. "
            "Call it once a step."
        )
    if "predict in evaluation" in calls and "predict" in calls:
        raise NotYet("The first step predicts in evaluation mode: `net.train()` has to come before `net(images)`.")
    changes = {"": lambda masks: masks} | VOID
    for *fine, void in product((True, False), (True, False), (True, False), changes):
        if alike(state, after_steps(_with_bugs(*fine, changes[void]))[1]):
            bugs = [bug for bug, right_here in zip(BUGS, fine, strict=True) if not right_here]
            raise NotYet(" ".join(filter(None, [*bugs, void])))
    for why, loss in LOSSES.items():
        if alike(state, after_steps(_with_loss(loss))[1]):
            raise NotYet(why)
    raise NotYet("After three steps the weights are not those of a right step. Keep the mean cross-entropy as loss.")
