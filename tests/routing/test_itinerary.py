"""Itineraries on the tiny feed: as printed, as data, and what is refused."""

import importlib.util
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from postroad.core.errors import InfeasibleError, InputError, NotFound
from postroad.network.compile import compile_network
from postroad.network.feed import read
from postroad.routing.itinerary import find_endpoint, route
from postroad.routing.itinerarytext import print_itineraries

spec = importlib.util.spec_from_file_location("regenerate", Path(__file__).parent / "regenerate.py")
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)

NOON = datetime.fromisoformat("2025-11-11T12:00+08:00")


@pytest.fixture(scope="module")
def network():
    return read("tiny")


@pytest.fixture(scope="module")
def instance(network):
    return compile_network(network, day=network.meta.base_date, n_days=7)


@pytest.mark.parametrize("case", golden.CASES)
def test_prints_as_before(case):
    assert golden.page(case) == (golden.FOLDER / f"{case}.txt").read_text(encoding="utf-8")


def test_steps_follow_one_another_and_add_up(network, instance):
    for product in instance.prod_id:
        for found in route(network, instance, "O-YYO", "S-EZH", NOON, product, slack_min=0, slack_share=0):
            assert found.accepted_at == NOON
            assert found.joined_at == NOON + timedelta(minutes=60)
            at, place = found.sorted_at, found.origin
            for hop in found.hops:
                assert hop.start == place
                assert at <= hop.departs_at < hop.arrives_at < hop.queued_at <= hop.sorted_at
                at, place = hop.sorted_at, hop.end
            assert (place, at, found.hops[-1].arrives_at) == (found.destination, found.ready_at, found.arrives_at)
            assert found.out_at >= found.ready_at
            handling = network.tables["facilities"].select("facility_id", "cost_yuan_per_item")
            handling = dict(handling.iter_rows())
            stops = [found.origin.id, *(hop.end.id for hop in found.hops)]
            assert found.cost_yuan == pytest.approx(
                sum(h.cost_yuan for h in found.hops) + sum(handling[s] for s in stops)
            )
            assert found.gco2e == pytest.approx(sum(hop.gco2e for hop in found.hops), abs=0.3)
            assert found.km == pytest.approx(sum(hop.km for hop in found.hops))


def test_a_barred_mode_is_not_used(network, instance):
    modes = {
        product: {
            hop.mode
            for found in route(network, instance, "S-HGH", "S-EZH", NOON, product, slack_min=0, slack_share=0)
            for hop in found.hops
        }
        for product in ("express", "standard")
    }
    assert "air" in modes["express"]
    assert "air" not in modes["standard"]


def test_a_cut_off_sends_to_the_next_wave(network, instance):
    found = route(network, instance, "O-TLU", "H-WUH", datetime.fromisoformat("2025-11-11T10:00+08:00"), "express")[-1]
    assert f"{found.ready_at:%H:%M}" == "07:35"
    assert f"{found.out_at:%d %H:%M}" == "12 13:30"


def test_data_is_json_with_offsets(network, instance):
    data = json.loads(
        json.dumps(route(network, instance, "S-HGH", "H-WUH", NOON, "express")[0].data(), ensure_ascii=False)
    )
    assert data["accepted_at"] == "2025-11-11T12:00:00+08:00"
    assert data["origin"] == {"id": "S-HGH", "name": "杭州分拨中心", "name_en": "Hangzhou sorting centre"}
    assert data["hops"][0]["mode"] in ("road", "rail", "air")
    assert data["label"] == "modelled"


def test_without_a_wave_the_text_says_so(network, instance):
    no_waves = replace(instance, wave_cap=np.zeros_like(instance.wave_cap))
    found = route(network, no_waves, "S-HGH", "H-WUH", NOON, "express")
    assert found[0].out_at is None
    assert "no delivery wave within the horizon" in print_itineraries(found)
    assert "没有派送频次" in print_itineraries(found, "zh")


@pytest.mark.parametrize(
    ("text", "facility_id"),
    [
        ("S-HGH", "S-HGH"),
        (" o-tlu ", "O-TLU"),
        ("330281", "O-YYO"),
        ("武汉市", "H-WUH"),
        ("Tonglu outlet", "O-TLU"),
        ("ezhou", "S-EZH"),
        ("武汉", "H-WUH"),
        ("Ezh", "S-EZH"),
    ],
)
def test_endpoints_are_found_by_id_place_and_name(network, instance, text, facility_id):
    assert instance.fac_id[find_endpoint(network, instance, text)] == facility_id


@pytest.mark.parametrize("text", ["Wuhen hub", "", "CN", "Yu?"])
def test_an_unknown_endpoint_is_refused(network, instance, text):
    with pytest.raises(NotFound) as refusal:
        find_endpoint(network, instance, text)
    assert refusal.value.code == "PR-R120"
    assert ("wuhan hub" in refusal.value.fix()) == (text == "Wuhen hub")


def test_an_unknown_product_is_refused(network, instance):
    with pytest.raises(NotFound) as refusal:
        route(network, instance, "S-HGH", "H-WUH", NOON, "expres")
    assert refusal.value.code == "PR-R123"
    assert "express" in refusal.value.fix("zh")


@pytest.mark.parametrize("days", [-1, 7])
def test_acceptance_outside_the_horizon_is_refused(network, instance, days):
    with pytest.raises(InputError) as refusal:
        route(network, instance, "S-HGH", "H-WUH", NOON + timedelta(days=days), "express")
    assert refusal.value.code == "PR-R121"
    assert "2025-11-18" in str(refusal.value)


def test_what_cannot_be_reached_is_refused(network, instance):
    none = replace(instance, dp_capf=np.zeros_like(instance.dp_capf))
    shut = replace(instance, screen_cap=np.zeros_like(instance.screen_cap))
    for broken in (none, shut):
        with pytest.raises(InfeasibleError) as refusal:
            route(network, broken, "S-HGH", "H-WUH", NOON, "express")
        assert refusal.value.code == "PR-R122"
        assert "S-HGH" in refusal.value.message("zh")
