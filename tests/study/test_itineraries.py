"""Itineraries and feeds as jobs."""

from datetime import datetime

import pytest

from kit.feeds import FeedFolder
from postroad.core.errors import InfeasibleError, InputError, NotFound
from postroad.network.feed import read
from postroad.study.feeds import create_feed, draw_feed, examine_feed, read_feed, summarise_feed
from postroad.study.itineraries import find_itineraries


@pytest.mark.parametrize(("origin", "destination"), [("S-HGH", "H-WUH"), ("杭州市", "武汉市"), ("hangzhou", "420100")])
def test_places_are_found_by_id_and_name(origin, destination):
    found = find_itineraries("tiny", origin, destination, "2025-11-11T20:00")
    assert (found[0].origin.id, found[0].destination.id) == ("S-HGH", "H-WUH")
    assert found[0].product_id == "express"
    assert found[0].accepted_at.isoformat() == "2025-11-11T20:00:00+08:00"
    assert [one.arrives_at for one in found] == sorted(one.arrives_at for one in found)


def test_an_instant_may_be_of_another_zone():
    here = find_itineraries("tiny", "S-HGH", "H-WUH", "2025-11-11T20:00")
    there = find_itineraries(read("tiny"), "S-HGH", "H-WUH", datetime.fromisoformat("2025-11-11T12:00+00:00"))
    assert here == there


def test_trips_of_the_day_before_are_taken():
    first = find_itineraries("tiny", "S-HGH", "H-WUH", "2025-11-11T20:00")[0]
    early = find_itineraries("tiny", "S-HGH", "H-WUH", "2025-11-11T22:00", product="express")[0]
    assert first.arrives_at <= early.arrives_at


def test_what_is_refused():
    for call, error, code in (
        (lambda: find_itineraries("tiny", "S-HGH", "H-WUH", "tomorrow"), InputError, "PR-C021"),
        (lambda: find_itineraries("tiny", "S-HGH", "Atlantis", "2025-11-11T20:00"), NotFound, "PR-R120"),
        (lambda: find_itineraries("tiny", "S-HGH", "H-WUH", "2025-11-11T20:00", product="x"), NotFound, "PR-R123"),
        (lambda: find_itineraries("tiny", "S-HGH", "H-WUH", "2025-11-11T20:00", n_days=1), InfeasibleError, "PR-R122"),
    ):
        with pytest.raises(error) as raised:
            call()
        assert raised.value.code == code


def test_a_feed_that_is_broken_is_refused(tmp_path):
    feed = FeedFolder(tmp_path / "mine")
    feed.set("facilities", 2, sort_items_per_h=-5)
    assert not read("tiny").check().errors
    assert examine_feed(tmp_path / "mine").findings.errors
    with pytest.raises(InputError):
        find_itineraries(tmp_path / "mine", "S-HGH", "H-WUH", "2025-11-11T20:00")


def test_feeds_are_started_summed_up_and_drawn(tmp_path):
    folder = create_feed(tmp_path / "mine", example=True)
    network = read_feed(folder)
    assert network.digest == read("tiny").digest
    assert summarise_feed(network).n_facilities["sorting"] == 3
    page = draw_feed(network, tmp_path / "map.html").read_text(encoding="utf-8")
    assert "武汉枢纽" in page
    with pytest.raises(InputError, match="PR-C030"):
        create_feed(folder)
