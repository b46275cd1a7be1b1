"""``seglib evaluate``: predict a data set's held-back pictures and score them, in one go."""

SPLITS = ("test", "val", "all")  # of which the first that is there counts


def add_parser(subparsers):
    """Add ``evaluate`` to the command line."""
    parser = subparsers.add_parser(
        "evaluate",
        help="predict a data set and score the predictions",
        description="Predict the pictures of a data set (those of test/, else of val/, else all) and score them; write "
        "predictions, scores.json and the report of seglib score.",
    )
    parser.add_argument("run", help="a run's folder, its weights.safetensors, or nuclei")
    parser.add_argument("data", help="folder of pictures and masks, or dsb2018, camvid: the held-back pictures")
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--split", choices=("train", "val", "test"), help="score this part instead")
    parser.add_argument("--foreground", type=int, help="value of class 1 in black-and-white masks, such as 255")


def run(arguments):
    """Predict, then score; return the exit status of the first that fails, else 0."""
    import argparse

    from workbench import predict, score
    from workbench.layouts import find_splits
    from workbench.sets import PUBLIC

    pictures = truth = arguments.data
    if arguments.data not in PUBLIC:
        splits = find_splits(arguments.data)
        split = arguments.split or next((name for name in SPLITS if name in splits), "test")
        if split not in splits:
            raise ValueError(f"{arguments.data} has {', '.join(splits)}, not {split}: see --split")
        pictures, truth = map(str, splits[split])
        print(f"{arguments.data}: {'all pictures' if split == 'all' else split} are scored")
    parser = argparse.ArgumentParser()
    commands, out = parser.add_subparsers(), arguments.out
    predict.add_parser(commands)
    score.add_parser(commands)
    failed = predict.run(parser.parse_args(["predict", pictures, "--weights", arguments.run, "--out", out]))
    told = ["score", out, truth, "--json", f"{out}/scores.json", "--report", out]
    if arguments.foreground is not None:
        told += ["--foreground", str(arguments.foreground)]
    return failed or score.run(parser.parse_args(told))
