"""Single items: the same counts as the flows, weights with the product's mean."""

import numpy as np
import pytest

from kit.demand import make_instance, make_network
from postroad.core.errors import InputError
from postroad.demand.build import flows_for
from postroad.demand.expansion import expand_flows, items_from_flows

AREAS = [("A", "a", True, True), ("B", "b", True, True)]
DEMAND = [("a", "b", "express", 100), ("a", "a", "standard", 50), ("b", "a", "standard", 250)]
MEAN_G, MEAN_CM3 = np.array([1200, 2200]), np.array([6000, 11000])


@pytest.fixture(scope="module")
def flows():
    network = make_network(AREAS, demand=DEMAND)
    return flows_for(make_instance(network), network, np.array([300, 40_000, 7]), seed=3)


def test_items_have_the_counts_of_the_flows(flows):
    rows = expand_flows(flows, [0, 2], MEAN_G, MEAN_CM3)
    assert len(rows.gid) == 307
    for day in (0, 2):
        mine = rows.day == day
        counts = np.zeros((24, 2, flows.n_pair), np.int32)
        np.add.at(counts, (rows.release[mine], rows.product[mine], rows.pair[mine]), 1)
        assert (counts == flows.day_counts(day)).all()
    gid = ((rows.day.astype(int) * 24 + rows.release) * 2 + rows.product) * flows.n_pair + rows.pair
    assert (gid == rows.gid).all()
    assert (np.diff(rows.gid) >= 0).all()
    assert (rows.accepted_min == rows.day * 1440 + flows.release_min[rows.release]).all()


def test_weights_have_the_mean_of_their_product_and_the_documented_spread(flows):
    rows = expand_flows(flows, [1], MEAN_G, MEAN_CM3, seed=5)
    for product in range(2):
        g, cm3 = rows.g[rows.product == product], rows.cm3[rows.product == product]
        assert g.mean() == pytest.approx(MEAN_G[product], rel=4 * 2 / np.sqrt(len(g)))
        assert cm3.mean() == pytest.approx(MEAN_CM3[product], rel=4 * 2.2 / np.sqrt(len(g)))
        inside = np.log(g[(g > 20) & (g < 50_000)])
        assert inside.std() == pytest.approx(1.27, rel=0.05)
    assert rows.g.min() >= 20
    assert rows.g.max() <= 50_000


def test_heavy_products_keep_their_mean_too(flows):
    rows = expand_flows(flows, [1], np.array([1200, 60_000]), MEAN_CM3)
    assert rows.g[rows.product == 1].mean() == pytest.approx(60_000, rel=0.05)


def test_without_spread_every_item_has_the_means(flows):
    rows = expand_flows(flows, [0], MEAN_G, MEAN_CM3, is_spread=False)
    assert (rows.g == MEAN_G[rows.product]).all()
    assert (rows.cm3 == MEAN_CM3[rows.product]).all()


def test_a_days_items_do_not_depend_on_the_other_days(flows):
    alone = expand_flows(flows, [2], MEAN_G, MEAN_CM3, seed=9)
    among = expand_flows(flows, [0, 2], MEAN_G, MEAN_CM3, seed=9)
    assert (among.g[-7:] == alone.g).all()
    assert (among.gid[-7:] == alone.gid).all()


def test_the_twin_gets_items_with_their_promise(flows):
    promise_k = np.arange(24 * 2 * flows.n_pair).reshape(2, 24, flows.n_pair).astype(np.int8) % 5
    items = items_from_flows(flows, [2], promise_k, MEAN_G, MEAN_CM3, is_traced=False)
    rows = expand_flows(flows, [2], MEAN_G, MEAN_CM3)
    assert (items.promise_day == 2 + promise_k[rows.product, rows.release, rows.pair]).all()
    assert (items.origin == flows.origin[rows.pair]).all()
    assert (items.destination == flows.destination[rows.pair]).all()
    assert not items.traced
    assert [items.promise_day.dtype, items.g.dtype, items.product.dtype] == [np.int16, np.int32, np.int8]


def test_too_many_items_are_refused():
    network = make_network(AREAS, demand=DEMAND)
    flows = flows_for(make_instance(network), network, np.array([300_000_000]))
    with pytest.raises(InputError) as caught:
        expand_flows(flows, [0], MEAN_G, MEAN_CM3)
    assert caught.value.code == "PR-D120"
