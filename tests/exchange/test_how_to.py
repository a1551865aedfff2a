"""The how-to page about importing scans does what it says."""

import doctest
import re

from kit.sources import REPOSITORY

PAGE = REPOSITORY / "docs" / "how-to" / "import-scans.md"


def test_the_page_runs(tmp_path, monkeypatch):
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    (tmp_path / "scans.csv").write_text(next(body for kind, body in blocks if kind == "csv"), encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(next(body for kind, body in blocks if kind == "toml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code = "\n".join(body for kind, body in blocks if kind == "python")
    test = doctest.DocTestParser().get_doctest(code, {}, PAGE.name, str(PAGE), 0)
    told = []
    failed, tried = doctest.DocTestRunner().run(test, out=told.append)
    assert tried >= 8
    assert failed == 0, "".join(told)
