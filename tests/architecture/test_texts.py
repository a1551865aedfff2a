"""What no file of the product may say."""

import re

import pytest

from kit.sources import name_of, texts

# Written in pieces, so that this file does not say it either.
FORBIDDEN = ["/" + "work/", r"\.\." + "/shared", r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b"]


@pytest.mark.parametrize("words", FORBIDDEN)
def test_forbidden_words(words):
    found = {}
    for path in texts():
        lines = path.read_text(encoding="utf-8").splitlines()
        found |= {f"{name_of(path)}:{n}": line for n, line in enumerate(lines, 1) if re.search(words, line)}
    assert found == {}


def test_everything_is_caught_in_the_outermost_frame_only():
    broad = re.compile(r"except\s*(:|\(?.*\b(Base)?Exception\b)")
    allowed = {"src/postroad/cli/main.py", "src/postroad/server/problems.py", "src/postroad/core/files.py"}
    found = {
        name_of(path)
        for path in texts()
        if path.suffix == ".py" and "src" in path.parts
        if any(broad.search(line) for line in path.read_text(encoding="utf-8").splitlines())
    }
    assert found == allowed
