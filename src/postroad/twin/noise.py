"""Chance on the timetable: a course of things that a run may meet, drawn from a seed.

The twin itself draws nothing. What differs by chance between two days of one plan - late and cancelled trips, running
times, work rates, weather over a province, outages, the day's demand - is drawn here, before the run, and put into the
instance. All parameters are modelled: ours, chosen for plausible spread, fitted to no published series.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields, replace
from importlib.resources import files

import numpy as np

from postroad.core.clock import DAY_MIN
from postroad.core.digests import digest_mapping
from postroad.core.seeds import stream
from postroad.network.instance import MODES, Instance, freeze
from postroad.network.schema import FACILITY_KINDS
from postroad.twin.arrays import MOST_STRETCH

__all__ = ["Noise", "Turn", "day_factors", "draw_course", "standard_noise"]

LEAST_STRETCH = 0.85
STOPPING = [FACILITY_KINDS.index(kind) for kind in ("sorting", "hub")]


@dataclass(frozen=True, slots=True)
class Noise:
    """How much chance there is; see ``noise.csv`` for the unit and meaning of each. Tuples are by mode, in the order of
    :data:`postroad.network.instance.MODES`."""

    late_share: tuple[float, ...]
    late_min: tuple[float, ...]
    running_sigma: tuple[float, ...]
    cancel_share: float
    work_sigma: float
    work_memory: float
    tour_sigma: float
    weather_per_day: float
    weather_h: tuple[float, float]
    weather_min: tuple[float, float]
    weather_work: tuple[float, float]
    outage_per_day: float
    outage_h: tuple[float, float]
    demand_sigma: float

    @property
    def digest(self) -> str:
        """Digest of all values: two frozen sets of chance are equal when it is."""
        return digest_mapping({field.name: str(getattr(self, field.name)) for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Turn:
    """From minute ``at`` of the horizon on, another seed decides: what had begun by then stays as it was."""

    at: int
    seed: int


@dataclass(frozen=True, slots=True)
class _Spell:
    """Bad weather over a province, or an outage of a facility: where, from, to, minutes added, rate left."""

    place: int
    begin: float
    end: float
    late_min: float
    work: float


def standard_noise() -> Noise:
    """The set of chance that forecasts are judged by (modelled)."""
    text = files("postroad.twin").joinpath("noise.csv").read_text(encoding="utf-8")
    value = {row["parameter"]: float(row["value"]) for row in csv.DictReader(text.splitlines())}

    def by_mode(name: str) -> tuple[float, ...]:
        return tuple(value[f"{name}_{mode}"] for mode in MODES)

    def between(name: str, unit: str) -> tuple[float, float]:
        return value[f"{name}_least_{unit}"], value[f"{name}_most_{unit}"]

    single = ("cancel_share", "work_sigma", "work_memory", "tour_sigma", "weather_per_day", "outage_per_day")
    return Noise(
        **{name: by_mode(name) for name in ("late_share", "late_min", "running_sigma")},
        **{name: value[name] for name in (*single, "demand_sigma")},
        **{f"weather_{unit}": between("weather", unit) for unit in ("h", "min", "work")},
        outage_h=between("outage", "h"),
    )


def day_factors(noise: Noise, seed: int, n_days: int) -> np.ndarray:
    """Factor on the demand of each day, float64 (n_days,), of mean 1."""
    z = np.array([stream(seed, "noise", "demand", day).standard_normal() for day in range(n_days)])
    return np.exp(noise.demand_sigma * z - noise.demand_sigma**2 / 2)


def draw_course(instance: Instance, noise: Noise, seed: int, turn: Turn | None = None) -> Instance:
    """The instance as one course of things makes it: other departures and capacities, all else the same.

    Parameters
    ----------
    instance: the plan over a horizon; a longer horizon gives the same course on the days of a shorter one.
    seed: of the course. turn: from then on another seed decides.

    A trip that is late keeps its order of calls; it may run late all day. A trip that should have left before the turn
    keeps its lateness and running time. Weather and outages that began before it last as they would have; work rates of
    the day of the turn stay.
    """
    weather = _spells(instance, noise, seed, turn, "weather")
    outages = _spells(instance, noise, seed, turn, "outage")
    late, stretch, runs = _trips(instance, noise, seed, turn)
    first = _first_departure(instance)
    cn, day = instance.dp_cn, instance.dp_day
    trip = instance.cn_trip[cn]
    since = instance.cn_dep_min[cn] - first[trip]
    plan_dep = instance.dp_dep_min.astype(np.float64)
    dep = plan_dep + late[day, trip] + since * (stretch[day, trip] - 1)
    arr = dep + (instance.dp_arr_min - instance.dp_dep_min) * stretch[day, trip]
    keep = runs[day, trip]
    lane = instance.cn_lane[cn]
    ends = instance.lane_from[lane], instance.lane_to[lane]
    for spell in weather:
        touched = (plan_dep >= spell.begin) & (plan_dep < spell.end)
        touched &= (instance.fac_province[ends[0]] == spell.place) | (instance.fac_province[ends[1]] == spell.place)
        dep[touched] += spell.late_min
        arr[touched] += spell.late_min
    for spell in outages:
        keep &= ~((ends[0] == spell.place) & (plan_dep >= spell.begin) & (plan_dep < spell.end))
    works = _work(instance, noise, seed, turn, weather, outages)
    key = f"{noise.digest}|{seed}|{turn}"
    return _rebuild(instance, np.rint(dep).astype(np.int64), np.rint(arr).astype(np.int64), keep, works, key)


def _first_departure(instance: Instance) -> np.ndarray:
    """Minute from midnight of the service day at which each trip first leaves."""
    first = np.full(int(instance.cn_trip.max(initial=-1)) + 1, 1 << 30, np.int64)
    np.minimum.at(first, instance.cn_trip, instance.cn_dep_min)
    return first


def _seed_of_day(seed: int, turn: Turn | None, day: int) -> int:
    """The seed that decides what is drawn once for a whole day."""
    return turn.seed if turn is not None and day > turn.at // DAY_MIN else seed


def _trips(instance: Instance, noise: Noise, seed: int, turn: Turn | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minutes late, running time over the timetable's, and whether it runs, of each trip: (n_days, n_trip) each."""
    first = _first_departure(instance)
    mode = np.zeros(len(first), np.int8)
    mode[instance.cn_trip] = instance.lane_mode[instance.cn_lane]
    share, mean, sigma = (np.array(getattr(noise, name))[mode] for name in ("late_share", "late_min", "running_sigma"))

    def draw(seed: int, day: int) -> np.ndarray:
        chance = stream(seed, "noise", "trips", day)
        is_late, runs = chance.random((2, len(first)), dtype=np.float32)
        late = np.where(is_late < share, chance.exponential(size=len(first)) * mean, 0)
        stretch = np.clip(np.exp(sigma * chance.standard_normal(len(first))), LEAST_STRETCH, MOST_STRETCH)
        return np.stack([late, stretch, runs >= noise.cancel_share])

    drawn = np.empty((3, instance.n_days, len(first)))
    for day in range(instance.n_days):
        drawn[:, day] = draw(seed, day)
        if turn is not None:
            later = day * DAY_MIN + first >= turn.at
            if later.any():
                drawn[:, day, later] = draw(turn.seed, day)[:, later]
    return drawn[0], drawn[1], drawn[2] > 0


