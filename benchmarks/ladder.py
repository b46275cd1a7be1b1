"""The ladder: every lesson's method on the same pictures, with one ruler, from doing nothing to Mask R-CNN.

    python -m benchmarks.ladder                    measure the rows that are missing
    python -m benchmarks.ladder simple             all that are no networks, anew
    python -m benchmarks.ladder "streets: U-Net"   one row anew

Nuclei: 100 generated pictures and two real ones, reduced to the generated nuclei's median diameter. The foreground is
made into objects by `split_touching`, whatever the method; "unsplit" counts its connected pieces in their place. Mask
R-CNN gives objects by itself. Streets: 100 generated pictures, 11 classes; methods that name no class have no row.
Networks see no real picture and no test picture in training, and all of them the same 1,500 generated ones.

results/ladder_pictures.jsonl holds the counts of each picture. All of results/ladder.csv is made from them each time:
scores pooled over the pictures, one row a seed, and how far each is ahead of the same seed of the method before, and of
the best before it that is no network (by that score, on these pictures). "low" and "high" are the ends of the
paired 95 % bootstrap interval, over pictures, of the mean over the seeds. A single real picture has none. The first row
is compared with itself.
"""

import csv
import json
import sys
from functools import cache

import numpy as np

from benchmarks import ladder_networks, ladder_simple
from benchmarks.ladder_pictures import count, test_sets
from benchmarks.record import ROOT, command, machine, versions
from seglib.scenes import Streets

CAR = Streets.classes.index("car")
RESAMPLES = 2000
PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "scikit-learn")
COUNTS, LADDER = ROOT / "results" / "ladder_pictures.jsonl", ROOT / "results" / "ladder.csv"
ROWS = sorted([*ladder_simple.ROWS, *ladder_networks.ROWS], key=lambda row: (row.task, row.lesson))


def mean_iou(counts, weights):
    """Mean IoU over the classes, pooled over pictures that count ``weights`` (resamples, pictures) times."""
    return np.nanmean(ious(counts, weights), axis=1)


def car_iou(counts, weights):
    return ious(counts, weights)[:, CAR]


def ious(counts, weights):
    with np.errstate(invalid="ignore"):
        return (weights @ counts["shared"]) / (weights @ counts["covered"])


def object_f1(counts, weights, ending=""):
    hits, errors = ((weights @ counts[name + ending])[:, 0] for name in ("hits", "errors"))
    return 2 * hits / (2 * hits + errors)


def unsplit_f1(counts, weights):
    return object_f1(counts, weights, "_unsplit")


SCORES = {
    "nuclei": {"iou": mean_iou, "object_f1": object_f1, "object_f1_unsplit": unsplit_f1},
    "streets": {"mean_iou": mean_iou, "car_iou": car_iou},
}
ORIGIN = ("machine", "versions", "command")
COMPARED = ("iou", "object_f1", "mean_iou")


def pooled(score, counts):
    """The score of all pictures together."""
    return float(score(counts, np.ones((1, len(counts["shared"]))))[0])


def interval(score, ones, others, resamples=RESAMPLES):
    """The 95 % interval of how far the mean score of some runs is ahead of that of others on the same pictures.

    Paired: each resample draws as many pictures as there are, with repetition, and scores all runs on those.
    """
    pictures = len(next(iter(ones))["shared"])
    if pictures < 2:
        return "", ""
    weights = resampled(pictures, resamples)
    ahead = np.mean([score(run, weights) for run in ones], axis=0)
    ahead = ahead - np.mean([score(run, weights) for run in others], axis=0)
    return tuple(np.percentile(ahead, [2.5, 97.5]))


@cache
def resampled(pictures, resamples):
    """How often each picture is drawn, (resamples, pictures): the same for every pair that is compared."""
    return np.random.default_rng(0).multinomial(pictures, np.full(pictures, 1 / pictures), size=resamples)


def measure(row, seed):
    """Train what is to be trained, and count on every test picture: one run for each set of pictures."""
    answer, said = row.make(seed)
    run = {"task": row.task, "method": row.method, "seed": seed, "setting": "", "parameters": "", **said}
    run |= dict(zip(ORIGIN, (machine(), versions(PACKAGES), command()), strict=True))
    return [
        run | {"pictures": name, "counts": columns([count(row.task, answer(sample), sample) for sample in samples])}
        for name, samples in test_sets(row.task).items()
    ]


