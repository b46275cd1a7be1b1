"""Score predictions against the truth: IoU, Dice and boundary F1 of every class and picture.

Where both sides tell objects apart also AP and PQ. IoU and Dice of a class are pooled over all pixels, boundary F1 is
the mean over pictures.
"""

import json

from workbench.options import add_options, said


def add_parser(subparsers):
    """Add ``score`` to the command line."""
    parser = subparsers.add_parser("score", help="score predictions against the truth", description=__doc__)
    parser.add_argument("predictions", help="folder that seglib predict wrote, or a folder of label maps")
    parser.add_argument("truth", help="your data set, a folder of masks, or dsb2018, camvid: the held-back pictures")
    parser.add_argument("--against", metavar="OTHER", help="other predictions of these pictures, to compare with")
    add_options(parser)
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--report", metavar="FOLDER", help="write report.html, pictures.csv, confusion.csv and .png")


def run(arguments):
    """Score, print the tables, write the JSON; return the exit status."""
    from seglib.training.weights import write_whole
    from workbench.labels import both_maps
    from workbench.report import write_report
    from workbench.scoring import compared, score_pictures, tables

    predictions, truth = both_maps(arguments.predictions, arguments.truth, **said(arguments))
    report, matrices = score_pictures(predictions, truth)
    if arguments.against:
        other = score_pictures(*both_maps(arguments.against, arguments.truth, **said(arguments)))
        report["against"] = compared((report, matrices), other)
    if arguments.json:
        write_whole(arguments.json, json.dumps(report, indent=1).encode())
    if arguments.report:
        write_report(arguments.report, report, matrices, predictions, truth)
    if truth.note:
        print(truth.note)
    print(tables(report))
    return 0