def _spells(instance: Instance, noise: Noise, seed: int, turn: Turn | None, kind: str) -> list[_Spell]:
    """Spells of bad weather or outages that begin within the horizon."""
    if kind == "weather":
        places = np.unique(instance.fac_province)
        per_day, hours = noise.weather_per_day, noise.weather_h
    else:
        places = np.flatnonzero(np.isin(instance.fac_kind, STOPPING))
        per_day, hours = noise.outage_per_day, noise.outage_h
    late, work = (noise.weather_min, noise.weather_work) if kind == "weather" else ((0, 0), (0, 0))

    def draw(seed: int, day: int) -> list[_Spell]:
        chance = stream(seed, "noise", kind, day)
        starts, at, lasts, adds, leaves = chance.random((5, len(places)))
        begin = day * DAY_MIN + at * DAY_MIN
        end = begin + 60 * (hours[0] + lasts * (hours[1] - hours[0]))
        minutes, rate = late[0] + adds * (late[1] - late[0]), work[0] + leaves * (work[1] - work[0])
        return [
            _Spell(int(places[one]), begin[one], end[one], minutes[one], rate[one])
            for one in np.flatnonzero(starts < per_day)
        ]

    spells = []
    for day in range(instance.n_days):
        spells += [spell for spell in draw(seed, day) if turn is None or spell.begin < turn.at]
        if turn is not None:
            spells += [spell for spell in draw(turn.seed, day) if spell.begin >= turn.at]
    return spells


