"""The files of a new package, made of the templates in `repro/templates`."""

from __future__ import annotations

import builtins
import json
import shlex
import textwrap
from string import Template
from typing import TYPE_CHECKING

from repro import __version__
from repro.catalog.packages import OURS
from repro.catalog.places import template
from repro.catalog.suites import SUITES
from repro.operations.draft import CONTENT, FILES
from repro.operations.stand_in import sample, stand_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from repro.operations.draft import Draft

    Files: TypeAlias = Mapping[str, str | bytes]  # by their paths

WIDTH = 100  # of a line, as the linter has it
MANY = 6  # arguments, as well


def project_files(draft: Draft) -> Files:
    """Write what a project of its own has beside the package."""
    license_ = json.dumps(draft.license)
    about = {"package": draft.package, "license": license_, "version": __version__}
    return {
        "pyproject.toml": _fill("pyproject.toml", **about),
        "tests/test_examples.py": _fill("test_examples.py", package=draft.package),
    }


def class_files(draft: Draft, module: str) -> Files:
    """Write the Python package of the class, which is imported as `module`."""
    about = {"module": module, "model": draft.model, "class_name": draft.class_name}
    special = {CONTENT, *FILES} & {draft.returns, *draft.types.values()}
    described = [
        f"        {name} : {kind}\n            Replace this: what it is, its unit, its range."
        for name, kind in draft.types.items()
    ]
    code = _fill(
        "model.py",
        **about,
        imports=", ".join(sorted({"DockerModel", "Model", *special})),
        reference=_wrapped(f".. [1] {_reference(draft)}", "    ", "       "),
        signature=_signature(draft, marked=module.startswith(f"{OURS}.")),
        parameters="\n".join(described),
        returns=draft.returns,
        answer=_call("        return self.answer(", [f"{n}={n}" for n in draft.types], ")"),
    )
    return {"__init__.py": _fill("__init__.py", **about), "model.py": code}


def package_files(draft: Draft, module: str) -> Files:
    """Write the card and what goes into, or beside, the image."""
    answer = stand_in(draft)
    given = {name: sample(kind) for name, kind in draft.types.items()}
    example = {"model": draft.model, "input": given, "output": answer.value}
    files: dict[str, str | bytes] = {
        "model.toml": _card(draft),
        "Dockerfile": _fill("Dockerfile"),
        "src/run.py": _program(draft),
        "examples.jsonl": json.dumps(example, ensure_ascii=False) + "\n",
        "Readme.md": _readme(draft, module),
    }
    for kind in {*draft.types.values()} & {*FILES}:
        files[f"examples/{FILES[kind]}"] = template(f"examples/{FILES[kind]}").read_bytes()
    return files


def as_options(draft: Draft, folder: Path | str) -> str:
    """Write the example as options of ``repro predict``; its files lie in the package's folder."""
    words = []
    for name, kind in draft.types.items():
        value = f"{folder}/{sample(kind)}" if kind in FILES else sample(kind)
        text = value if isinstance(value, str) else json.dumps(value)
        words.append(f"-i {name}={shlex.quote(text)}")
    return " ".join(words)


def _fill(name: str, **values: object) -> str:
    return Template(template(f"{name}.txt").read_text(encoding="utf-8")).substitute(values)


def _card(draft: Draft) -> str:
    optional = {
        "base": "" if draft.base == SUITES[0] else draft.base,
        "languages": list(draft.languages),
    }
    paper = {
        "title": draft.title,
        "authors": list(draft.authors),
        "year": draft.year,
        "url": draft.url,
        "doi": draft.doi,
    }
    return _fill(
        "model.toml",
        package=draft.package,
        model=draft.model,
        class_string=_toml(draft.class_name),
        said=stand_in(draft).words,
        license=_toml(draft.license),
        task=_toml(draft.task),
        optional=_table(optional, 9),
        paper=_table(paper, 7).rstrip("\n"),
    )


