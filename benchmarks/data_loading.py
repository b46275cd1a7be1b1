"""How long `seglib train` waits for its pictures: the share of a run's time that passes between two steps.

    python -m benchmarks.data_loading          five minutes on 2 cores

Each set is trained with the command's own settings and one process that loads. The first steps, in which that process
starts and data sets that keep their pictures read them, are left out. Sets that need SEGLIB_DATA are passed over
without it; seconds count on the machine that the results name.
"""

import itertools
import tempfile
import time
from unittest import mock

from torch.utils.data import DataLoader

from benchmarks.record import write_rows
from seglib.training import loop
from workbench.cli import main as seglib

SETS, STEPS, LEFT_OUT = ("cells", "dsb2018", "camvid"), 120, 40


class Watched(DataLoader):
    """A DataLoader that notes for every batch when it was asked for and when it came."""

    def __iter__(self):
        batches, self.times = super().__iter__(), []
        Watched.last = self
        while True:
            asked = time.perf_counter()
            batch = next(batches)
            self.times.append((asked, time.perf_counter()))
            yield batch


def share_of_waiting(name):
    """Share of the time that a run spends waiting for batches, and its seconds a step."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(loop, "DataLoader", Watched):
        length = ["--steps", str(STEPS), "--eval-every", str(2 * STEPS)]
        if seglib(["train", "--model", "unet", "--data", name, "--out", f"{folder}/run", *length]):
            return None
    times = Watched.last.times[LEFT_OUT:]
    waited = sum(came - asked for asked, came in times[1:])
    whole = sum(later[1] - earlier[1] for earlier, later in itertools.pairwise(times))
    return {"waiting": round(waited / whole, 4), "seconds_a_step": round(whole / (len(times) - 1), 4)}


def main():
    rows = []
    for name in SETS:
        found = share_of_waiting(name)
        if found:
            rows.append({"data": name, "model": "unet", "workers": 1, "steps": STEPS - LEFT_OUT, "seed": 0, **found})
            print(rows[-1], flush=True)
    write_rows("results/data_loading.csv", rows)


if __name__ == "__main__":
    main()
