"""`hushwire schema`: JSON Schemas of rule files and of hushwire.yaml, from the very models that read them.

Editors complete and underline by them. They say less than `hushwire check`: what names mean, and whether examples
hold, no schema can say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import typer

DIALECT = "https://json-schema.org/draft/2020-12/schema"
HELP = (
    "Print the JSON Schema of rule files, or of hushwire.yaml: editors complete and underline by it.\n\n"
    "It is of draft 2020-12. An editor with a YAML language server reads it from a first line such as "
    "[bold]# yaml-language-server: $schema=./rules.schema.json[/bold]; hushwire init --schema writes both.\n\n"
    "Example: [bold]hushwire schema rules > rules.schema.json[/bold]"
)
# Models that a text is short for.
SHORT = {"rules": {"MatchText"}, "config": {"ListenText", "AdminText", "UpstreamText", "VaultText", "AuditText"}}
ENTITY_NAME = {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$"}
Kind = Literal["rules", "config"]
Node = dict[str, Any]


def schema(kind: Annotated[Kind, typer.Argument(help="Of which files.")] = "rules") -> None:
    """`hushwire schema`."""
    print(json.dumps(schema_of(kind), indent=1, ensure_ascii=False))


def schema_of(kind: Kind) -> Node:
    """The JSON Schema of a kind of file."""
    from proxy.commands.words import CONFIG, RULES
    from proxy.config.schema import ConfigText
    from proxy.rulebook.schema import RulesText

    model, words = (RulesText, RULES) if kind == "rules" else (ConfigText, CONFIG)
    made = model.model_json_schema()
    models = {model.__name__: made, **made["$defs"]}
    for node in models.values():
        _tidy(node, SHORT[kind])
    for name, node in models.items():
        for key, said in node["properties"].items():
            said["description"] = words[name][key]
    if kind == "rules":
        _name(models)
    title = "Rules of Hushwire" if kind == "rules" else "hushwire.yaml"
    return {"$schema": DIALECT, **made, "title": title}


def _tidy(node: Node, short: set[str]) -> None:
    """Without titles that repeat keys and without null, which nobody writes; with what is short for more."""
    for inner in _inside(node):
        _tidy(inner, short)
    node.pop("title", None)
    if node.get("default", ...) is None:
        del node["default"]
    choices = [one for one in node.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        del node["anyOf"]
        node.update(choices[0])
    elif choices:
        node["anyOf"] = choices
    name = str(node.get("$ref", "")).rpartition("/")[2]
    if name in short:
        node["anyOf"] = [{"$ref": node.pop("$ref")}, {"type": "string"}]


def _inside(node: Node) -> Iterator[Node]:
    """The schemas right below."""
    for key, value in node.items():
        if key in ("properties", "$defs"):
            yield from value.values()
        elif key == "anyOf":
            yield from value
        elif key in ("items", "additionalProperties", "propertyNames") and isinstance(value, dict):
            yield value


def _name(models: Mapping[str, Node]) -> None:
    """Names that there are, where only they can stand, and to choose from where others can too."""
    from proxy.building import ground_of
    from proxy.commands.words import OPERATORS
    from proxy.detect.recognizers.countries import countries
    from proxy.rulebook.load import build, shipped
    from proxy.rulebook.structure import subprotocols

    top = models["RulesText"]["properties"]
    known = sorted(build("default", ground_of("off")).detector.entities)
    for name in ("RuleText", "AllowText"):
        models[name]["properties"]["entities"]["items"] = {"anyOf": [{"enum": ["*", *known]}, ENTITY_NAME]}
    top["extends"]["items"] = {"anyOf": [{"enum": shipped()}, {"type": "string", "pattern": "[^A-Za-z0-9_-]"}]}
    top["countries"]["items"] = {"enum": sorted(countries())}
    models["StructureText"]["properties"]["subprotocols"]["items"] = {"enum": sorted(subprotocols())}
    for key in ("entities", "keys"):
        top[key]["propertyNames"] = {"anyOf": [{"enum": known}, ENTITY_NAME]}
    for choice in models["RuleText"]["properties"]["action"]["anyOf"][1:]:
        ((name, operator),) = choice["properties"].items()
        choice["description"] = operator["description"]
        for key, said in operator.get("properties", {}).items():
            said["description"] = OPERATORS[name][key]
