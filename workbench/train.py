"""Train a network and keep the run in a folder.

There are its config, checkpoints, weights, curves as CSV and for TensorBoard, sample predictions. All pictures and
masks are read before it begins. Without val/ in a folder, every fifth picture of train/, or of all, is held back to
score on: whole, in tiles of 256 px, 256 at most (mask_rcnn, nuclei and dsb2018: the pictures' middles). `accelerate
launch -m workbench train ...` takes several processes, GPUs or machines; --batch-size is that of all together.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path

from workbench.options import OPTIONS, add_options, positive, said

NAMES = "unet", "fcn", "segnet", "pspnet", "deeplab", "mask_rcnn", "nuclei"
LOSSES = ("cross-entropy", "dice", "focal", "lovasz", "tversky")
AUGMENTS = ("none", "flips", "photo", "microscope")
PASSING = ("command", "config", "out", "workers", "resume", *OPTIONS)  # arguments that config.json does not hold
BACKBONE_SHARE = 0.2  # of the learning rate, for a pretrained backbone, as measured on CamVid


def add_parser(subparsers):
    """Add ``train`` to the command line."""
    parser = subparsers.add_parser("train", help="train a network", description=__doc__)
    add, default = parser.add_argument, "default: %(default)s"
    add("--model", choices=NAMES, required=True, help="see `seglib models`")
    add("--data", required=True, help="your folder, or dsb2018, camvid, voc, oxford_pets, cells (generated)")
    add("--out", required=True, help="folder of the run")
    add("--config", metavar="FILE", help="options from YAML, or a run's config.json; those given here come first")
    add("--weights", help="begin with a run's weights (same network, as many classes), or with those of nuclei")
    add("--backbone", choices=("efficientnet_lite0",), help="for unet, fcn, pspnet, deeplab")
    add("--pretrained", action="store_true", help="begin with the backbone's ImageNet weights")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive, default=2000, help=f"length of the run ({default})")
    length.add_argument("--epochs", type=positive, help="length of the run in rounds through the training pictures")
    length.add_argument("--seconds", type=float, help="length of the run by the clock, reading and scoring included")
    add("--patience", type=positive, help="stop after so many scorings without a better one")
    add("--batch-size", type=positive, default=16, help=default)
    add("--learning-rate", type=float, default=2e-3, help=f"{default}; of a pretrained backbone a fifth of it")
    add("--head-rate", type=float, help="learning rate of all but the backbone, which then keeps --learning-rate")
    add("--loss", choices=LOSSES, default="cross-entropy", help=default)
    add("--class-weights", help="of the cross-entropy: none, sqrt (default from 3 classes on), median, or as 1,5,5")
    add("--crop", type=positive, default=128, help=f"side of the training crops ({default})")
    add("--size", type=positive, help="reduce pictures by a whole number until no side is longer, here and in predict")
    add("--augment", choices=AUGMENTS, help="photo: light, scale, left and right (default); microscope: turns too")
    add("--seed", type=int, default=0)
    add("--eval-every", type=positive, default=100, help=f"steps from one scoring to the next ({default})")
    add_options(parser)
    add("--device", help="cpu, cuda, cuda:1 or mps; by default a GPU if there is one")
    add("--workers", type=int, default=1, help=f"processes that load pictures ({default})")
    add("--resume", action="store_true", help="go on from the last checkpoint, if there is one; more --steps: longer")


def run(arguments):
    """Train; return the exit status."""
    begun_at = time.monotonic()
    choose_device(arguments.device)
    import torch

    from seglib.training import best_device, detection_batch, fit
    from workbench.learning import Loss, scoring_time
    from workbench.networks import DETECTORS, build, check_fit, load_run
    from workbench.processes import rank_and_size
    from workbench.run import Run
    from workbench.sets import training_sets

    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        from accelerate import PartialState

        PartialState(cpu=best_device().type == "cpu")  # meets the others that accelerate launch or torchrun started
    begun, before = load_run(arguments.weights) if arguments.weights else (None, {"grey": False})
    model, data, detector = arguments.model, arguments.data, arguments.model in DETECTORS
    looks = model, arguments.augment, arguments.size
    train, val, facts = training_sets(data, arguments.crop, said(arguments), before["grey"], *looks)
    arguments.steps = None if arguments.epochs or arguments.seconds else arguments.steps
    config = {name: value for name, value in vars(arguments).items() if name not in PASSING} | facts
    if begun is not None:
        check_fit(before, config)
    if detector and not facts["objects"]:
        raise ValueError(f"{model} learns single objects; {data} has classes of pixels alone, or pass --numbered")
    if detector and (arguments.loss != "cross-entropy" or arguments.class_weights):
        raise ValueError(f"{model} brings its own losses: --loss and --class-weights are for the others")
    loss = None if detector else Loss(arguments.loss, arguments.class_weights, facts["classes"], train)
    learning = {"collate": detection_batch} if detector else {"loss": loss}
    learning |= {name: getattr(arguments, name) for name in ("batch_size", "eval_every", "patience", "seed", "workers")}
    torch.manual_seed(arguments.seed)
    network = begun or build(config, "imagenet" if arguments.pretrained else None)
    rate, share = rates(arguments, network)
    steps = arguments.steps
    if arguments.epochs:
        steps = -(-arguments.epochs * len(train) // arguments.batch_size)
    left, until, scoring = None, None, 0.0
    if arguments.seconds:
        scoring = scoring_time(network.to(best_device()), val, arguments.batch_size, loss, detector)
        until = begun_at + arguments.seconds
        left = max(until - time.monotonic() - scoring, 1e-3)
    told = partial(show, network, val, loss, arguments, begun_at)
    kept = Run(arguments.out, config, arguments.eval_every, arguments.resume, told, until, scoring)
    learning |= {"progress": rank_and_size()[0] == 0, "run": kept}
    try:
        fit(network, train, val, steps=steps, seconds=left, learning_rate=rate, backbone_rate=share, **learning)
    except ValueError as error:
        if "more than 1 value per channel" in str(error):
            cause = f"batch norm of {model} meets a single value a channel"
            raise ValueError(f"{cause}: take a larger --batch-size or --crop") from error
        raise
    kept.close()
    return 0


def choose_device(name):
    """Have `best_device` choose this one. Raises ValueError if it is not there."""
    if name == "cpu":
        os.environ["ACCELERATE_USE_CPU"] = "true"
    if name in (None, "cpu"):
        return
    import torch

    kind, _, number = name.partition(":")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind) or (number and int(number) >= torch.cuda.device_count()):
        raise ValueError(f"--device is {name}; this machine has cpu {' '.join(key for key in there if there[key])}")
    os.environ.pop("ACCELERATE_USE_CPU", None)
    if number:
        torch.cuda.set_device(int(number))


def rates(arguments, network):
    """(the learning rate, the backbone's share of it). Raises ValueError where there is no backbone."""
    if arguments.head_rate is None:
        return arguments.learning_rate, BACKBONE_SHARE if arguments.pretrained else 1.0
    if getattr(network, "backbone", None) is None:
        raise ValueError("--head-rate is for a network with a --backbone")
    return arguments.head_rate, arguments.learning_rate / arguments.head_rate


def show(network, val, loss, arguments, begun_at, step, record, waited):
    """After a scoring: draw samples, and say what a reader of the log should know."""
    from seglib.progress import in_notebook
    from workbench.learning import draw_samples

    draw_samples(network, val, Path(arguments.out, "samples", f"step_{step:06}.png"))
    if not (sys.stderr.isatty() or in_notebook()):
        told = next(name for name in record["scored"] if name not in ("val_step", "val_loss"))
        score, best, last = record["scored"][told][-1], record["best"]["score"], record["history"]["loss"][-1]
        spent = f"{time.monotonic() - begun_at:.0f} s"
        print(f"step {step}: loss {last:.3f}, {told} {score:.3f} (best {best:.3f}), {spent}", flush=True)
    missing = loss.never_predicted() if loss else []
    if missing:
        print(f"step {step}: never predicted: {', '.join(missing)}", flush=True)
    if waited > 0.5:
        hint = f"more --workers (now {arguments.workers}) or a smaller --size helps"
        print(f"step {step}: waiting for pictures took {waited:.0%} of the time: {hint}", flush=True)