def columns(counts):
    """The counts of several pictures, each a list of one number for each class, as lists over the pictures."""
    return {name: [each[name] for each in counts] for name in counts[0]}


def ladder(runs):
    """The table: a row for every run, in the order of the lessons."""
    table = []
    for name in dict.fromkeys(run["pictures"] for run in runs):
        above = []  # the rows before: method, whether it is simple, counts of each seed
        for row in ROWS:
            mine = [run for run in runs if run["pictures"] == name and (run["task"], run["method"]) == key(row)]
            if not mine:
                continue
            counts = {run["seed"]: arrays(run["counts"]) for run in mine}
            this = (row.method, row.simple, counts)
            scores = SCORES[row.task]
            compared = [compare(score, scores[score], counts, above or [this]) for score in scores if score in COMPARED]
            for run in sorted(mine, key=lambda run: run["seed"]):
                line = {column: run[column] for column in ("task", "pictures")} | {"lesson": row.lesson}
                line |= {column: run[column] for column in ("method", "setting", "parameters", "seed")}
                line |= {column: rounded(pooled(score, counts[run["seed"]])) for column, score in scores.items()}
                for found in compared:
                    line |= found[run["seed"]]
                table.append(line | {column: run[column] for column in ORIGIN})
            above.append(this)
    return table


def arrays(counts):
    return {name: np.array(values, float) for name, values in counts.items()}


def compare(name, score, counts, above):
    """For each seed the columns that say how far it is ahead of the rows above it by one score."""
    best = max((other for other in above if other[1]), key=lambda other: mean_score(score, other[2]))
    compared = {seed: {} for seed in counts}
    for text, (method, _, others) in (("previous", above[-1]), ("best_without_network", best)):
        low, high = interval(score, counts.values(), others.values())
        for seed, mine in counts.items():
            # A method without chance has seed 0 alone, and all seeds are compared with it.
            same = {seed: others[seed]} if seed in others else others
            ahead = pooled(score, mine) - mean_score(score, same)
            found = {text if text == "previous" else f"{name}_{text}": method, f"{name}_ahead_of_{text}": ahead}
            found |= {f"{name}_ahead_of_{text}_low": low, f"{name}_ahead_of_{text}_high": high}
            compared[seed] |= {column: rounded(value) for column, value in found.items()}
    return compared


def key(row):
    return row.task, row.method


def mean_score(score, counts):
    return np.mean([pooled(score, each) for each in counts.values()])


def rounded(value):
    return value if isinstance(value, str) else round(float(value), 4)


def read_counts():
    if not COUNTS.exists():
        return []
    return [json.loads(line) for line in COUNTS.read_text(encoding="utf-8").splitlines()]


def write(runs):
    """Write both files; whoever reads one meanwhile finds the old one or the new one, whole."""
    table = ladder(runs)
    columns = [*dict.fromkeys(name for line in table for name in line if name not in ORIGIN), *ORIGIN]
    unfinished = LADDER.with_suffix(".part")
    unfinished.write_text("".join(json.dumps(run, separators=(",", ":")) + "\n" for run in runs), encoding="utf-8")
    unfinished.replace(COUNTS)
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    unfinished.replace(LADDER)


def main(names):
    """Measure rows one by one, the first seed of all before the second of any, and write both files after each."""
    known = {f"{row.task}: {row.method}": row for row in ROWS}
    if not set(names) <= {"simple", *known}:
        sys.exit(f"{__doc__}\nRows: {', '.join(known)}")
    chosen = {name for name, row in known.items() if name in names or (row.simple and "simple" in names)}
    runs = [run for run in read_counts() if (run["task"], run["method"]) in map(key, ROWS)]
    for seed in (0, 1, 2):
        for name, row in known.items():
            same = [run for run in runs if (run["task"], run["method"], run["seed"]) == (*key(row), seed)]
            if seed not in row.seeds or (name not in chosen if names else same):
                continue
            runs = [run for run in runs if run not in same] + measure(row, seed)
            write(runs)
            print(name, seed, flush=True)
    write(runs)


if __name__ == "__main__":
    main(sys.argv[1:])
