"""Reading results/: numbers become numbers, spreads are right, a missing file says what is there."""

import pytest

from seglib import results

ROWS = [
    {"variant": "with", "seed": 0, "iou": 0.8, "merged": 30},
    {"variant": "with", "seed": 1, "iou": 0.9, "merged": 50},
    {"variant": "without", "seed": 0, "iou": 0.5, "merged": 7},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "a.csv").write_text('variant,seed,iou,machine\nwith,0,0.8,"A, 2 cores"\n', encoding="utf-8")
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return tmp_path


def test_numbers_are_read_as_numbers(folder):
    assert results.read("claims/a") == [{"variant": "with", "seed": 0.0, "iou": 0.8, "machine": "A, 2 cores"}]


def test_a_missing_file_says_what_is_there(folder):
    with pytest.raises(ValueError, match=r"no results/claims/b\.csv; there are: claims/a"):
        results.read("claims/b")


def test_spread_is_mean_and_sample_deviation_in_file_order():
    spread = results.spread(ROWS, "iou")
    assert list(spread) == ["with", "without"]
    assert spread["with"] == pytest.approx((0.85, 0.0707107))
    assert spread["without"] == (0.5, 0.0)


def test_table_lines_up_and_claims_no_spread_of_a_single_seed():
    assert results.table(ROWS, ["iou", "merged"]).splitlines() == [
        "variant            iou       merged",
        "with     0.850 ± 0.071  40.0 ± 14.1",
        "without          0.500        7.000",
    ]


def test_band_is_three_deviations_and_has_a_least_width():
    inside = {value: results.in_band(value, ROWS, "iou", "with") for value in (0.63, 0.85, 1.06, 1.07)}
    assert inside == {0.63: False, 0.85: True, 1.06: True, 1.07: False}
    assert results.in_band(0.519, ROWS, "iou", "without")
    assert not results.in_band(0.521, ROWS, "iou", "without")


def test_pivot_leaves_a_missing_pair_empty():
    rows = [
        {"method": "Otsu", "photo": "coins", "iou": 0.5},
        {"method": "Otsu", "photo": "horse", "iou": 1.0},
        {"method": "k-means", "photo": "horse", "iou": 0.25},
    ]
    assert results.pivot(rows, "method", "photo", "iou").splitlines() == [
        "method   coins  horse  mean",
        "Otsu      0.50   1.00  0.75",
        "k-means          0.25  0.25",
    ]
