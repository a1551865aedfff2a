"""The demand model beside the published record, misses included.

What the model was made from is marked ``is_used_in_fit`` and proves nothing; the rest was published, was not used, and
tests it. Published years and the year of the model differ by up to two; where a volume had to be brought to 2023 the
note says how.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from postroad import facts
from postroad.demand.gravity import SENSITIVITY_BETAS, GravityModel, fit_gravity, published_intracity_share
from postroad.demand.marginals import read_marginals
from postroad.demand.sources import read_source

__all__ = ["fit_report", "sensitivity_report"]

_YI = 1e8
_XINJIANG = {
    "share_beijiang": "650100 650200 652300 652700 654000 654200 654300 "
    "659001 659004 659005 659007 659008 659010 659012",
    "share_nanjiang": "652800 652900 653000 653100 653200 659002 659003 659006 659009",
    "share_dongjiang": "650400 650500 659011",
}
_YUNNAN_TOP5 = "530100 532900 530300 532500 532800"

_SCHEMA = {
    "figure": pl.String,
    "place_code": pl.String,
    "place": pl.String,
    "period": pl.String,
    "published": pl.Float64,
    "modelled": pl.Float64,
    "uom": pl.String,
    "is_used_in_fit": pl.Boolean,
    "published_label": pl.String,
    "source": pl.String,
    "note": pl.String,
}


def fit_report(beta: float | None = None) -> pl.DataFrame:
    """Published figures beside the model of 2023.

    Parameters
    ----------
    beta: exponent of distance; None for the fitted one.

    Returns
    -------
    figure, place_code, place, period, published, modelled, error (modelled - published), relative_error, uom,
    is_used_in_fit, published_label, modelled_label, source, note. ``published`` is empty where nothing is.

    >>> report = fit_report()
    >>> bool(report.filter(~report["is_used_in_fit"])["published"].count() > 20)
    True
    """
    model = fit_gravity(beta)
    rows = [row for part in (_national, _intracity, _received, _sent_shares, _city_volumes) for row in part(model)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").with_columns(
        error=pl.col("modelled") - pl.col("published"),
        relative_error=pl.col("modelled") / pl.col("published") - 1.0,
        modelled_label=pl.lit("modelled"),
    )


def sensitivity_report() -> pl.DataFrame:
    """The model at the fitted beta and at 0.6, 0.83 and 1.05.

    Returns
    -------
    beta, is_fitted, intracity_share, mean_haul_km, intracity_error: the mean absolute error of the intra-city shares of
    the provinces that publish one.
    """
    rows = []
    for beta in (None, *SENSITIVITY_BETAS):
        model = fit_gravity(beta)
        errors = [abs(modelled - published) for _, _, _, _, published, modelled, *_ in _intracity(model)]
        rows.append((model.beta, model.is_fitted, model.intracity_share, model.mean_haul_km, float(np.mean(errors))))
    columns = ["beta", "is_fitted", "intracity_share", "mean_haul_km", "intracity_error"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(label=pl.lit("modelled"))


def _row(published: dict, modelled: float, note: str = "", value: float | None = None, is_used: bool = False) -> tuple:
    """One line of the report from a row of a series."""
    return (
        published["figure"], published["place_code"], published["place"], published["period"],
        published["value"] if value is None else value, modelled, published["uom"], is_used, published["label"],
        published["source"], note,
    )  # fmt: skip


def _rows(family: str, name: str) -> list[dict]:
    return list(facts.series(family, name).iter_rows(named=True))


def _members(model: GravityModel, place_code: str) -> np.ndarray:
    """Rows of the cities of a province (two digits), of a list of cities, or of one city: bool (n_city,)."""
    marginals = model.marginals
    if len(place_code) == 2:
        return np.array([province == place_code for province in marginals.city_province])
    return np.array([code in place_code.split(" ") for code in marginals.city_code])


def _sent(model: GravityModel, members: np.ndarray) -> float:
    """Items a year that the cities send, international ones included, as the published volumes count."""
    return float((model.marginals.origin_items + model.marginals.international_items)[members].sum())


def _national(model: GravityModel) -> Iterator[tuple]:
    """The figure that beta is fitted on, and what has no published counterpart."""
    within = facts.series("national", "intracity_volume", period="2023").row(0, named=True)
    share = {**within, "figure": "intracity_share", "uom": "share"}
    note = "136.4 of 1,290.0 yi domestic items; beta is fitted on it"
    yield _row(share, model.intracity_share, note, published_intracity_share(), model.is_fitted)
    haul = {**within, "figure": "mean_haul_km", "uom": "km", "value": None, "label": "unverified", "source": ""}
    yield _row(haul, model.mean_haul_km, f"not published; beta {model.beta:.4f}")


def _intracity(model: GravityModel) -> Iterator[tuple]:
    """Share of items that stay in their city, by province, among all that the province sends."""
    stays = np.diag(model.items)
    for published in _rows("local", "intracity_share"):
        members = _members(model, published["place_code"])
        yield _row(published, float(stays[members].sum()) / _sent(model, members))


def _received(model: GravityModel) -> Iterator[tuple]:
    """Received over sent, and received per head."""
    for published in _rows("local", "delivered_per_sent"):
        yield _row(published, _received_per_sent(model, published["place_code"]), "the volume sent is an input")
    sent = {row["place_code"]: row for row in _rows("province_volumes", "express_volume") if row["period"] == "2023"}
    sent["45"] = next(row for row in _rows("local", "express_volume") if row["place_code"] == "45")
    for published in _rows("local", "delivered_volume"):
        place = published["place_code"]
        ratio = {**published, "figure": "delivered_per_sent", "uom": "ratio"}
        note = f"{published['text']} yi delivered over {sent[place]['text']} yi sent, which is an input"
        yield _row(ratio, _received_per_sent(model, place), note, published["value"] / sent[place]["value"])
    people = dict(read_source("admin/provinces.csv").select("province_code", "pop_2020").iter_rows())
    for published in _rows("local", "received_per_person"):
        received = model.marginals.destination_items[_members(model, published["place_code"])].sum()
        yield _row(published, float(received) / people[published["place_code"]], "people of the census of 2020")


def _received_per_sent(model: GravityModel, place_code: str) -> float:
    members = _members(model, place_code)
    return float(model.marginals.destination_items[members].sum()) / _sent(model, members)


def _sent_shares(model: GravityModel) -> Iterator[tuple]:
    """Shares of groups of cities in what their province sends; the split by activity is what is tested."""
    for name, cities in (*_XINJIANG.items(), ("top5_share", _YUNNAN_TOP5)):
        published = _rows("local", name)[0]
        note = "the share of Kunming is an input" if name == "top5_share" else "the share of Urumqi is an input"
        whole = _sent(model, _members(model, published["place_code"]))
        yield _row(published, _sent(model, _members(model, cities)) / whole, note)
    published = next(row for row in _rows("local", "top15_volume_share") if row["period"] == "2024")
    marginals = read_marginals(2024)
    sent = np.sort(marginals.origin_items + marginals.international_items)[::-1]
    yield _row(published, float(sent[:15].sum() / sent.sum()), "marginals of 2024; 0.546 was published for 2020")


def _city_volumes(model: GravityModel) -> Iterator[tuple]:
    """Volumes of cities whose origin came from activity alone, brought to 2023 by the growth of their region."""
    months = sum(facts.series("monthly", period=f"2021-{month:02d}")["value"][0] for month in range(1, 12))
    to_year = facts.figure("national", "express_volume", "2021").value / months
    cases = (("341200", 2022, "centre", 1.0, "2022"), ("130500", 2021, "east", to_year, "2021 (January to November)"))
    for city, year, region, filled, basis in cases:
        published = next(row for row in _rows("local", "express_volume") if row["place_code"] == city)
        growth = filled * _region_volume(2023, region) / _region_volume(year, region)
        note = f"{published['text']} yi of {basis} brought to 2023 by the growth of the region"
        yield _row(published, _sent(model, _members(model, city)) / _YI, note, published["value"] * growth)


def _region_volume(year: int, region: str) -> float:
    share = facts.figure("national", f"volume_share_{region}", str(year)).value
    return share * facts.figure("national", "express_volume", str(year), vintage="").value
