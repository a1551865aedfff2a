"""Kernels for the flow planner: what rides and centres carry when items follow soft values.

At every place an item's next step is a share of the ways from there: each has the ``weight`` of what it costs more than
the place's value, and the shares are the weights over their sum. ``soft_loads`` follows the shares as if nothing were
ever full; ``load_within`` follows them while there is room, so that what it loads is a plan that can be carried out.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.flowvalues import weight

__all__ = ["least_waiting", "load_within", "soft_loads"]

_ZERO, _ONE, _TINY = np.float32(0), np.float32(1), np.float32(1e-30)
_DUST = np.float32(1e-7)


@njit(fastmath=True)
def soft_loads(
    standing_in, standing_out, some_in, some_out, released, some_released, value_in, value_out, graph, ride_cost,
    sort_cost, wait_cost, warmth, ride_load, sort_load,
):  # fmt: skip
    """Move a day's items once round the ring; what crosses midnight stands there for the next round.

    Parameters
    ----------
    standing_in, standing_out: float32 (n_fac, n_slots, width), items in the sort queue and sorted; changed in place.
        What stands in a slot's sort queue when it is emptied is followed by ``released``, the same every day.
    some_in, some_out, some_released: bool (n_fac, n_slots), whether there is anything.
    ride_load: float64 (n_ride,), sort_load: float64 (n_fac, n_slots), items; added to.
    """
    n_fac, n_slots, width = standing_in.shape
    shares, part = np.empty((widest(graph.ptr) + 1, width), np.float32), np.empty(width, np.float32)
    for s in range(n_slots):
        later = s + 1 if s + 1 < n_slots else 0
        for f in range(n_fac):
            if some_in[f, s]:
                some_in[f, s] = some_released[f, s]
                done, left = _sort_softly(
                    standing_in[f, s], standing_in[f, later], standing_out[f, s], released[f, s], value_in[f, later],
                    value_out[f, s], sort_cost[f, s], wait_cost, warmth,
                )  # fmt: skip
                sort_load[f, s] += done
                some_out[f, s] |= done > 0
                some_in[f, later] |= left > 0
            if some_out[f, s]:
                some_out[f, s] = False
                if graph.goal[f] >= 0:
                    standing_out[f, s, graph.goal[f]] = _ZERO
                some_out[f, later] |= _leave_softly(
                    standing_in, some_in, standing_out[f, s], standing_out[f, later], value_in, value_out[f, s],
                    value_out[f, later], graph, ride_cost, wait_cost, warmth, ride_load, shares, part, f, s,
                )  # fmt: skip


@njit
def widest(ptr):
    """The most rides that leave one place."""
    most = 0
    for place in range(len(ptr) - 1):
        most = max(most, ptr[place + 1] - ptr[place])
    return most


@njit(fastmath=True)
def _sort_softly(queue, rest, out, fresh, ahead, here, cost, wait_cost, warmth):
    """Sort a share of what stands in a queue, which ``fresh`` then stands in; how many are sorted and how many wait."""
    rate = _ONE / (warmth * np.float32(256))
    done, left = _ZERO, _ZERO
    for d in range(len(queue)):
        gain = ahead[d] + wait_cost - here[d] - cost
        other = weight(abs(gain), rate)
        share = _ONE / (_ONE + other)
        n = queue[d] * (share if gain >= _ZERO else other * share)
        stays = queue[d] - n
        out[d] += n
        rest[d] += stays
        queue[d] = fresh[d]
        done += n
        left += stays
    return done, left


@njit(fastmath=True)
def _leave_softly(
    standing_in, some_in, out, rest, value_in, here, ahead, graph, ride_cost, wait_cost, warmth, ride_load, shares,
    part, f, s,
):  # fmt: skip
    """Let shares of what is sorted leave with the slot's rides; whether anything waits."""
    n_fac, n_slots, width = standing_in.shape
    rate = _ONE / (warmth * np.float32(256))
    first, last = graph.ptr[s * n_fac + f], graph.ptr[s * n_fac + f + 1]
    for d in range(width):
        shares[0, d] = weight(ahead[d] + wait_cost - here[d], rate)
        part[d] = shares[0, d] + _TINY
    for ride in range(first, last):
        beyond, cost = value_in[graph.head[ride], (s + graph.step[ride]) % n_slots], ride_cost[ride]
        share = shares[ride - first + 1]
        for d in range(width):
            share[d] = weight(beyond[d] + cost - here[d], rate)
            part[d] += share[d]
    for d in range(width):
        part[d] = out[d] / part[d]
    for ride in range(first, last):
        arrives = (s + graph.step[ride]) % n_slots
        target, share = standing_in[graph.head[ride], arrives], shares[ride - first + 1]
        total = _ZERO
        for d in range(width):
            n = part[d] * share[d]
            target[d] += n
            total += n
        if total > 0:
            ride_load[ride] += total
            some_in[graph.head[ride], arrives] = True
    left = _ZERO
    for d in range(width):
        n = part[d] * shares[0, d]
        n = n if n > _DUST else _ZERO
        rest[d] += n
        left += n
        out[d] = _ZERO
    return left > 0


