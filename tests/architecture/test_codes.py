"""Every code has its texts in two languages, is used as declared, and is triggered by a test."""

import ast
import re
import string

from kit.sources import PACKAGE, REPOSITORY, modules, name_of, tree_of
from postroad.core import errors
from postroad.core.errors import registry

FOLDER = PACKAGE / "core" / "codes"
PARTS = ("text", "fix", "explain")
PLACE = {"table", "row", "column", "value"}
SHAPE = re.compile(r"PR-[CDEFGHIKLMNPRSTVWX][0-9]{3}")
LATIN = re.compile(r"[A-Za-z]")
HAN = re.compile(r"[\u4e00-\u9fff]")


def fields(template):
    """Give the names of the fields of a template, a Chinese variant under the name of the English one."""
    names = {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    return {name.removesuffix("_zh") for name in names}


def complaints(entry):
    """Say what is wrong with the words of one code."""
    if not SHAPE.fullmatch(entry.code):
        yield "code"
    if entry.severity not in ("error", "warning"):
        yield "severity"
    for part in PARTS:
        english, chinese = getattr(entry, f"{part}_en"), getattr(entry, f"{part}_zh")
        if len(HAN.findall(english)) >= len(LATIN.findall(english)):
            yield f"{part}_en is missing or not English"
        if not HAN.search(chinese):
            yield f"{part}_zh is missing or not Chinese"
        if fields(english) != fields(chinese):
            yield f"{part} has other fields in Chinese"
    if fields(entry.explain_en):
        yield "an explanation has no occurrence to speak of, so no fields"


def test_words():
    assert {code: found for code, entry in registry().items() if (found := list(complaints(entry)))} == {}


def test_every_code_is_triggered_by_a_test():
    folders = [path for path in (REPOSITORY / "tests").iterdir() if path.name != "architecture"]
    texts = [file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.py")]
    assert sorted(set(registry()) - set(SHAPE.findall("\n".join(texts)))) == []


def test_every_code_is_used():
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".csv") and FOLDER not in path.parents]
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert sorted(set(registry()) - set(SHAPE.findall("\n".join(texts)))) == []


def test_codes_are_raised_with_what_their_texts_need():
    missing = {
        f"{name_of(path)}:{node.lineno} {node.args[0].value}": lacking(node)
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if SHAPE.fullmatch(str(node.args[0].value)) and lacking(node)
    }
    assert missing == {}


def lacking(call):
    """Give the fields of a code's texts that a call which names the code does not fill."""
    entry = registry().get(call.args[0].value)
    if entry is None:
        return ["declaration"]
    given = {keyword.arg for keyword in call.keywords}
    if None in given or "params" in given:
        return []
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in ("add", "Finding") and not hasattr(errors, name):
        return []
    needed = set().union(*(fields(getattr(entry, f"{part}_en")) for part in ("text", "fix")))
    return sorted(needed - given - (PLACE if name in ("add", "Finding") else set()))


def test_tables_end_their_lines_as_the_rest():
    tables = sorted(FOLDER.glob("*.csv"))
    assert tables
    assert [table.name for table in tables if b"\r" in table.read_bytes()] == []
