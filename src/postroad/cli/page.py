"""The reference pages of the command line and of the codes, written from what declares them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, get_args, get_origin, get_type_hints

from typer.models import OptionInfo

from postroad.cli.verbs import VERBS, Verb
from postroad.core.errors import CodeEntry, registry

__all__ = ["write_codes_page", "write_command_page"]

ROOMS = {
    "C": "Core: ids, clock, units 核心",
    "F": "Feed files and format 数据文件与格式",
    "T": "Feed tables 数据表",
    "N": "Network and compilation 网络与编译",
    "D": "Demand 需求",
    "R": "Routing 路由",
    "G": "Flow plan 流量计划",
    "W": "Twin 仿真",
    "L": "Ledger and events 台账与事件",
    "E": "Exchange: formats of others 交换：外部格式",
    "K": "Guard: personal data and access 安全：个人信息与访问",
    "H": "Service and server 服务与接口",
    "V": "Watch: forecasts and alerts 值守：预测与预警",
    "M": "Measures, cost, facts 指标、成本、统计数据",
    "S": "Study 任务",
    "P": "Report and reference network 报告与参考网络",
    "X": "Usage 用法",
    "I": "Internal 内部",
}

EXITS = (
    (0, "done", "完成"),
    (2, "usage: the command line was not understood", "用法有误"),
    (3, "bad data, or the thing asked for does not exist", "数据有误或所求不存在"),
    (4, "infeasible: no plan can satisfy the input", "无可行方案"),
    (5, "a limit was reached without a result", "达到限制而无结果"),
    (70, "our fault", "程序内部错误"),
    (130, "interrupted from the keyboard", "被用户中断"),
)


def write_codes_page() -> str:
    """Write the page of all codes, one section each; Markdown."""
    parts = ["# Codes 代码", "Generated from `postroad/core/codes/*.csv`. In a terminal: `postroad explain CODE`."]
    for letter, title in ROOMS.items():
        entries = [entry for code, entry in sorted(registry().items()) if code[3] == letter]
        if entries:
            parts += [f"## {letter}: {title}", *(_code_section(entry) for entry in entries)]
    return "\n\n".join(parts) + "\n"


def write_command_page(verbs: Sequence[Verb] = VERBS) -> str:
    """Write the page of the command line: its verbs, their arguments and options, the exit codes; Markdown."""
    parts = [
        "# Command line 命令行",
        "Generated from the declarations in `postroad/cli`. Every verb also has `--json`, `--lang en|zh` and `--help`. "
        "Data go to standard output, talk and progress to standard error.",
        "## Exit codes 退出码",
        _table(("code", "meaning", "含义"), [(str(code), english, chinese) for code, english, chinese in EXITS]),
    ]
    for verb in verbs:
        parts += [f"## postroad {verb.name}", verb.summary, *_parameters(verb)]
    return "\n\n".join(parts) + "\n"


def _code_section(entry: CodeEntry) -> str:
    """Write one code in both languages."""
    return "\n\n".join(
        (
            f"### {entry.code}",
            f"**{entry.severity}** `{entry.text_en}`",
            f"{entry.explain_en} *Fix:* {entry.fix_en}",
            f"`{entry.text_zh}`",
            f"{entry.explain_zh}*办法：*{entry.fix_zh}",
        )
    )


def _parameters(verb: Verb) -> list[str]:
    """Write the arguments and options of one verb as a table; nothing when there are none."""
    function = getattr(import_module(verb.module), verb.name.replace("-", "_"))
    hints = get_type_hints(function, include_extras=True)
    rows = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        is_annotated = get_origin(hints[name]) is Annotated
        kind, info = get_args(hints[name])[:2] if is_annotated else (hints[name], None)
        is_required = parameter.default is inspect.Parameter.empty
        is_option = isinstance(info, OptionInfo) or (info is None and not is_required)
        spelling = _spelling(name, info, is_option=is_option)
        default = "required" if is_required else "" if parameter.default is None else f"`{parameter.default}`"
        rows.append((spelling, _type_name(kind), default, (info.help or "") if info else ""))
    return [_table(("argument or option", "type", "default", "what it does"), rows)] if rows else []


def _spelling(name: str, info: object, *, is_option: bool) -> str:
    """Write how an argument or option is given."""
    if not is_option:
        return f"`{name.upper()}`"
    declared = [info.default, *(info.param_decls or ())] if isinstance(info, OptionInfo) else []
    words = [word for word in declared if isinstance(word, str) and word.startswith("-")]
    return ", ".join(f"`{word}`" for word in words or [f"--{name.replace('_', '-')}"])


def _type_name(kind: object) -> str:
    """Write a type without its None."""
    names = [part.__name__ for part in get_args(kind) or (kind,) if part is not type(None)]
    return f"list of {names[0]}" if get_origin(kind) is list else " or ".join(names)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
