"""Forecasts of delivery: the timetable's expectation, and what history teaches it to add."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from postroad.core.errors import InputError, NotFound
from postroad.core.files import writing_folder
from postroad.core.progress import Progress, Silent
from postroad.core.seeds import stream
from postroad.routing.outlook import Outlook
from postroad.watch.features import FEATURES, Standing, assemble
from postroad.watch.lessons import Lesson

__all__ = ["PARTS", "Forecast", "Forecaster", "learn", "timetable_forecast"]

PARTS = ("p50", "p90", "late")
FORMAT = 1
MODEL = "forecaster.json"
SETTINGS = {
    "num_leaves": 63, "learning_rate": 0.1, "min_data_in_leaf": 200, "max_bin": 127, "num_threads": 2, "verbose": -1,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip
OBJECTIVES = {
    "p50": {"objective": "quantile", "alpha": 0.5},
    "p90": {"objective": "quantile", "alpha": 0.9},
    "late": {"objective": "binary"},
}
N_TREES = {"p50": 150, "p90": 150, "late": 100}
MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """When items will be delivered, a row a question; NaN where nothing can be said.

    Attributes
    ----------
    p50_min, p90_min: float64, minutes from the epoch by which the item is delivered with that probability.
    late: float64, probability that its promise is missed; NaN too where it has none or nothing was learned.
    basis: ``learned`` or ``timetable``.
    """

    p50_min: np.ndarray
    p90_min: np.ndarray
    late: np.ndarray
    basis: str


def timetable_forecast(standing: Standing, chosen: np.ndarray, outlook: Outlook) -> Forecast:
    """What the timetable alone lets expect: the median and the ninetieth hundredth of the tour of the planned wave."""
    door = standing.door[chosen]
    late = np.full(len(chosen), np.nan)
    return Forecast(door, door + outlook.tour_p90_min - outlook.tour_min, late, "timetable")


class Forecaster:
    """Forecasts learned from history.

    Parameters
    ----------
    texts: the trees of each of PARTS, as LightGBM writes them. about: what they were learned from.
    """

    def __init__(self, texts: dict[str, str], about: dict[str, object]) -> None:
        lightgbm = _lightgbm()
        self.texts, self.about = texts, about
        self._boosters = {part: lightgbm.Booster(model_str=text) for part, text in texts.items()}

    def forecast(
        self, standing: Standing, chosen: np.ndarray, means: np.ndarray, first_hour: int, outlook: Outlook
    ) -> Forecast:
        """Forecast chosen rows; parameters as :func:`postroad.watch.features.assemble`."""
        rows = assemble(standing, chosen, means, first_hour, outlook)
        door, minute = standing.door[chosen], standing.minute[chosen]
        p50 = np.maximum(door + self._boosters["p50"].predict(rows), minute)
        p90 = np.maximum(door + self._boosters["p90"].predict(rows), p50)
        late = np.where(standing.promise[chosen] >= 0, self._boosters["late"].predict(rows), np.nan)
        return Forecast(p50, p90, np.where(np.isfinite(door), late, np.nan), "learned")

    def save(self, folder: Path | str) -> None:
        """Write the forecaster as a folder of texts.

        Raises
        ------
        InputError: when something stands there.
        """
        with writing_folder(Path(folder)) as draft:
            for part, text in self.texts.items():
                (draft / f"{part}.txt").write_text(text, encoding="utf-8")
            head = {"format": FORMAT, "features": FEATURES, **self.about}
            (draft / MODEL).write_text(json.dumps(head, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path | str) -> Forecaster:
        """Read what :meth:`save` wrote.

        Raises
        ------
        NotFound: PR-V101 nothing there. InputError: PR-V102 it knows other features than this version.
        """
        folder = Path(folder)
        if not (folder / MODEL).exists():
            raise NotFound("PR-V101", path=str(folder))
        head = json.loads((folder / MODEL).read_text(encoding="utf-8"))
        if head.pop("format") != FORMAT or tuple(head.pop("features")) != FEATURES:
            raise InputError("PR-V102", path=str(folder))
        return cls({part: (folder / f"{part}.txt").read_text(encoding="utf-8") for part in PARTS}, head)


def learn(
    lesson: Lesson,
    outlook: Outlook,
    first_day: int,
    last_day: int,
    *,
    seed: int = 1,
    most_rows: int = MOST_ROWS,
    progress: Progress | None = None,
) -> Forecaster:
    """Learn what the timetable misses: gradient-boosted quantiles of delivery minus expectation, and the chance of a
    missed promise.

    Every item counts the same, whatever the number of its events. The same lesson and seed give the same forecaster.

    Parameters
    ----------
    lesson: items whose fate is known. first_day, last_day: days of acceptance, from the epoch, that are learned from,
        both included. most_rows: events that are learned from at most, drawn by the seed.

    Raises
    ------
    InputError: PR-V103 too little history, PR-V104 the extra ``learn`` is not installed.
    """
    lightgbm, progress = _lightgbm(), progress or Silent()
    standing, histories = lesson.standing, lesson.histories
    delivered = histories.delivered_min[standing.item]
    day = standing.accepted // 1440
    usable = (delivered > standing.minute) & np.isfinite(standing.door)
    rows = np.flatnonzero(usable & (day >= first_day) & (day <= last_day))
    if len(rows) < 2 * SETTINGS["min_data_in_leaf"]:
        raise InputError("PR-V103", n=len(rows), least=2 * SETTINGS["min_data_in_leaf"])
    per_item = np.bincount(standing.item[rows], minlength=len(histories.origin))
    if len(rows) > most_rows:
        rows = np.sort(stream(seed, "watch", "learn").choice(rows, most_rows, replace=False))
    weight = 1.0 / per_item[standing.item[rows]]
    features = assemble(standing, rows, lesson.means, 0, outlook)
    moved = (delivered - standing.door)[rows]
    late = (delivered > standing.promise)[rows].astype(float)
    progress.stage("learn", sum(N_TREES.values()))
    texts, done = {}, 0
    for part in PARTS:
        data = lightgbm.Dataset(features, late if part == "late" else moved, weight=weight, free_raw_data=True)
        settings = SETTINGS | OBJECTIVES[part] | {"seed": seed}
        booster = lightgbm.train(settings, data, N_TREES[part], callbacks=[_teller(progress, done, part)])
        texts[part] = booster.model_to_string()
        done += N_TREES[part]
    about = {"n_rows": len(rows), "n_items": int((per_item > 0).sum()), "days": [first_day, last_day]}
    return Forecaster(texts, about | {"seed": seed, "network": outlook.instance.digest})


def _teller(progress: Progress, before: int, part: str) -> Callable[[object], None]:
    """Tells the progress after each tree."""

    def tell(state) -> None:
        progress.step(before + state.iteration + 1, part)

    return tell


def _lightgbm() -> ModuleType:
    """The library of trees, which is an extra.

    Raises
    ------
    InputError: PR-V104.
    """
    try:
        return import_module("lightgbm")
    except (ImportError, OSError) as error:
        raise InputError("PR-V104", reason=str(error)) from error
