"""The steps of a run as people call them."""

from __future__ import annotations

from postroad.report.text import Text

__all__ = ["stage_text"]

_TEXTS = {
    "check": Text("check the feed", "检查数据包"),
    "compile": Text("compile the network", "编译网络"),
    "demand": Text("make the demand", "生成业务量"),
    "route": Text("route all pairs", "计算全网路由"),
    "promise": Text("promise deliveries", "计算承诺时限"),
    "simulate": Text("move the items", "仿真运行"),
    "measure": Text("measure", "计算指标"),
    "write": Text("write the run", "写入运行结果"),
    "report": Text("draw the report", "生成报告"),
    "flow plan": Text("plan the flow", "制定流量计划"),
    "surge": Text("plan the surge", "制定高峰保障计划"),
    "surge bound": Text("prove the least cost", "证明费用下限"),
    "reroute": Text("find new ways", "寻找改道路径"),
    "routing tables": Text("route all pairs", "计算全网路由"),
    "evaluate": Text("check the plan", "核验计划"),
    "keep": Text("write the plan", "写入计划"),
    "relief": Text("send the relief", "调运救援物资"),
    "reserves": Text("look for reserves", "查找后备"),
    "keep drill": Text("write the drill", "写入演练结果"),
    "open": Text("open the run", "打开运行结果"),
}


def stage_text(name: str) -> Text:
    """A step in both languages; a name that is not known stands for itself.

    >>> stage_text("route").zh
    '计算全网路由'
    """
    return _TEXTS.get(name, Text(name, name))
