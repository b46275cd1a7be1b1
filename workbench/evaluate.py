"""Predict a data set and score that: test/, else val/, else what a run on it held back; a set without parts as a whole.

Written are predictions, scores.json and a report.
"""

from pathlib import Path

from workbench.options import add_options, said

SPLITS = ("test", "val", "all", "train")  # of which the first that is there counts


def add_parser(subparsers):
    """Add ``evaluate`` to the command line."""
    parser = subparsers.add_parser("evaluate", help="predict a data set and score that", description=__doc__)
    parser.add_argument("run", help="a run's folder, its weights.safetensors, or nuclei")
    parser.add_argument("data", help="folder of pictures and masks, or dsb2018, camvid: the held-back pictures")
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--against", metavar="OTHER", help="what another run predicted, to be compared with")
    add_options(parser)


def run(arguments):
    """Predict, then score; return the exit status of the first that fails, else 0."""
    import argparse

    from workbench import predict, score
    from workbench.dataset import HELD, open_data
    from workbench.networks import load_run
    from workbench.sets import PUBLIC

    pictures, out, split = [arguments.data], arguments.out, None
    if arguments.data not in PUBLIC:
        data, own = open_data(arguments.data, **said(arguments)), load_run(arguments.run)[1].get("data", "")
        split = arguments.split or next(name for name in SPLITS if name in data.places)
        if not arguments.split and split in ("all", "train") and Path(own).resolve() == Path(arguments.data).resolve():
            split, data = HELD, open_data(arguments.data, **said(arguments) | {"split": HELD})
        pictures = map(str, data.pairs[split].images.values() if split == HELD else [data.places[split][0]])
        print(f"{arguments.data}: scored are {'all' if split == 'all' else f'the {split}'} pictures")
    parser = argparse.ArgumentParser()
    predict.add_parser(parser.add_subparsers())
    failed = predict.run(parser.parse_args(["predict", *pictures, "--weights", arguments.run, "--out", out]))
    to_score = {"predictions": out, "truth": arguments.data, "json": f"{out}/scores.json", "report": out}
    to_score["split"] = None if split == "all" else split
    return failed or score.run(argparse.Namespace(**vars(arguments) | to_score))
