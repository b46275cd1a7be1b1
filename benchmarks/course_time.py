"""How long the lessons take: one after the other with two threads each, or two at a time with one thread each.

    python -m benchmarks.course_time alone        half an hour on 2 cores
    python -m benchmarks.course_time together     a quarter of an hour

Each lesson runs as the tests run it. "all" is the time on the wall, not the sum.
"""

import sys
import time
from pathlib import Path

from benchmarks.record import write_rows

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import notebooks

WAYS = {"alone": (1, 2), "together": (2, 1)}  # lessons at once, threads of each


def main():
    at_once, threads = WAYS[sys.argv[1]]
    notebooks.AT_ONCE = at_once
    notebooks.fresh_environment(threads)
    way, start, rows = {"at_once": at_once, "threads": threads, "seed": 0}, time.perf_counter(), []
    for path, (status, seconds, _) in notebooks.side_by_side(notebooks.under_nbval, notebooks.lessons([])):
        rows.append(way | {"lesson": path.stem, "seconds": round(seconds), "passed": status == 0})
        print(rows[-1], flush=True)
        write_rows("results/course_time.csv", rows)
    passed = all(row["passed"] for row in rows)
    rows.append(way | {"lesson": "all", "seconds": round(time.perf_counter() - start), "passed": passed})
    write_rows("results/course_time.csv", rows)


if __name__ == "__main__":
    main()
