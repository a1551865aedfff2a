"""Errors and findings: their texts, their numbers, their tree."""

import pytest

from postroad.core import errors
from postroad.core.errors import InputError, InternalError, NotFound, PostroadError, read_codes, registry
from postroad.core.findings import MAX_PER_CODE, Finding, Findings

HEADER = "code,severity,text_en,text_zh,fix_en,fix_zh,explain_en,explain_zh\n"


def test_exit_codes_of_the_tree():
    codes = {kind.__name__: kind.exit_code for kind in (PostroadError, *every_kind(PostroadError))}
    assert codes == {
        "PostroadError": 70,
        "InputError": 3,
        "NotFound": 3,
        "AccessError": 3,
        "LedgerError": 3,
        "InfeasibleError": 4,
        "LimitReached": 5,
        "InternalError": 70,
        "UsageError": 2,
    }


def every_kind(kind):
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:  # rooms may refine a kind for themselves
            yield child
            yield from every_kind(child)


def test_texts_are_filled_in_both_languages():
    error = InputError("PR-C020", at="trips.csv row 88, column arrive", value="25:61")
    assert error.message() == "'25:61' is no time of day."
    assert error.message("zh") == "“25:61”不是有效的时刻。"
    assert str(error) == "PR-C020  '25:61' is no time of day.  at trips.csv row 88, column arrive"


def test_a_missing_parameter_or_code_does_not_hide_the_refusal():
    assert InputError("PR-C020").message() == "'{value}' is no time of day."
    assert InputError("PR-C999", value=1).message() == "PR-C999 {'value': 1}"


def test_a_code_declared_twice(tmp_path, monkeypatch):
    for table in ("a.csv", "b.csv"):
        (tmp_path / table).write_text(HEADER + "PR-Q001,error,a,b,c,d,e,f\n", encoding="utf-8")
    with pytest.raises(InternalError) as caught:
        read_codes(tmp_path)
    assert caught.value.code == "PR-I001"
    assert caught.value.params == {"code": "PR-Q001", "table": "b.csv"}

    def broken():
        raise InternalError("PR-I001", code="PR-Q001", table="b.csv")

    monkeypatch.setattr(errors, "registry", broken)
    assert "PR-I001" in str(caught.value)


@pytest.mark.parametrize("row", ["PR-Q001,error,a,b,c,d,e", "PR-Q001,error,a, with a comma,b,c,d,e,f"])
def test_a_malformed_table_of_codes(tmp_path, row):
    (tmp_path / "a.csv").write_text(HEADER + row + "\n", encoding="utf-8")
    with pytest.raises(InternalError) as caught:
        read_codes(tmp_path)
    assert caught.value.code == "PR-I003"
    assert caught.value.params == {"table": "a.csv", "line": 2}


def test_findings_are_collected_and_raised_once():
    findings = Findings()
    for row in range(2, 200):
        findings.add("PR-C020", table="trips", row=row, column="arrive", value="25:61")
    findings.append(Finding("PR-C022", value="Asia/Atlantis"))
    assert len(findings) == 199
    assert len(list(findings)) == MAX_PER_CODE + 1
    with pytest.raises(InputError) as caught:
        findings.raise_on_errors()
    error = caught.value
    assert error.code == "PR-C001"
    assert error.params["n"] == 199
    assert error.counts == {"PR-C020": 198, "PR-C022": 1}
    assert len(error.findings) == 51
    assert error.findings[0].at == "trips row 2, column arrive"
    assert "25:61" in error.message() and "25:61" in error.message("zh")


def test_no_errors_raise_nothing():
    findings = Findings()
    findings.raise_on_errors()
    assert len(findings) == 0


def test_extend_keeps_counts():
    one, other = Findings(), Findings()
    for row in range(40):
        one.add("PR-C020", row=row, value="x")
        other.add("PR-C020", row=row, value="x")
        other.add("PR-C021", row=row, value="x")
    one.extend(other)
    assert one.counts == {"PR-C020": 80, "PR-C021": 40}
    assert len(list(one)) == MAX_PER_CODE + 40


def test_an_error_of_another_kind_can_stand_for_findings():
    findings = Findings()
    findings.add("PR-C020", value="x")
    with pytest.raises(NotFound):
        findings.raise_on_errors(NotFound)


def test_registry_is_read_once():
    assert registry() is registry()
    assert registry()["PR-C001"].severity == "error"
