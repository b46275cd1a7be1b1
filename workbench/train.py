"""``seglib train``: the course's training loop for real runs, which are kept, go on, and use many processes."""

import os
import sys
import time
from functools import partial
from pathlib import Path

from workbench.options import add_options, said

NAMES = "unet", "fcn", "segnet", "pspnet", "deeplab", "mask_rcnn", "nuclei"
LOSSES = ("cross-entropy", "dice", "focal", "lovasz", "tversky")
AUGMENTS = ("none", "flips", "photo", "microscope")
ARGUMENTS = (
    *("data", "weights", "steps", "epochs", "seconds", "batch_size", "learning_rate", "head_rate", "seed", "crop"),
    *("size", "augment", "loss", "class_weights", "backbone", "pretrained", "patience", "eval_every", "device"),
)

BACKBONE_SHARE = 0.2  # of the learning rate, for a pretrained backbone, as measured on CamVid


def add_parser(subparsers):
    """Add ``train`` to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a network",
        description="Train a network and keep the run in a folder: config, checkpoints, weights, curves as CSV and "
        "for TensorBoard, sample predictions. All pictures and masks are read before it begins. While it trains, the "
        "network is scored on the held-back pictures, whole, in tiles of 256 px (256 of them at most, evenly spread; "
        "mask_rcnn, nuclei and dsb2018: on the pictures' middles). Start it with `accelerate launch -m workbench train "
        "...` to use several processes, GPUs or machines; --batch-size is that of all together.",
    )
    parser.add_argument("--model", choices=NAMES, required=True, help="see `seglib models`")
    parser.add_argument(
        "--data",
        required=True,
        help="your folder, or dsb2018, camvid, voc, oxford_pets, cells (generated). Without val/ in a folder, every "
        "fifth picture of train/, or of all, is held back to score on",
    )
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="options from a file, YAML or JSON, such as a run's config.json; those given beside it go first",
    )
    parser.add_argument(
        "--weights",
        help="begin with the weights of another run of the same network and as many classes, or with those of nuclei, "
        "in place of random ones; pictures are made grey where those were",
    )
    parser.add_argument("--backbone", choices=("efficientnet_lite0",), help="for unet, fcn, pspnet, deeplab")
    parser.add_argument("--pretrained", action="store_true", help="begin with the backbone's ImageNet weights")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive, default=2000, help="length of the run (default: %(default)s)")
    length.add_argument("--epochs", type=positive, help="length of the run in rounds through the training pictures")
    length.add_argument("--seconds", type=float, help="length of the run by the clock, reading and scoring included")
    parser.add_argument("--patience", type=positive, help="stop after so many scorings without a better one")
    parser.add_argument("--batch-size", type=positive, default=16, help="default: %(default)s")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="default: %(default)s")
    parser.add_argument(
        "--head-rate",
        type=float,
        help="the learning rate of all but the backbone, which keeps --learning-rate (a pretrained one has a fifth of "
        "it unless this is given)",
    )
    parser.add_argument("--loss", choices=LOSSES, default="cross-entropy", help="default: %(default)s")
    parser.add_argument(
        "--class-weights",
        help="of the cross-entropy: none, sqrt or median (frequency balancing), or a number a class, 1,5,5; by default "
        "sqrt where there are more than two classes",
    )
    parser.add_argument("--crop", type=positive, default=128, help="side of the training crops (default: %(default)s)")
    parser.add_argument(
        "--size",
        type=positive,
        help="reduce pictures, by a whole number, until no side is longer; predict does the same",
    )
    parser.add_argument(
        "--augment",
        choices=AUGMENTS,
        help="photo: light, scale, left and right (default); microscope: light, scale, bending, flips and turns; flips "
        "alone; or none",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--eval-every", type=positive, default=100, help="steps from one scoring to the next (default: %(default)s)"
    )
    add_options(parser)
    parser.add_argument("--device", help="cpu, cuda, cuda:1 or mps; by default a GPU if there is one")
    parser.add_argument("--workers", type=int, default=1, help="processes that load pictures (default: %(default)s)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the run's last checkpoint, if there is one; with more --steps it gets longer",
    )


def positive(text):
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def run(arguments):
    """Train; return the exit status."""
    begun_at = time.monotonic()
    choose_device(arguments.device)
    import torch

    from seglib.training import best_device, detection_batch, fit
    from workbench.learning import Loss, scoring_time
    from workbench.networks import DETECTORS, build, check_fit, load_run
    from workbench.processes import join, rank_and_size
    from workbench.run import Run
    from workbench.sets import training_sets

    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        join(best_device())
    begun, before = load_run(arguments.weights) if arguments.weights else (None, {"grey": False})
    detector = arguments.model in DETECTORS
    train, val, facts = training_sets(
        arguments.data,
        arguments.crop,
        said(arguments),
        before["grey"],
        arguments.model,
        arguments.augment,
        arguments.size,
    )
    config = {"model": arguments.model, **facts} | {name: getattr(arguments, name) for name in ARGUMENTS}
    if begun is not None:
        check_fit(before, config)
    if detector and not facts["objects"]:
        raise ValueError(
            f"{arguments.model} learns single objects; {arguments.data} has classes of pixels alone, or pass --numbered"
        )
    if detector and (arguments.loss != "cross-entropy" or arguments.class_weights):
        raise ValueError(f"{arguments.model} brings its own losses: --loss and --class-weights are for the others")
    loss = None if detector else Loss(arguments.loss, arguments.class_weights, facts["classes"], train)
    learning = {"collate": detection_batch} if detector else {"loss": loss}
    torch.manual_seed(arguments.seed)
    network = begun or build(config, "imagenet" if arguments.pretrained else None)
    rate, share = rates(arguments, network)
    batch, steps = arguments.batch_size, arguments.steps
    if arguments.epochs:
        steps = -(-arguments.epochs * len(train) // batch)
    left, scoring = None, 0.0
    if arguments.seconds:
        scoring = scoring_time(network.to(best_device()), val, batch, loss, detector)
        left = max(arguments.seconds - (time.monotonic() - begun_at) - scoring, 1e-3)
    first = rank_and_size()[0] == 0
    kept = Run(
        arguments.out,
        config,
        arguments.eval_every,
        resume=arguments.resume,
        show=partial(show, network, val, loss, arguments, begun_at),
        until=begun_at + arguments.seconds if arguments.seconds else None,
        scoring=scoring,
    )
    try:
        fit(
            network,
            train,
            val,
            steps=steps,
            seconds=left,
            batch_size=batch,
            learning_rate=rate,
            backbone_rate=share,
            eval_every=arguments.eval_every,
            patience=arguments.patience,
            seed=arguments.seed,
            workers=arguments.workers,
            progress=first,
            run=kept,
            **learning,
        )
    except ValueError as error:
        if "more than 1 value per channel" in str(error):
            raise ValueError(
                f"batch norm of {arguments.model} meets a single value a channel: take a larger --batch-size or --crop"
            ) from error
        raise
    kept.close()
    return 0


def choose_device(name):
    """Have `best_device` choose this one. Raises ValueError if it is not there."""
    if name is None:
        return
    if name == "cpu":
        os.environ["ACCELERATE_USE_CPU"] = "true"
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
        name, figures = next(
            item for item in record["scored"].items() if item[0].startswith("val_") and item[0] != "val_step"
        )
        last = (
            f"loss {record['history']['loss'][-1]:.3f}, {name} {figures[-1]:.3f} (best {record['best']['score']:.3f})"
        )
        print(f"step {step}: {last}, {time.monotonic() - begun_at:.0f} s", flush=True)
    missing = loss.never_predicted() if loss else []
    if missing:
        print(f"step {step}: never predicted: {', '.join(missing)}", flush=True)
    if waited > 0.5:
        hint = f"more --workers (now {arguments.workers}) or a smaller --size helps"
        print(f"step {step}: waiting for pictures took {waited:.0%} of the time: {hint}", flush=True)
