"""Predict the pictures of test/, else val/, else all; write predictions, scores.json and a report."""

from workbench.options import add_options, said

SPLITS = ("test", "val", "all")  # of which the first that is there counts


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
    from workbench.dataset import open_data
    from workbench.sets import PUBLIC

    pictures, out, split = arguments.data, arguments.out, None
    if arguments.data not in PUBLIC:
        places = open_data(arguments.data, **said(arguments)).places
        split = arguments.split or next(name for name in (*SPLITS, *places) if name in places)
        pictures = str(places[split][0])
        print(f"{arguments.data}: {'all pictures, those of the training too,' if split == 'all' else split} are scored")
    parser = argparse.ArgumentParser()
    predict.add_parser(parser.add_subparsers())
    failed = predict.run(parser.parse_args(["predict", pictures, "--weights", arguments.run, "--out", out]))
    to_score = {"predictions": out, "truth": arguments.data, "json": f"{out}/scores.json", "report": out}
    to_score["split"] = None if split == "all" else split
    return failed or score.run(argparse.Namespace(**vars(arguments) | to_score))