@njit(fastmath=True)
def load_within(
    queue, out, some_in, some_out, value_in, value_out, graph, segments, closed, use_ptr, of_use, use_share, room,
    sort_room, ride_cost, sort_cost, wait_cost, warmth, ride_flow, sort_flow, n_rounds,
):  # fmt: skip
    """Load items round by round of the ring on what room is left; how many are still on the way afterwards.

    Every item's way is a way on the ring, and a ride or a slot of sorting is never loaded beyond its room, so what
    comes out can be carried out day after day, whatever the prices were. Items of the first round choose first; where
    shares are those of prices at which loads fit, nearly all find the room they ask for. What finds none waits.

    Parameters
    ----------
    queue, out: float32 (n_prod, n_fac, n_slots, width), items in the sort queue and sorted; emptied as they travel.
    segments: int64 (n_group + 1,), columns of each group; closed: bool (n_group, n_ride).
    use_ptr, of_use, use_share: resources used by rides, see ``postroad.flow.departures``; room: float64 (n_resource,),
        part of each that is left; sort_room: float64 (n_fac, n_slots), items. All changed in place.
    ride_cost: float32 (n_prod, n_ride), sort_cost: float32 (n_prod, n_fac, n_slots), wait_cost, warmth: float32
        (n_prod,): at prices, as the values are.
    ride_flow: float32 (n_prod, n_ride, width), sort_flow: float32 (n_prod, n_fac, n_slots, width), items; added to.
    n_rounds: rounds after which to stop.
    """
    n_fac, n_slots = some_in.shape
    shares = np.empty((len(queue), widest(graph.ptr) + 1, queue.shape[3]), np.float32)
    part = np.empty((len(queue), queue.shape[3]), np.float32)
    remaining = 0.0
    for _ in range(n_rounds):
        remaining = 0.0
        for s in range(n_slots):
            later = s + 1 if s + 1 < n_slots else 0
            for f in range(n_fac):
                if some_in[f, s]:
                    some_in[f, s] = False
                    if _sort_within(
                        queue, out, value_in, value_out, sort_room, sort_cost, wait_cost, warmth, sort_flow,
                        part, f, s, later,
                    ):  # fmt: skip
                        some_in[f, later] = True
                    some_out[f, s] = True
                if some_out[f, s]:
                    some_out[f, s] = False
                    if _leave_within(
                        queue, out, some_in, value_in, value_out, graph, segments, closed, use_ptr, of_use, use_share,
                        room, ride_cost, wait_cost, warmth, ride_flow, shares, part, f, s, later,
                    ):  # fmt: skip
                        some_out[f, later] = True
        for f in range(n_fac):
            for s in range(n_slots):
                if some_in[f, s]:
                    remaining += queue[:, f, s].sum()
                if some_out[f, s]:
                    remaining += out[:, f, s].sum()
        if remaining < 1.0:
            break
    return remaining


