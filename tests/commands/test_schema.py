"""JSON Schemas take what is shipped, and little of what is broken: as much as they can say of the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from proxy.commands.schema import DIALECT, Kind, schema_of
from proxy.config.schema import ConfigText
from proxy.rulebook.document import read
from proxy.rulebook.faults import RulesError
from proxy.rulebook.load import SHIPPED, shipped
from proxy.rulebook.schema import RulesText
from tests.commands.running import hushwire
from tests.config.test_faults import CASES
from tests.harness import ROOT
from tests.rulebook.broken import BROKEN

SCHEMAS: dict[Kind, dict[str, Any]] = {"rules": schema_of("rules"), "config": schema_of("config")}


def valid(kind: Kind, text: str) -> bool | None:
    """None: it is no YAML, or YAML of which only we say that it is too much."""
    try:
        document = read(text, "my.yaml")
    except RulesError:
        return None
    return None if document.faults else Draft202012Validator(SCHEMAS[kind]).is_valid(document.data)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_and_describes_every_key(kind: Kind) -> None:
    schema = SCHEMAS[kind]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    for node in (schema, *schema["$defs"].values()):
        assert node["description"]
        assert all(said["description"] for said in node["properties"].values())
        assert node["additionalProperties"] is False
    assert '"null"' not in json.dumps(schema)


@pytest.mark.parametrize("name", shipped())
def test_rules_that_come_along_are_valid(name: str) -> None:
    assert valid("rules", (SHIPPED / f"{name}.yaml").read_text()) is True


def test_the_example_of_a_config_is_valid() -> None:
    assert valid("config", (ROOT / "examples" / "hushwire.yaml").read_text()) is True


def test_broken_files_are_mostly_invalid() -> None:
    found = [valid("rules", broken.text.replace(">>", "", 1)) for broken in BROKEN]
    told = [one for one in found if one is not None]
    assert len(told) > 150
    assert told.count(False) / len(told) > 0.6, "the rest takes what names mean, or runs examples"
    unknown = [valid("rules", b.text.replace(">>", "", 1)) for b in BROKEN if b.code in ("E010", "E011", "E012")]
    assert True not in unknown, "keys and types are what a schema is for"
    found = [valid("config", text.replace(">>", "")) for text, *_ in CASES]
    assert found.count(False) / len(found) > 0.4


@pytest.mark.parametrize("model", [RulesText, ConfigText])
def test_every_key_of_the_models_is_there(model: type[RulesText]) -> None:
    kind: Kind = "rules" if model is RulesText else "config"
    assert set(SCHEMAS[kind]["properties"]) == set(model.model_fields)


def test_editors_get_names_to_choose_from() -> None:
    defs = SCHEMAS["rules"]["$defs"]
    entities = defs["RuleText"]["properties"]["entities"]["items"]["anyOf"][0]["enum"]
    assert {"*", "EMAIL_ADDRESS", "CREDIT_CARD"} <= set(entities)
    assert "mask" in defs["RuleText"]["properties"]["action"]["anyOf"][0]["enum"]
    assert "default" in SCHEMAS["rules"]["properties"]["extends"]["items"]["anyOf"][0]["enum"]


def test_the_command_prints_it(tmp_path: Path) -> None:
    done = hushwire("schema", "config", folder=tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (0, SCHEMAS["config"])
    assert hushwire("schema", "audit", folder=tmp_path).returncode == 2
