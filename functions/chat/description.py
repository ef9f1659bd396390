"""The API's description of itself, put together when it is first asked for: nobody else needs it, so no start pays.

To what FastAPI knows of the requests it adds what is answered, and examples.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.chat import answers, examples

_V1 = "/v1"
_ONE = f"{_V1}/conversations/{{conversation}}"

ANSWERS: Mapping[tuple[str, str], Mapping[int, type[BaseModel]]] = {
    ("get", f"{_V1}/conversations"): {200: answers.Conversations},
    ("post", f"{_V1}/conversations"): {202: answers.Started, 200: answers.Started},
    ("get", _ONE): {200: answers.Head},
    ("put", _ONE): {200: answers.Head},
    ("put", f"{_ONE}/consent"): {200: answers.Consent},
    ("put", f"{_V1}/lines/{{line}}/rules"): {200: answers.Rules},
    ("get", f"{_ONE}/messages"): {200: answers.Messages},
    ("post", f"{_ONE}/messages"): {202: answers.Message, 200: answers.Message},
    ("post", f"{_ONE}/messages/{{message}}/settle"): {202: answers.Message, 200: answers.Message},
    ("post", f"{_ONE}/messages/{{message}}/fetch"): {202: answers.Message},
    ("post", f"{_ONE}/notes"): {201: answers.Message, 200: answers.Message},
    ("post", f"{_ONE}/read"): {200: answers.Count},
    ("post", f"{_ONE}/typing"): {202: answers.Nothing},
    ("post", f"{_V1}/media"): {201: answers.Upload},
    ("get", f"{_V1}/media/{{message}}"): {200: answers.Addresses},
    ("get", f"{_V1}/templates"): {200: answers.Templates},
    ("post", f"{_V1}/templates/sync"): {202: answers.Nothing},
    ("get", f"{_V1}/limits"): {200: answers.Limits},
    ("get", f"{_V1}/events"): {200: answers.Events},
    ("post", f"{_V1}/events/results"): {200: answers.HandedIn},
    ("post", f"{_V1}/pairings"): {201: answers.Paired},
    ("get", f"{_V1}/connection"): {200: answers.Connection},
    ("delete", f"{_V1}/connection"): {200: answers.Nothing},
    ("post", f"{_V1}/connection/check"): {202: answers.Check},
    ("get", f"{_V1}/reviews"): {200: answers.Reviews},
    ("get", f"{_V1}/contacts/{{contact}}"): {200: answers.Exported},
    ("delete", f"{_V1}/contacts/{{contact}}"): {202: answers.Erased},
    ("get", f"{_V1}/audit"): {200: answers.Audit},
    ("post", f"{_V1}/links"): {201: answers.Link},
    ("get", f"{_V1}/links"): {200: answers.Links},
    ("get", f"{_V1}/links/{{link}}"): {200: answers.CountedLink},
    ("put", f"{_V1}/links/{{link}}"): {200: answers.Link},
}
"""What each route answers, by status; a refusal is always a `Problem`."""

PUBLIC: Mapping[tuple[str, str], Mapping[int, dict[str, Any]]] = {
    ("get", f"{_V1}/l/{{slug}}"): {302: {"description": "To WhatsApp"}},
    ("get", f"{_V1}/l/{{slug}}/qr.{{kind}}"): {
        200: {"description": "The code", "content": {"image/svg+xml": {}, "image/png": {}}}
    },
}
"""Routes that anyone may ask, and that answer no JSON."""

_MEANING = {
    200: "Done, or done by an earlier request of the same id",
    201: "Made",
    202: "Taken; it goes on by itself",
}

_EXAMPLES: Mapping[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("post", f"{_V1}/conversations"): examples.START,
    ("put", _ONE): examples.CARE,
    ("post", f"{_ONE}/messages"): examples.MESSAGES,
    ("post", f"{_ONE}/messages/{{message}}/settle"): examples.SETTLE,
    ("post", f"{_V1}/media"): examples.FILE,
}


def described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an app."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas, references = _answers()
    components = document["components"]
    # FastAPI's own shape of a refusal, which is never answered here.
    own = {name: one for name, one in components["schemas"].items() if "ValidationError" not in name}
    components["schemas"] = own | schemas
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = (method, path)
            operation["responses"] = _responses(route, references)
            if route in _EXAMPLES:
                content = operation["requestBody"]["content"]["application/json"]
                content["examples"] = {name: {"value": value} for name, value in _EXAMPLES[route].items()}
    return document


def _answers() -> tuple[dict[str, Any], dict[type[BaseModel], dict[str, str]]]:
    """Return the schemas of all answers, and a reference to each; their names stand apart from those of requests."""
    models = {model for answered in ANSWERS.values() for model in answered.values()} | {answers.Problem}
    ordered = sorted(models, key=lambda model: model.__name__)
    found, definitions = models_json_schema(
        [(model, "serialization") for model in ordered], ref_template="#/components/schemas/Answered{model}"
    )
    schemas = {f"Answered{name}": schema for name, schema in definitions["$defs"].items()}
    return schemas, {model: {"$ref": found[(model, "serialization")]["$ref"]} for model in ordered}


def _responses(route: tuple[str, str], references: Mapping[type[BaseModel], Mapping[str, str]]) -> dict[str, Any]:
    answered = PUBLIC.get(route) or {
        status: {
            "description": _MEANING[status],
            "content": {"application/json": {"schema": references[model]}},
        }
        for status, model in ANSWERS[route].items()
    }
    refused = {
        "description": "Refused: `code` says why, `detail` what to do",
        "content": {"application/problem+json": {"schema": references[answers.Problem]}},
    }
    return {**{str(status): answer for status, answer in answered.items()}, "default": refused}
