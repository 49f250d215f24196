"""What is handed on to other programs, and does nothing there."""

from __future__ import annotations

import csv
import io

import pytest

from proxy.audit.reading.export import Export
from proxy.audit.reading.question import Question
from tests.audit.logs import HandMade, finding, message


@pytest.mark.parametrize("first", "=+-@\t\r")
def test_no_name_in_a_log_is_a_formula_in_a_spreadsheet(tmp_path, first):
    log = HandMade(tmp_path)
    name = f'{first}HYPERLINK("http://localhost/","a, b")\nc'
    log.block(message(f=[finding(rule=name), finding(rule="a-b=c")], route=name))
    made = io.BytesIO()
    Export(tmp_path, Question(), "csv").write(made)
    rows = list(csv.DictReader(io.StringIO(made.getvalue().decode(), newline="")))
    assert [(row["rule"], row["route"]) for row in rows] == [(f"'{name}", f"'{name}"), ("a-b=c", f"'{name}")]
    assert [row["length"] for row in rows] == ["17", "17"]
