"""Checks an OpenAPI document: the whole by the specification, each example by its schema.

    python3 check.py openapi.json
"""

import json
import sys

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

document = json.load(open(sys.argv[1], encoding="utf-8"))
found = [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()]
checked = 0


def resolve(node):
    while "$ref" in node:
        path = node["$ref"].removeprefix("#/").split("/")
        node = document
        for part in path:
            node = node[part]
    return node


def check(where, schema, example):
    global checked
    checked += 1
    whole = {**schema, "components": document["components"]}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    found.extend(f"{where}: {error.message}" for error in validator.iter_errors(example))


def walk(where, node):
    if isinstance(node, list):
        for index, item in enumerate(node):
            walk(f"{where}/{index}", item)
        return
    if not isinstance(node, dict):
        return
    if isinstance(node.get("schema"), dict):
        if "example" in node:
            check(where, node["schema"], node["example"])
        for name, example in node.get("examples", {}).items():
            check(f"{where}/{name}", node["schema"], resolve(example)["value"])
    for name, child in node.items():
        if name not in ("example", "examples"):
            walk(f"{where}/{name}", child)


walk("", document)
print(f"{checked} examples checked")
if found or checked < 20:
    sys.exit("\n".join(found) or "hardly an example was found")
