"""The model beside published figures that it did not use: no better and no worse than the documentation says."""

import polars as pl
import pytest

from postroad.demand.comparison import fit_report, sensitivity_report


@pytest.fixture(scope="module")
def report():
    return fit_report()


def modelled(report, figure, place):
    return report.filter((pl.col("figure") == figure) & (pl.col("place_code") == place)).row(0, named=True)


def test_every_row_says_where_it_comes_from_and_whether_it_was_used(report):
    assert set(report.filter("is_used_in_fit")["figure"]) == {"intracity_share"}
    assert report.filter("is_used_in_fit").height == 1
    assert (report["modelled_label"] == "modelled").all()
    tests = report.filter(~pl.col("is_used_in_fit") & pl.col("published").is_not_null())
    assert tests.height >= 27
    assert (tests["source"] != "").all()
    assert (tests["error"] - (tests["modelled"] - tests["published"])).abs().max() < 1e-12


def test_intracity_shares_of_provinces_miss_by_as_much_as_documented(report):
    tests = report.filter((pl.col("figure") == "intracity_share") & ~pl.col("is_used_in_fit"))
    assert tests.height == 13
    assert tests["error"].abs().mean() == pytest.approx(0.035, abs=0.002)
    assert tests["error"].abs().max() < 0.07
    # measured against what a model without distance would say: every province sends what its city receives
    assert tests.select(pl.corr("published", "modelled")).item() > 0.75


def test_received_over_sent_tells_senders_from_receivers(report):
    tests = report.filter(pl.col("figure") == "delivered_per_sent")
    assert tests.height == 6
    assert ((tests["published"] > 1) == (tests["modelled"] > 1)).all()
    assert tests.select(pl.corr("published", "modelled", method="spearman")).item() > 0.9
    assert tests["relative_error"].abs().max() < 0.5


def test_shares_of_cities_in_their_provinces(report):
    assert modelled(report, "top15_volume_share", "CN")["relative_error"] == pytest.approx(0, abs=0.03)
    assert modelled(report, "top5_share", "53")["relative_error"] == pytest.approx(0, abs=0.05)
    assert modelled(report, "share_beijiang", "65")["relative_error"] == pytest.approx(0, abs=0.05)
    parts = [
        modelled(report, name, "65")["modelled"] for name in ("share_beijiang", "share_nanjiang", "share_dongjiang")
    ]
    assert sum(parts) == pytest.approx(1.0)


def test_another_beta_gives_another_report():
    plain = fit_report(0.6)
    assert not plain["is_used_in_fit"].any()
    assert modelled(plain, "intracity_share", "CN")["error"] < -0.03


def test_the_sensitivity_stands_beside_the_fit():
    frame = sensitivity_report()
    assert frame["is_fitted"].to_list() == [True, False, False, False]
    assert frame["beta"].to_list()[1:] == [0.6, 0.83, 1.05]
    by_beta = frame.sort("beta")
    assert by_beta["intracity_share"].is_sorted()
    assert by_beta["mean_haul_km"].is_sorted(descending=True)
    assert frame["intracity_error"][0] < frame["intracity_error"][1]
