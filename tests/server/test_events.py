"""Events over HTTP: three ways to send them, one result for each."""

import json
from uuid import UUID

import pyarrow as pa
import pytest

from kit.ledger import ITEM, make_event, make_frame, make_life
from kit.service import keyed, serving
from postroad.server.events import write_event

ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture
def served(tmp_path):
    with serving(tmp_path / "service", max_bytes=100_000) as (client, desk):
        yield client, desk


def as_json(rows):
    """Events as records of JSON."""
    written = [
        write_event(row) | {name: row[name].isoformat() for name in ("occurred_at", "recorded_at")} for row in rows
    ]
    return [{name: value for name, value in record.items() if value is not None} for record in written]


def as_arrow(rows):
    table = make_frame(*rows).to_arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def send(client, headers, rows, way="json", **params):
    if way == "arrow":
        return client.post("/events", content=as_arrow(rows), headers=headers | {"Content-Type": ARROW}, params=params)
    if way == "lines":
        lines = "\n".join(json.dumps(record) for record in as_json(rows)) + "\n"
        return client.post(
            "/events", content=lines, headers=headers | {"Content-Type": "application/x-ndjson"}, params=params
        )
    return client.post("/events", json=as_json(rows), headers=headers, params=params)


@pytest.mark.parametrize("way", ["json", "lines", "arrow"])
def test_append_and_append_again(served, way):
    client, desk = served
    operator = keyed(desk, "operator")
    first = send(client, operator, make_life(), way)
    assert first.status_code == 200, first.text
    assert first.json() == {
        "n_appended": 10,
        "n_duplicate": 0,
        "n_refused": 0,
        "statuses": ["appended"] * 10,
        "findings": [],
        "counts": {},
    }
    again = send(client, operator, make_life(), way, brief=True).json()
    assert again["n_duplicate"] == 10
    assert "statuses" not in again
    assert len(desk.ledger) == 10


def test_each_event_has_its_own_result(served):
    client, desk = served
    records = as_json(make_life())
    records[1]["name"] = "张三"
    records[3]["kind"] = "beamed"
    records[5] = 7
    records[6]["occurred_at"] = "2099-01-01T00:00:00Z"
    answer = client.post("/events", json={"events": records}, headers=keyed(desk, "operator")).json()
    refused = [place for place, status in enumerate(answer["statuses"]) if status == "refused"]
    assert {1, 5} <= set(refused)
    assert answer["n_appended"] + answer["n_refused"] == 10
    by_index = {found["index"]: found["code"] for found in answer["findings"]}
    assert by_index[1] == by_index[5] == "PR-L114"
    assert by_index[3] == "PR-L106"
    assert set(by_index) - {1, 3, 5} == {6}
    assert len(desk.ledger) == answer["n_appended"]


def test_a_key_writes_its_own_only(served):
    client, desk = served
    station = keyed(desk, "franchisee", facility_ids={"HGH"})
    answer = send(client, station, make_life()).json()
    assert answer["statuses"] == ["appended"] * 4 + ["refused"] * 6
    assert {found["code"] for found in answer["findings"]} == {"PR-K123"}
    assert [found["index"] for found in answer["findings"]] == [4, 5, 6, 7, 8, 9]
    rows = [row | {"operator_id": name} for row, name in zip(make_life(), ["op1", "op2", None] * 4, strict=False)]
    own = send(client, keyed(desk, "operator", operator_ids={"op1"}), rows[4:8]).json()
    assert own["statuses"] == ["refused", "appended", "appended", "refused"]


@pytest.mark.parametrize(
    ("content", "content_type", "code", "status"),
    [
        (b"[]", "text/csv", "PR-H102", 415),
        (b"[", "application/json", "PR-H108", 422),
        (b"5", "application/json", "PR-H108", 422),
        (b'{"event": []}', "application/json", "PR-H108", 422),
        (b"{}\n{", "application/x-ndjson", "PR-H108", 422),
        (b"ARROW1", ARROW, "PR-H108", 422),
        (b" " * 100_001, "application/json", "PR-H101", 413),
    ],
)
def test_bodies_that_cannot_be_read(served, content, content_type, code, status):
    client, desk = served
    answer = client.post("/events", content=content, headers=keyed(desk, "operator") | {"Content-Type": content_type})
    assert (answer.json()["code"], answer.status_code) == (code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(desk.ledger) == 0


def test_columns_that_are_unknown(served):
    client, desk = served
    table = make_frame(*make_life()).to_arrow().append_column("name", pa.array(["x"] * 10))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    answer = client.post(
        "/events", content=sink.getvalue().to_pybytes(), headers=keyed(desk, "operator") | {"Content-Type": ARROW}
    )
    assert answer.status_code == 422
    assert [found["code"] for found in answer.json()["findings"]] == ["PR-L101"]


def test_problems_speak_the_clients_language(served):
    client, desk = served
    headers = keyed(desk, "operator") | {"Accept-Language": "zh-CN,en;q=0.5"}
    answer = client.get("/items/none", headers=headers).json()
    assert (answer["code"], answer["type"]) == ("PR-L301", "/codes/PR-L301")
    assert "台账" in answer["title"]
    assert "ledger" in client.get("/items/none", params={"lang": "en"}, headers=headers).json()["title"]


def test_events_about_a_thing_by_pages(served):
    client, desk = served
    operator = keyed(desk, "operator")
    unit = make_event(50, "arrived", 5, "HGH", item_id=None, unit_id="U1", related=[{"role": "to", "id": "WUH"}],
                      payload='{"doors": 2}')  # fmt: skip
    send(client, operator, [*make_life(), unit])
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/items/{ITEM}/events", params=params, headers=operator).json()
        seen += page["events"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [event["event_id"] for event in seen] == [str(UUID(bytes=row["event_id"])) for row in make_life()]
    [event] = client.get("/units/U1/events", headers=operator).json()["events"]
    assert (event["payload"], event["related"]) == ({"doors": 2}, {"to": "WUH"})
    assert client.get("/trips/T/events", headers=operator).json()["code"] == "PR-L310"
    wrong = client.get(f"/items/{ITEM}/events", params={"cursor": "x"}, headers=operator)
    assert wrong.json()["code"] == "PR-H109"


def test_what_needs_no_key(served):
    client, desk = served
    send(client, keyed(desk, "operator"), make_life())
    assert client.get("/health").json()["n_events"] == 10
    metrics = client.get("/metrics").text
    assert "postroad_ledger_events 10.0" in metrics
    assert 'route="/events",status="200"' in metrics
    assert client.get("/codes/PR-L301").json()["severity"] == "error"
    assert client.get("/codes/PR-Z999").json()["code"] == "PR-H106"
    assert client.get("/nowhere").json()["code"] == "PR-H106"
    assert client.put("/health").json()["code"] == "PR-H105"
