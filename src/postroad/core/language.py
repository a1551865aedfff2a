"""In which language we talk: English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from postroad.core.errors import UsageError

__all__ = ["LANGUAGES", "choose_language", "pick"]

LANGUAGES = ("en", "zh")
VARIABLES = ("POSTROAD_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def choose_language(asked: str | None, environment: Mapping[str, str]) -> str:
    """Choose the language: what was asked for, else the first of the environment's settings that is set, else English.

    Parameters
    ----------
    asked: ``en`` or ``zh``, or None.
    environment: where ``POSTROAD_LANG``, ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` are looked up, in this order.

    Raises
    ------
    UsageError: PR-X003 when a language is asked for that is neither.

    >>> choose_language(None, {"LANG": "zh_CN.UTF-8"})
    'zh'
    """
    if asked is not None:
        if asked not in LANGUAGES:
            raise UsageError("PR-X003", value=asked)
        return asked
    setting = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    return "zh" if setting.lower().startswith("zh") else "en"


def pick(language: str, english: str, chinese: str) -> str:
    """Take the text of the chosen language."""
    return chinese if language == "zh" else english
