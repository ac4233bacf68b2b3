"""Describe a model: what its card says, and what its class takes and gives."""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from repro.catalog import find_model, find_package, list_packages
from repro.catalog.listing import citation
from repro.common.sizes import format_bytes
from repro.errors import UnknownNameError
from repro.models.docker_model import DockerModel
from repro.models.lookup import model_class
from repro.models.schema import REQUIRED, Field, Schema, type_name

if TYPE_CHECKING:
    from repro.catalog import Card, ModelCard


def describe(name: str) -> dict[str, Any]:
    """Describe the model or the package of a name.

    Raises
    ------
    UnknownNameError
        If there is neither.
    """
    packages = list_packages()
    if name in packages:
        card = find_package(name)
        return _package(card, list(card.models.values()))
    try:
        card, model = find_model(name)
    except UnknownNameError as error:
        known = [*packages, *error.known]
        raise UnknownNameError("model or package", name, known, error.hint) from error
    return _package(card, [model])


def as_text(about: dict[str, Any]) -> str:
    """Write a description for people."""
    paper = about["paper"]
    lines = [f"{about['title']} ({about['package']} {about['version']})", about["summary"], ""]
    if paper["title"]:
        lines += [
            f"paper    {paper['citation']}: {paper['title']}. {paper['venue']} {paper['url']}"
        ]
    lines += [f"licence  {about['license']}"]
    for one in about["weights"]:
        words = (one["path"], format_bytes(one["bytes"]), one["license"], one["url"])
        lines += [f"weights  {', '.join(filter(None, words))}"]
    for model in about["models"]:
        lines += ["", f"model    {model['name']} ({model['task']})"]
        lines += [f"class    from repro.models.{about['package']} import {model['class']}"]
        lines += [f"         {line}" for line in model["documentation"].splitlines()]
        for kind in ("fields", "options", "load_options"):
            for index, one in enumerate(model[kind]):
                head = kind.replace("_", " ") if index == 0 else ""
                default = "" if one["required"] else f" = {json.dumps(one['default'])}"
                lines += [f"{head:<8} {one['name']}: {one['type']}{default}"]
        lines += [f"answers  {model['prediction']}"]
        lines += [f"claims   {model['claims']}: `repro reproduce {about['package']}`"]
    return "\n".join(lines)


def _package(card: Card, models: list[ModelCard]) -> dict[str, Any]:
    paper = card.paper
    return {
        "package": card.package,
        "version": card.version,
        "title": card.title,
        "summary": card.summary,
        "license": card.license,
        "paper": {
            "citation": citation(paper),
            "title": paper.title,
            "authors": list(paper.authors),
            "year": paper.year,
            "venue": paper.venue,
            "url": paper.url,
            "doi": paper.doi,
        },
        "weights": [asdict(one) for one in card.weights],
        "models": [_model(card, model) for model in models],
    }


def _model(card: Card, model: ModelCard) -> dict[str, Any]:
    found = model_class(model.name)
    schema = Schema.of(model.name, found.predict)
    return {
        "name": model.name,
        "class": model.class_name,
        "task": model.task,
        "documentation": inspect.cleandoc(found.predict.__doc__ or found.__doc__ or ""),
        "fields": [_field(one) for one in schema.fields.values()],
        "options": [_field(one) for one in schema.options.values()],
        "load_options": [_field(one) for one in _load_options(found)],
        "prediction": type_name(schema.prediction),
        "claims": sum(claim.model == model.name for claim in card.claims),
        "network": model.network,
    }


def _load_options(found: type) -> list[Field]:
    if not issubclass(found, DockerModel):
        return []
    return list(Schema.of("", found.__init__).options_beside(DockerModel.__init__))


def _field(one: Field) -> dict[str, Any]:
    about: dict[str, Any] = {"name": one.name, "type": one.type_name, "required": one.required}
    return about if one.default is REQUIRED else {**about, "default": one.default}