@njit(fastmath=True)
def _sort_within(
    queue, out, value_in, value_out, sort_room, sort_cost, wait_cost, warmth, sort_flow, part, f, s, later
):
    """Sort what wants to be and finds room; whether anything waits."""
    wanted = 0.0
    for p in range(len(queue)):
        ahead, here, here_in, cost = value_in[p, f, later], value_out[p, f, s], queue[p, f, s], sort_cost[p, f, s]
        rate, wait, total = _ONE / (warmth[p] * np.float32(256)), wait_cost[p], _ZERO
        for d in range(len(ahead)):
            gain = ahead[d] + wait - here[d] - cost
            other = weight(abs(gain), rate)
            share = _ONE / (_ONE + other)
            n = here_in[d] * (share if gain >= _ZERO else other * share)
            part[p, d] = n
            total += n
        wanted += total
    fits = np.float32(min(sort_room[f, s] / wanted, 1.0)) if wanted > 0 else _ZERO
    waits = False
    for p in range(len(queue)):
        here_in, here, rest, flow = queue[p, f, s], out[p, f, s], queue[p, f, later], sort_flow[p, f, s]
        total = _ZERO
        for d in range(len(here)):
            n = part[p, d] * fits
            stays = max(here_in[d] - n, _ZERO)
            here[d] += n
            flow[d] += n
            rest[d] += stays
            total += stays
            here_in[d] = _ZERO
        waits |= total > 0
    sort_room[f, s] = max(sort_room[f, s] - wanted * fits, 0.0)
    return waits


@njit(fastmath=True)
def _leave_within(
    queue, out, some_in, value_in, value_out, graph, segments, closed, use_ptr, of_use, use_share, room, ride_cost,
    wait_cost, warmth, ride_flow, shares, part, f, s, later,
):  # fmt: skip
    """Let what is sorted leave with the rides that it wants and that have room; whether anything waits."""
    n_prod, n_slots, goal = len(queue), queue.shape[2], graph.goal[f]
    first, last = graph.ptr[s * queue.shape[1] + f], graph.ptr[s * queue.shape[1] + f + 1]
    for p in range(n_prod):
        rate = _ONE / (warmth[p] * np.float32(256))
        if goal >= 0:
            out[p, f, s, goal] = _ZERO
        ahead, here, total = value_out[p, f, later], value_out[p, f, s], part[p]
        for d in range(len(here)):
            shares[p, 0, d] = weight(ahead[d] + wait_cost[p] - here[d], rate)
            total[d] = shares[p, 0, d] + _TINY
        for ride in range(first, last):
            if _room_for(ride, use_ptr, of_use, room) <= 0.0:
                continue
            beyond, cost = value_in[p, graph.head[ride], (s + graph.step[ride]) % n_slots], ride_cost[p, ride]
            share = shares[p, ride - first + 1]
            for group in range(len(segments) - 1):
                for d in range(segments[group], segments[group] if closed[group, ride] else segments[group + 1]):
                    share[d] = weight(beyond[d] + cost - here[d], rate)
                    total[d] += share[d]
        for d in range(len(here)):
            total[d] = out[p, f, s, d] / total[d]
    for ride in range(first, last):
        if _room_for(ride, use_ptr, of_use, room) <= 0.0:
            continue
        _ride_within(
            queue, out, some_in, graph, segments, closed, use_ptr, of_use, use_share, room, ride_flow, part,
            shares[:, ride - first + 1], f, s, ride,
        )  # fmt: skip
    waits = False
    for p in range(n_prod):
        here, rest, total = out[p, f, s], out[p, f, later], _ZERO
        for d in range(len(here)):
            n = here[d] if here[d] > _DUST else _ZERO
            rest[d] += n
            total += n
            here[d] = _ZERO
        waits |= total > 0
    return waits


@njit
def _room_for(ride, use_ptr, of_use, room):
    """The least part left of what a ride uses; nothing where it is less than a millionth."""
    least = 1.0
    for use in range(use_ptr[ride], use_ptr[ride + 1]):
        least = min(least, room[of_use[use]])
    return least if least > 1e-6 else 0.0


