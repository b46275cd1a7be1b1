"""``seglib train``: the course's training loop for real runs, which are kept, go on, and use many processes."""

import os
from functools import partial
from pathlib import Path

NAMES = "unet", "fcn", "segnet", "pspnet", "deeplab", "mask_rcnn", "nuclei"
ARGUMENTS = (
    *("data", "foreground", "weights", "steps", "seconds", "batch_size", "learning_rate", "seed", "crop"),
    "eval_every",
)
SHOWN = 4  # held-back pictures in a picture of samples


def add_parser(subparsers):
    """Add ``train`` to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a network",
        description="Train a network and keep the run in a folder: config, checkpoints, weights, curves as CSV and "
        "for TensorBoard, sample predictions. Start it with `accelerate launch -m workbench train ...` to use several "
        "processes, GPUs or machines; --batch-size is that of all together.",
    )
    parser.add_argument("--model", choices=NAMES, required=True)
    parser.add_argument(
        "--data",
        required=True,
        help="your folder, or dsb2018, camvid, voc, oxford_pets, cells (generated). Without val/ in a folder, every "
        "fifth picture of train/, or of all, is held back to score on",
    )
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument(
        "--weights",
        help="begin with the weights of another run of the same network and as many classes, or with those of nuclei, "
        "in place of random ones; pictures are made grey where those were",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive, default=2000, help="length of the run (default: %(default)s)")
    length.add_argument("--seconds", type=float, help="length of the run by the clock instead")
    parser.add_argument("--batch-size", type=positive, default=16, help="default: %(default)s")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crop", type=positive, default=128, help="side of the training crops (default: %(default)s)")
    parser.add_argument(
        "--eval-every", type=positive, default=100, help="steps from one scoring and checkpoint to the next"
    )
    parser.add_argument("--foreground", type=int, help="value of class 1 in black-and-white masks, such as 255")
    parser.add_argument("--workers", type=int, default=1, help="processes that load pictures (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint, if there is one")


def positive(text):
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def run(arguments):
    """Train; return the exit status."""
    import torch

    from seglib.training import best_device, detection_batch, fit
    from workbench.networks import DETECTORS, build, check_fit, load_run
    from workbench.processes import join, rank_and_size
    from workbench.run import Run
    from workbench.sets import training_sets

    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        join(best_device())
    begun, before = load_run(arguments.weights) if arguments.weights else (None, {"grey": False})
    detector = arguments.model in DETECTORS
    train, val, facts = training_sets(
        arguments.data, arguments.crop, arguments.foreground, before["grey"], arguments.model
    )
    config = {"model": arguments.model, **facts} | {name: getattr(arguments, name) for name in ARGUMENTS}
    if begun is not None:
        check_fit(before, config)
    if detector and not facts["objects"]:
        raise ValueError(f"{arguments.model} learns single objects; {arguments.data} has classes of pixels alone")
    if detector:
        learning = {"collate": detection_batch}
    else:
        learning = {"loss": balanced_loss(train, len(facts["classes"]), arguments.seed)}
    torch.manual_seed(arguments.seed)
    network = build(config) if begun is None else begun
    kept = Run(
        arguments.out,
        config,
        arguments.eval_every,
        resume=arguments.resume,
        show=lambda step: draw_samples(network, val, detector, Path(arguments.out, "samples", f"step_{step:06}.png")),
    )
    fit(
        network,
        train,
        val,
        steps=arguments.steps,
        seconds=arguments.seconds,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        eval_every=arguments.eval_every,
        seed=arguments.seed,
        workers=arguments.workers,
        progress=rank_and_size()[0] == 0,
        run=kept,
        **learning,
    )
    kept.close()
    return 0


def balanced_loss(train, classes, seed):
    """Cross-entropy (logits, mask) -> scalar, fair to several processes.

    Where more than two classes compete, rare ones weigh more: by the square roots of median-frequency weights.
    """
    import torch

    from seglib.losses import cross_entropy
    from workbench.processes import fair_share, rank_and_size

    weights = torch.ones(classes) if classes == 2 else class_weights_of(train, classes, seed)

    def loss(logits, mask):
        by_class = weights.to(logits.device)
        value = cross_entropy(logits, mask, class_weights=None if classes == 2 else by_class)
        if not (torch.is_grad_enabled() and rank_and_size()[1] > 1):
            return value
        counted = torch.where(mask == 255, 0.0, by_class[mask.where(mask != 255, 0)])
        return value * fair_share(counted.sum())

    return loss


def class_weights_of(train, classes, seed):
    """Square roots of median-frequency weights (K,) over the first epoch."""
    import numpy as np

    from seglib.losses import class_weights
    from seglib.progress import Progress
    from seglib.training.batches import Stream

    draws, counts = Stream(train, seed), []
    with Progress("counting classes") as bar:
        for draw in range(len(train)):
            counts.append(np.bincount(draws[draw]["mask"].numpy().ravel(), minlength=256)[:classes])
            bar.update((draw + 1) / len(train))
    return class_weights(np.array(counts), power=0.5)


def rows_of(image, top, bottom):
    """Rows of a picture (C, H, W)."""
    return image[:, top:bottom]


def draw_samples(network, val, detector, path):
    """Draw held-back pictures with what the network says (above) and the truth (below)."""
    import numpy as np
    import torch

    from seglib.plotting import overlay, overlay_instances
    from seglib.training import predict_logits
    from seglib.training.scoring import evaluating
    from workbench.detections import detect, paint
    from workbench.drawing import save_picture

    columns = []
    for sample in (val[index] for index in range(min(SHOWN, len(val)))):
        image = sample["image"] - sample["image"].amin()
        image = image / torch.clamp(image.amax(), min=1e-6)
        if detector:
            size = sample["image"].shape[1:]
            found = detect(network, partial(rows_of, sample["image"]), size, max(size), 0)
            pair = overlay_instances(image, paint(found, size)[0]), overlay_instances(image, sample["instances"])
        else:
            with evaluating(network):
                found = predict_logits(network, sample["image"][None])[0].argmax(0).cpu()
            pair = overlay(image, found), overlay(image, sample["mask"])
        columns.append(np.concatenate(pair))
    height = max(len(column) for column in columns)
    columns = [np.pad(column, ((0, height - len(column)), (0, 4), (0, 0))) for column in columns]
    save_picture(path, np.concatenate(columns, axis=1))
