"""The board: where every item in custody stands now, what carries it, and when it is expected.

Items, units and runs of trips are nodes; a node knows its last event, the unit that it is in and the run that it is
aboard. An item is where the outermost of what carries it was seen last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from postroad.events.kinds import kinds
from postroad.ledger.carriage import BOARDING, DELIVERY_PHASE, PUT_IN, TAKEN_OUT
from postroad.routing.outlook import FAILED, UNDERWAY, Outlook
from postroad.watch.features import Standing, stand
from postroad.watch.forecaster import Forecast, Forecaster, timetable_forecast
from postroad.watch.histories import DELIVERED, STAGE_OF_KIND, Histories, minutes_of, place_of, read_delays
from postroad.watch.trips import Connections

__all__ = ["Board", "Place"]

DEEPEST = 16
"""Units are followed so many deep."""

NEVER = -(1 << 60)
FIELDS = {
    "stage": (np.int8, -1), "facility": (np.int32, -1), "minute": (np.int64, NEVER), "trip": (np.int32, -1),
    "parent": (np.int32, -1), "since": (np.int64, NEVER), "by_loading": (np.bool_, False),
    "run": (np.int32, -1), "emptied": (np.int64, NEVER), "late": (np.float32, np.nan), "told": (np.int64, NEVER),
    "origin": (np.int32, -1), "destination": (np.int32, -1), "product": (np.int8, -1), "accepted": (np.int64, -1),
    "promise": (np.int64, -1), "attempts": (np.int8, 0), "first_door": (np.float64, np.nan),
    "door": (np.float64, np.nan), "last_door": (np.float64, np.nan), "stood": (np.int64, NEVER),
    "last_minute": (np.int64, NEVER), "p50": (np.float64, np.nan), "p90": (np.float64, np.nan),
    "risk": (np.float64, np.nan), "is_item": (np.bool_, False),
}  # fmt: skip
"""What is kept of a node, and what it is before anything is known. Minutes are from the epoch."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where items are, a row an item that was asked for.

    Attributes
    ----------
    stage: int8, index into STAGES, DELIVERED, or -1 where nothing is known. facility: int32, where it was seen last.
    minute: int64, when, from the epoch. carriers: how many units it is in, int8. trip_late: float32, minutes by which
    the vehicle that carries it said it is late; NaN where none did.
    """

    stage: np.ndarray
    facility: np.ndarray
    minute: np.ndarray
    carriers: np.ndarray
    trip_late: np.ndarray


class Board:
    """The state of items in custody, kept by each batch of events.

    Parameters
    ----------
    outlook: of the plan that the trips run by. forecaster: what was learned; without it the timetable forecasts.
    means: of the conditions by hour from the epoch, as :class:`postroad.watch.lessons.Lesson` has them; asked for with
        a forecaster.
    """

    def __init__(self, outlook: Outlook, forecaster: Forecaster | None = None, means: np.ndarray | None = None) -> None:
        self.outlook, self._forecaster, self.means = outlook, forecaster, means
        self._connections = Connections(outlook.instance)
        self._nodes: dict[tuple[str, object], int] = {}
        self._n = 0
        self._columns = {name: np.full(1024, start, dtype) for name, (dtype, start) in FIELDS.items()}
        instance = outlook.instance
        self._facilities, self._products, self._trips, self._kinds = (
            {name: place for place, name in enumerate(names or ())}
            for names in (instance.fac_id, instance.prod_id, instance.trip_id, kinds())
        )

    def __len__(self) -> int:
        """How many items the board knows."""
        return int(self._columns["is_item"][: self._n].sum())

    def take_records(self, items: pl.DataFrame) -> None:
        """Take item records: columns ``item_id``, ``product_id``, ``origin_id``, ``destination_id``, ``accepted_at``,
        ``promise_at``."""
        nodes, columns = self._find("item", items["item_id"].cast(pl.String)), self._columns
        columns["is_item"][nodes] = True
        columns["origin"][nodes] = _codes(items["origin_id"], self._facilities)
        columns["destination"][nodes] = _codes(items["destination_id"], self._facilities)
        columns["product"][nodes] = _codes(items["product_id"], self._products)
        for name in ("accepted", "promise"):
            columns[name][nodes] = items.select(minutes_of(f"{name}_at", self.outlook.instance)).to_series().to_numpy()

    def note(self, events: pl.DataFrame) -> np.ndarray:
        """Take events, and forecast anew what they move; how a thing was before an older event stays.

        Parameters
        ----------
        events: columns of ``events``; no corrections among them.

        Returns
        -------
        Nodes of the items that moved, int32, for :meth:`ids`.
        """
        events = events.sort("occurred_at", maintain_order=True)
        moved = [self._note_delays(events)]
        for subject in ("unit", "item"):
            own = events.filter(pl.col(f"{subject}_id").is_not_null() & _is_about(subject))
            if own.height:
                moved.append(self._note_own(subject, own))
        items = self._aboard(np.unique(np.concatenate(moved)))
        self._expect(items)
        return items

    def find(self, item_ids: list[str]) -> np.ndarray:
        """The nodes of items, int32; -1 for what the board does not know."""
        return np.array([self._nodes.get(("item", name), -1) for name in item_ids], np.int32)

    def ids(self, nodes: np.ndarray) -> list[str]:
        """The item ids of nodes."""
        wanted = set(nodes.tolist())
        named = {node: str(name) for (_, name), node in self._nodes.items() if node in wanted}
        return [named[node] for node in nodes.tolist()]

    def places(self, nodes: np.ndarray) -> Place:
        """Where items are; of the nodes that :meth:`find` gives."""
        stage, facility, minute, _, run, depth = self._seen(nodes)
        told = self._tells(stage, minute, run)
        columns = self._columns
        at_run = told & (columns["facility"][run] >= 0)
        return Place(
            stage, np.where(at_run, columns["facility"][run], facility),
            np.where(told, columns["told"][run], minute), depth,
            np.where(told, columns["late"][run], np.nan).astype(np.float32),
        )  # fmt: skip

    def forecasts(self, nodes: np.ndarray) -> Forecast:
        """What is expected of items, as it was at their last event or that of what carries them."""
        columns = self._columns
        basis = "learned" if self._forecaster else "timetable"
        return Forecast(columns["p50"][nodes], columns["p90"][nodes], columns["risk"][nodes], basis)

    def _find(self, subject: str, names: pl.Series) -> np.ndarray:
        """The nodes of names, made where there are none; int32."""
        unique = names.unique(maintain_order=True)
        number = {}
        for name in unique.to_list():
            key = (subject, name)
            node = self._nodes.get(key)
            if node is None:
                node = self._nodes[key] = self._n
                self._n += 1
            number[name] = node
        self._make_room()
        return names.replace_strict(number, return_dtype=pl.Int32).to_numpy()

    def _make_room(self) -> None:
        """Let the arrays have a place for each node."""
        size = len(self._columns["stage"])
        if self._n > size:
            more = max(self._n, 2 * size) - size
            for name, (dtype, start) in FIELDS.items():
                self._columns[name] = np.concatenate([self._columns[name], np.full(more, start, dtype)])

    def _note_delays(self, events: pl.DataFrame) -> np.ndarray:
        """Take what trips tell of their delays; the nodes of their runs."""
        delays = read_delays(events, self.outlook.instance)
        if not delays.height:
            return np.zeros(0, np.int32)
        nodes = self._runs(delays["trip"].to_numpy(), delays["day"].to_numpy())
        minute, columns = delays["occurred_at"].to_numpy(), self._columns
        newer = np.flatnonzero(minute >= columns["told"][nodes])
        columns["told"][nodes[newer]], columns["late"][nodes[newer]] = minute[newer], delays["late"].to_numpy()[newer]
        where = _codes(delays["facility_id"], self._facilities)[newer]
        columns["facility"][nodes[newer[where >= 0]]] = where[where >= 0]
        return nodes[newer]

    def _runs(self, trip: np.ndarray, day: np.ndarray) -> np.ndarray:
        """The nodes of trips on service days."""
        return self._find("run", pl.Series(trip.astype(np.int64) << 20 | day.astype(np.int64)))

    def _note_own(self, subject: str, events: pl.DataFrame) -> np.ndarray:
        """Take the events about items or units; their nodes. One event of each thing at a time, in order."""
        unit = pl.element().filter(pl.element().struct.field("role") == "unit").struct.field("id")
        related = events["related"] if "related" in events.columns else pl.Series([None] * events.height, dtype=PAIRS)
        units = pl.select(related.list.eval(unit).list.first()).to_series().cast(pl.String)
        nodes = self._find(subject, events[f"{subject}_id"].cast(pl.String))
        holders = np.full(events.height, -1, np.int32)
        held = units.is_not_null().to_numpy()
        if held.any():
            holders[held] = self._find("unit", units.drop_nulls())
        trip = _codes(events["trip_id"], self._trips)
        facility, kind = _codes(events["facility_id"], self._facilities), _codes(events["kind"], self._kinds)
        minute = events.select(minutes_of("occurred_at", self.outlook.instance)).to_series().to_numpy()
        order = np.argsort(nodes, kind="stable")
        begins = np.r_[True, np.diff(nodes[order]) != 0]
        nth = np.empty(len(nodes), np.int64)
        nth[order] = np.arange(len(nodes)) - np.maximum.accumulate(np.where(begins, np.arange(len(nodes)), 0))
        columns = self._columns
        columns["is_item"][nodes] |= subject == "item"
        for turn in range(int(nth.max()) + 1):
            rows = np.flatnonzero((nth == turn) & (minute >= columns["minute"][nodes]))
            self._obey(subject, nodes[rows], kind[rows], minute[rows], facility[rows], trip[rows], holders[rows])
        return np.unique(nodes)

    def _obey(self, subject, node, kind, minute, facility, trip, holder) -> None:
        """What one event of each of some nodes changes."""
        columns, table = self._columns, _TRAITS
        stage = table["stage"][kind]
        knows = stage >= 0
        columns["stage"][node[knows]], columns["trip"][node[knows]] = stage[knows], trip[knows]
        columns["minute"][node] = minute
        placed = facility >= 0
        columns["facility"][node[placed]] = facility[placed]
        columns["attempts"][node[stage == FAILED]] += 1
        puts = table["puts_in"][kind] & (holder >= 0)
        taken, ends = table["takes_out"][kind], table["ends"][kind]
        emptied = taken & (holder < 0) & (subject == "unit")
        columns["emptied"][node[emptied]] = minute[emptied]
        taken = taken & ~emptied
        off = table["unloads"][kind] | (table["is_there"][kind] & ~taken)
        leaves_unit = puts | taken | ends | (table["unloads"][kind] & columns["by_loading"][node])
        columns["parent"][node[leaves_unit]] = -1
        columns["run"][node[taken | ends | off]] = -1
        columns["parent"][node[puts]], columns["since"][node[puts]] = holder[puts], minute[puts]
        columns["by_loading"][node[puts]] = table["loads"][kind[puts]]
        boards = table["boards"][kind] & (trip >= 0) & (facility >= 0)
        if boards.any():
            day = self._connections.service_day(trip[boards], facility[boards], minute[boards])
            runs = self._runs(trip[boards], np.maximum(day, 0))
            self._columns["run"][node[boards]] = np.where(day >= 0, runs, -1)

    def _aboard(self, nodes: np.ndarray) -> np.ndarray:
        """The items among nodes, and those that are in or aboard them to any depth; int32, rising."""
        n, columns = self._n, self._columns
        mask = np.zeros(n + 1, bool)
        mask[nodes] = True
        parent, run = columns["parent"][:n], columns["run"][:n]
        since, emptied = columns["since"][:n], columns["emptied"]
        parent = np.where((parent >= 0) & (emptied[parent] <= since), parent, n)
        is_item, carries = columns["is_item"][:n], mask[:n] & ~columns["is_item"][:n]
        if carries.any():
            for _ in range(DEEPEST):
                more = mask[parent] | mask[run]
                more &= ~mask[:n]
                if not more.any():
                    break
                mask[:n] |= more
        return np.flatnonzero(mask[:n] & is_item).astype(np.int32)

    def _seen(self, nodes: np.ndarray) -> tuple[np.ndarray, ...]:
        """Stage, facility, minute and trip of what was seen last of things or of what carries them, the run that they
        are aboard and how many units deep they are."""
        columns = self._columns
        own = [columns[name][nodes] for name in ("stage", "facility", "minute", "trip", "run")]
        stage, facility, minute, trip, run = own
        depth = np.zeros(len(nodes), np.int8)
        floor, holder = columns["since"][nodes], columns["parent"][nodes]
        rows = np.flatnonzero((holder >= 0) & (columns["emptied"][holder] <= floor))
        for _ in range(DEEPEST):
            if not len(rows):
                break
            unit = holder[rows]
            depth[rows] += 1
            told = columns["minute"][unit]
            newer = (columns["stage"][unit] >= 0) & (told >= floor[rows]) & (told >= minute[rows])
            at, by = rows[newer], unit[newer]
            stage[at], facility[at] = columns["stage"][by], columns["facility"][by]
            minute[at], trip[at] = told[newer], columns["trip"][by]
            aboard = columns["run"][unit] >= 0
            run[rows[aboard]] = columns["run"][unit[aboard]]
            floor[rows] = np.maximum(floor[rows], columns["since"][unit])
            holder[rows] = columns["parent"][unit]
            up = holder[rows]
            rows = rows[(up >= 0) & (columns["emptied"][up] <= floor[rows])]
        return stage, facility, minute, trip, run, depth

    def _tells(self, stage: np.ndarray, minute: np.ndarray, run: np.ndarray) -> np.ndarray:
        """Which things the vehicle tells more of than was seen of them."""
        return (stage == UNDERWAY) & (run >= 0) & (self._columns["told"][run] > minute)

    def _expect(self, items: np.ndarray) -> None:
        """Forecast items anew."""
        columns = self._columns
        stage, facility, minute, trip, run, _ = self._seen(items)
        told = np.flatnonzero(self._tells(stage, minute, run))
        n = len(items)
        row_item = np.concatenate([np.arange(n), told])
        order = np.argsort(row_item, kind="stable")
        late = np.concatenate([np.full(n, np.nan, np.float32), columns["late"][run[told]]])
        rows = [np.concatenate([one, one[told]])[order] for one in (stage, facility, trip)]
        when = np.concatenate([minute, columns["told"][run[told]]])[order]
        histories = Histories(
            pl.Series([], dtype=pl.String), *(columns[name][items] for name in ("origin", "destination", "product")),
            columns["accepted"][items], columns["promise"][items], np.full(n, -1, np.int64),
            row_item[order].astype(np.int32), rows[0], when, rows[1], rows[2], late[order],
        )  # fmt: skip
        standing, _ = stand(histories, self.outlook, self._connections)
        last = standing.last_rows()
        node = items[standing.item[last]]
        columns["p50"][items], columns["p90"][items], columns["risk"][items] = np.nan, np.nan, np.nan
        standing = self._remember(standing, last, node)
        if self._forecaster is None or self.means is None:
            found = timetable_forecast(standing, np.arange(len(last)), self.outlook)
        else:
            found = self._forecaster.forecast(standing, np.arange(len(last)), self.means, 0, self.outlook)
        columns["p50"][node], columns["p90"][node], columns["risk"][node] = found.p50_min, found.p90_min, found.late

    def _remember(self, standing: Standing, last: np.ndarray, node: np.ndarray) -> Standing:
        """The last rows of a standing with what the board knows of the events before them."""
        columns = self._columns
        kept = Standing(*(getattr(standing, name)[last] for name in Standing.__slots__))
        moves = kept.minute > columns["stood"][node]
        is_first = columns["stood"][node] == NEVER
        columns["last_door"][node] = np.where(
            is_first, kept.door, np.where(moves, columns["door"][node], columns["last_door"][node])
        )
        columns["last_minute"][node] = np.where(
            is_first, kept.minute, np.where(moves, columns["stood"][node], columns["last_minute"][node])
        )
        columns["first_door"][node] = np.where(is_first, kept.door, columns["first_door"][node])
        columns["door"][node], columns["stood"][node] = kept.door, kept.minute
        return replace(
            kept, first_door=columns["first_door"][node], last_door=columns["last_door"][node],
            last_minute=columns["last_minute"][node], attempts=columns["attempts"][node],
        )  # fmt: skip


PAIRS = pl.List(pl.Struct({"role": pl.String, "id": pl.String}))


def _is_about(subject: str) -> pl.Expr:
    """Whether an event is about a thing of a sort: an item's event may name its unit, a unit's names no item."""
    return pl.lit(value=True) if subject == "item" else pl.col("item_id").is_null()


def _codes(names: pl.Series, number: dict[str, int]) -> np.ndarray:
    """Places of names, int32; -1 for none."""
    return names.to_frame("name").select(place_of("name", number, pl.Int32)).to_series().to_numpy()


def _traits() -> dict[str, np.ndarray]:
    """What events of each kind do to a stay, by index of the kind; as :mod:`postroad.ledger.carriage` reads them."""
    traits = {name: [] for name in ("stage", "puts_in", "loads", "takes_out", "ends", "boards", "unloads", "is_there")}
    for kind in kinds().values():
        name = kind.kind
        traits["stage"].append(STAGE_OF_KIND.get(name, DELIVERED if kind.ends == "life" else -1))
        traits["puts_in"].append(name in PUT_IN)
        traits["loads"].append(name == "loaded")
        traits["takes_out"].append(name == TAKEN_OUT)
        traits["ends"].append(bool(kind.ends) or (kind.phase is not None and kind.phase >= DELIVERY_PHASE))
        traits["boards"].append(name in BOARDING or name.startswith("departed"))
        traits["unloads"].append(name == "unloaded")
        traits["is_there"].append(kind.state not in ("", "in_transit") and name not in PUT_IN)
    return {name: np.array(values, np.int8 if name == "stage" else bool) for name, values in traits.items()}


_TRAITS = _traits()