def _work(
    instance: Instance, noise: Noise, seed: int, turn: Turn | None, weather: list[_Spell], outages: list[_Spell]
) -> dict[str, np.ndarray]:
    """What facilities can screen, sort and send out in each slot."""
    n_fac, per_day = instance.n_fac, instance.slots_per_day
    work, tours = np.empty((n_fac, instance.n_days)), np.empty((n_fac, instance.n_days))
    level = np.zeros(n_fac)
    memory = noise.work_memory
    for day in range(instance.n_days):
        z, tour = stream(_seed_of_day(seed, turn, day), "noise", "work", day).standard_normal((2, n_fac))
        level = z if day == 0 else memory * level + np.sqrt(1 - memory**2) * z
        work[:, day] = np.clip(1 + noise.work_sigma * level, 0.5, 1.5)
        tours[:, day] = np.clip(1 + noise.tour_sigma * tour, 0.5, 1.5)
    by_slot, tours_by_slot = (np.repeat(rate, per_day, axis=1) for rate in (work, tours))
    for spells, place in ((weather, instance.fac_province), (outages, np.arange(n_fac))):
        for spell in spells:
            first, last = int(spell.begin) // instance.slot_min, -(-int(spell.end) // instance.slot_min)
            inside = np.flatnonzero(place == spell.place)
            by_slot[inside, first:last] *= spell.work
            if spells is weather:
                tours_by_slot[inside, first:last] *= spell.work
    rates = {"sort_cap": by_slot, "screen_cap": by_slot, "wave_cap": tours_by_slot}
    return {name: _scaled(getattr(instance, name), rate) for name, rate in rates.items()}


def _scaled(capacity: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Capacities times rates, rounded; what a plan leaves unlimited stays so unless it stops."""
    scaled = np.rint(capacity * rate)
    return np.minimum(scaled, np.iinfo(np.int32).max).astype(np.int32)


def _rebuild(
    instance: Instance, dep: np.ndarray, arr: np.ndarray, keep: np.ndarray, works: dict[str, np.ndarray], key: str
) -> Instance:
    """The instance with other departures, in order of minute and connection."""
    slot, n_days = instance.slot_min, instance.n_days
    dep = np.maximum(dep, 0)
    keep = keep & (dep < n_days * DAY_MIN)
    rows = np.flatnonzero(keep)
    rows = rows[np.lexsort((instance.dp_cn[rows], dep[rows]))]
    cn, dep, arr = instance.dp_cn[rows], dep[rows], np.maximum(arr[rows], dep[rows] + 1)
    ready = np.maximum(-(-(arr + instance.cn_ready_min[cn]) // slot), dep // slot + 1)
    columns = {
        "dp_cn": cn,
        "dp_dep_min": dep.astype(np.int32),
        "dp_arr_min": arr.astype(np.int32),
        "dp_ready_slot": ready.astype(np.int32),
        "dp_day": instance.dp_day[rows],
        "dp_capf": instance.dp_capf[rows],
        "dp_ptr": np.searchsorted(dep, np.arange(0, n_days * DAY_MIN + 1, slot)).astype(np.int64),
    }
    return freeze(replace(instance, digest=f"{instance.digest}|{key}", **columns, **works))