def _program(draft: Draft) -> str:
    answer = stand_in(draft)
    modules = [f"import {name}\n" for name in ("json", "os") if f"{name}." in answer.code]
    ours = "content, main" if draft.returns == CONTENT else "main"
    imports = "".join(modules) + ("\n" if modules else "") + f"from repro_runtime import {ours}\n"
    told = f"Replace this. It is a stand-in and no model: it answers with {answer.words}."
    about = _wrapped(told, "    # ", "    # ")
    return _fill("run.py", imports=imports, about=about, answer=answer.code)


def _readme(draft: Draft, module: str) -> str:
    folder = f"models/{draft.package}" if module.startswith(f"{OURS}.") else draft.package
    fields = [f"- `{name}`: {kind}" for name, kind in draft.types.items()]
    given = {
        n: f"{folder}/{sample(k)}" if k in FILES else sample(k) for n, k in draft.types.items()
    }
    call = ", ".join(f"{name}={value!r}" for name, value in given.items()).replace("'", '"')
    lines = {
        "title": f"{{{draft.title or draft.package}}}",
        "author": " and ".join(draft.authors),
        "year": str(draft.year),
        "url": draft.url,
        "doi": draft.doi,
    }
    entries = ",\n".join(f"  {key:<6} = {{{value}}}" for key, value in lines.items() if value)
    return _fill(
        "Readme.md",
        package=draft.package,
        model=draft.model,
        module=module,
        class_name=draft.class_name,
        said=stand_in(draft).words,
        fields="\n".join([*fields, f"- answers {draft.returns}"]),
        call=call,
        options=as_options(draft, folder),
        license=draft.license,
        bibtex=f"@misc{{{draft.package},\n{entries}\n}}",
    )


def _table(values: Mapping[str, object], width: int) -> str:
    """Write keys of a card that have a value."""
    return "".join(f"{k:<{width}} = {_toml(value)}\n" for k, value in values.items() if value)


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and arrays are alike in both


def _reference(draft: Draft) -> str:
    where = f" {draft.url or draft.doi}." if draft.url or draft.doi else ""
    title = draft.title or "title"
    upstream = "Upstream: replace this by repository, release or commit, and file."
    return f"{' and '.join(draft.authors)} ({draft.year}), {title}.{where} {upstream}"


def _signature(draft: Draft, *, marked: bool) -> str:
    """Write the signature; `marked` for the linter's rules of this project."""
    arguments = [f"{name}: {kind}" for name, kind in draft.types.items()]
    marks = [_mark(name, kind) if marked else "" for name, kind in draft.types.items()]
    end = f") -> {draft.returns}:"
    many = "  # noqa: PLR0913, PLR0917" if marked and len(arguments) > MANY else ""
    if not (many or any(marks)):
        return _call("    def predict(", ["self", *arguments], end)
    if len(arguments) == 1:
        return f"    def predict(self, {arguments[0]}{end}{marks[0]}"
    lines = [f"        {one},{mark}" for one, mark in zip(arguments, marks, strict=True)]
    return "\n".join([f"    def predict({many}", "        self,", *lines, f"    {end}"])


def _mark(name: str, kind: str) -> str:
    """Tell the linter that a field may be called as a builtin is, and may be true or false."""
    rules = ["A002"] if hasattr(builtins, name) else []
    rules += ["FBT001"] if kind == "bool" else []
    return f"  # noqa: {', '.join(rules)}" if rules else ""


def _call(start: str, arguments: Sequence[str], end: str) -> str:
    """Write a call or a signature as the formatter does: in a line, or in one for each argument."""
    line = f"{start}{', '.join(arguments)}{end}"
    if len(line) <= WIDTH:
        return line
    indent = start[: len(start) - len(start.lstrip())]
    return "\n".join([start, *(f"{indent}    {one}," for one in arguments), f"{indent}{end}"])


def _wrapped(text: str, first: str, others: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
