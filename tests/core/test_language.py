"""The choice of language."""

import pytest

from postroad.core.errors import UsageError
from postroad.core.language import choose_language, pick


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        (None, {}, "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        (None, {"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        (None, {"LANG": "en_GB.UTF-8", "POSTROAD_LANG": "zh"}, "zh"),
        ("en", {"LANG": "zh_CN.UTF-8"}, "en"),
        ("zh", {}, "zh"),
    ],
)
def test_choice(asked, environment, expected):
    assert choose_language(asked, environment) == expected


def test_unknown_language():
    with pytest.raises(UsageError) as caught:
        choose_language("fr", {})
    assert caught.value.code == "PR-X003"


def test_pick():
    assert pick("en", "lane", "线路") == "lane"
    assert pick("zh", "lane", "线路") == "线路"
