"""Money, energy and emissions: accounts of what a run did, every line an activity times a sourced rate or factor."""

from postroad.cost.account import CostAccount, account_cost
from postroad.cost.activity import Activity, sum_vehicle_work
from postroad.cost.carbon import CarbonAccount, account_carbon, chain_of_item
from postroad.cost.factors import Factor, choose_energy_factor, choose_vehicle_factor, stand_in_factor
from postroad.cost.rates import Rate, default_rates, set_rates

__all__ = [
    "Activity",
    "CarbonAccount",
    "CostAccount",
    "Factor",
    "Rate",
    "account_carbon",
    "account_cost",
    "chain_of_item",
    "choose_energy_factor",
    "choose_vehicle_factor",
    "default_rates",
    "set_rates",
    "stand_in_factor",
    "sum_vehicle_work",
]