@njit(fastmath=True)
def _ride_within(
    queue, out, some_in, graph, segments, closed, use_ptr, of_use, use_share, room, ride_flow, part, shares, f, s, ride
):
    """Load one ride with what wants to take it, evenly less where that is more than it has room for."""
    n_prod, arrives, head = len(queue), (s + graph.step[ride]) % queue.shape[2], graph.head[ride]
    fits, any_load = 1.0, False
    wanted = np.zeros(n_prod)
    for p in range(n_prod):
        total = _ZERO
        for group in range(len(segments) - 1):
            for d in range(segments[group], segments[group] if closed[group, ride] else segments[group + 1]):
                total += part[p, d] * shares[p, d]
        wanted[p] = total
    for use in range(use_ptr[ride], use_ptr[ride + 1]):
        need = 0.0
        for p in range(n_prod):
            need += wanted[p] * use_share[p, use]
        if need > room[of_use[use]]:
            fits = min(fits, max(room[of_use[use]], 0.0) / need)
    for p in range(n_prod):
        target, flow, here, total = queue[p, head, arrives], ride_flow[p, ride], out[p, f, s], _ZERO
        for group in range(len(segments) - 1):
            for d in range(segments[group], segments[group] if closed[group, ride] else segments[group + 1]):
                n = min(part[p, d] * shares[p, d] * np.float32(fits), here[d])
                here[d] -= n
                target[d] += n
                flow[d] += n
                total += n
        wanted[p] = total
        any_load |= total > 0
    for use in range(use_ptr[ride], use_ptr[ride + 1]):
        for p in range(n_prod):
            room[of_use[use]] -= wanted[p] * use_share[p, use]
    if any_load:
        some_in[head, arrives] = True


@njit(fastmath=True)
def least_waiting(released, ride_flow, sort_flow, graph, waited):
    """Count the least waiting with which flows balance round the ring, whatever waiting they were made with.

    Where an item waits a whole round while others like it come and go, they change places: nobody need wait so long.

    Parameters
    ----------
    released: float32 (n_prod, n_fac, n_slots, n_td), ride_flow: float32 (n_prod, n_ride, n_td), sort_flow: as released.
    graph: with all destinations as columns.
    waited: float64 (n_prod,), item-slots; added to.
    """
    n_prod, n_fac, n_slots, width = released.shape
    queue, out = np.empty((n_fac, n_slots, width), np.float32), np.empty((n_fac, n_slots, width), np.float32)
    for p in range(n_prod):
        queue[:] = released[p] - sort_flow[p]
        out[:] = sort_flow[p]
        for s in range(n_slots):
            for f in range(n_fac):
                if graph.goal[f] >= 0:
                    out[f, s, graph.goal[f]] = _ZERO
                here = out[f, s]
                for ride in range(graph.ptr[s * n_fac + f], graph.ptr[s * n_fac + f + 1]):
                    target, flow = queue[graph.head[ride], (s + graph.step[ride]) % n_slots], ride_flow[p, ride]
                    for d in range(width):
                        here[d] -= flow[d]
                        target[d] += flow[d]
        waited[p] += _least_standing(queue) + _least_standing(out)


@njit(fastmath=True)
def _least_standing(change):
    """What stands from slot to slot, in item-slots, when as little as can be stands there.

    What a slot must find standing is what leaves in it or must stand after it beyond what comes; found backward, twice
    round the ring. Items that come and never leave were given up, and stand nowhere.
    """
    n_fac, n_slots, width = change.shape
    needed = np.empty(width, np.float32)
    total = 0.0
    for f in range(n_fac):
        needed[:] = 0
        for turn in range(2 * n_slots - 1, -1, -1):
            row, part = change[f, turn % n_slots], _ZERO
            for d in range(width):
                needed[d] = max(needed[d] - row[d], _ZERO)
                part += needed[d]
            if turn < n_slots:
                total += part
    return total
