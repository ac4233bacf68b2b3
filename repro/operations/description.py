"""Describe a model: what its card says, and what its class takes and gives."""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from repro.catalog import find_model, find_package, list_packages
from repro.catalog.entry import citation
from repro.catalog.ledger import costs_of
from repro.catalog.tasks import TASKS
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
    weights = f"; weights and data {about['weights_license']}" if about["weights_license"] else ""
    lines += [f"program  {about['upstream']}", f"licence  {about['license']}{weights}"]
    if about["languages"]:
        lines += [f"language {', '.join(about['languages'])}"]
    for one in about["weights"]:
        words = (one["path"], format_bytes(one["bytes"]), one["license"], one["url"])
        lines += [f"weights  {', '.join(filter(None, words))}"]
    for model in about["models"]:
        lines += ["", f"model    {model['name']} ({model['task']}: {model['modality']})"]
        lines += [f"class    from {about['module']} import {model['class']}"]
        lines += [f"         {line}" for line in model["documentation"].splitlines()]
        for kind in ("fields", "options", "load_options"):
            for index, one in enumerate(model[kind]):
                head = kind.replace("_", " ") if index == 0 else ""
                default = "" if one["required"] else f" = {json.dumps(one['default'])}"
                lines += [f"{head:<8} {one['name']}: {one['type']}{default}"]
        lines += [f"answers  {model['prediction']}"]
        if model["costs"]:
            lines += [f"costs    {_costs(model['costs'])}"]
        lines += [f"claims   {model['claims']}: `repro reproduce {about['package']}`"]
    return "\n".join(lines)


def _costs(costs: dict[str, Any]) -> str:
    """Say what a model costs in a few words, and where that was measured."""
    told = []
    if "load_seconds" in costs:
        told += [f"loads in {_seconds(costs['load_seconds'])}"]
    if "first_seconds" in costs:
        told += [f"the first answer after {_seconds(costs['first_seconds'])}"]
    if "row_seconds" in costs:
        told += [f"{_seconds(costs['row_seconds'])} a row"]
    if "bytes_added" in costs:
        megabytes = costs["bytes_added"] / 1e6
        told += [f"adds {f'{megabytes:,.0f}' if megabytes >= 1 else 'less than 1'} MB to the base"]
    where = [str(costs[key]) for key in ("machine", "processor") if key in costs]
    where += [f"{costs['cores']} cores"] if "cores" in costs else []
    return ", ".join(told) + (f" ({', '.join(where)})" if where else "")


def _seconds(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:g} s"
    milliseconds = float(f"{seconds * 1000:.2g}")
    return f"{milliseconds:g} ms"


def _package(card: Card, models: list[ModelCard]) -> dict[str, Any]:
    paper = card.paper
    return {
        "package": card.package,
        "module": card.module,
        "version": card.version,
        "title": card.title,
        "summary": card.summary,
        "license": card.license,
        "weights_license": card.weights_license,
        "upstream": card.upstream,
        "languages": [*card.languages],
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
        "task_summary": TASKS[model.task].summary,
        "modality": TASKS[model.task].modality,
        "documentation": inspect.cleandoc(found.predict.__doc__ or found.__doc__ or ""),
        "fields": [_field(one) for one in schema.fields.values()],
        "options": [_field(one) for one in schema.options.values()],
        "load_options": [_field(one) for one in _load_options(found)],
        "prediction": type_name(schema.prediction),
        "claims": sum(claim.model == model.name for claim in card.claims),
        "costs": costs_of(card, model.name),
        "network": model.network,
    }


def _load_options(found: type) -> list[Field]:
    if not issubclass(found, DockerModel):
        return []
    return list(Schema.of("", found.__init__).options_beside(DockerModel.__init__))


def _field(one: Field) -> dict[str, Any]:
    about: dict[str, Any] = {"name": one.name, "type": one.type_name, "required": one.required}
    return about if one.default is REQUIRED else {**about, "default": one.default}
