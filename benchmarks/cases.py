"""What is measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.timing import Command, Figure, compare

ROOT = Path(__file__).resolve().parent.parent
CARDS = 1000
TASKS = ("language-identification", "sentiment-analysis", "summarization", "tokenization")
PYTHON = sys.executable
REPRO = str(Path(PYTHON).with_name("repro"))
BARE = ("python -c pass", Command(words=[PYTHON, "-c", "pass"]))

_CARD = """
version = "1.0"
title   = "The model of author {number}"
summary = "Does what its paper says: a card such as a thousand others"
license = "MIT"
upstream = "program {number}.0"

[paper]
title   = "A paper with the number {number}"
authors = ["First Author{number}", "Second Author"]
year    = 2020

[models.author{number}-one]
class   = "One"
task    = "{task}"

[models.author{number}-two]
class   = "Two"
task    = "{task}"
summary = "The other one"

[[claims]]
model    = "author{number}-one"
dataset  = "news"
metric   = "f1"
reported = "0.94"
source   = "Table 1"
"""


def short_commands(folder: Path, runs: int) -> list[Figure]:
    """Measure `--help`, and `list` with 1,000 cards, against an interpreter that does nothing.

    The cards lie in a checkout of their own, a copy of this one without its packages.
    """
    checkout, cache = folder / "checkout", folder / "cache"
    _make_checkout(checkout)
    ours = {"PYTHONPATH": str(checkout), "REPRO_CACHE": str(cache)}
    listing = [REPRO, "list"]
    warm = {
        "repro --help": (Command(words=[REPRO, "--help"], environment=ours), 8.0),
        f"repro list, {CARDS:,} cards": (Command(words=listing, environment=ours), 15.0),
    }
    cold = Command(
        words=listing,
        environment={**ours, "REPRO_CACHE": str(folder / "cold")},
        before=lambda: shutil.rmtree(folder / "cold", ignore_errors=True),
    )
    figures = compare(BARE, warm, runs)
    return figures + compare(BARE, {"… without its index": (cold, None)}, max(3, runs // 4))


def first_predict(folder: Path, runs: int) -> list[Figure]:
    """Measure the first prediction of a process, against the same program by `docker run`."""
    subprocess.run([REPRO, "setup", "tutorial"], check=True, capture_output=True)
    from repro.models import load

    model = "tutorial-model"
    program = load(model).resolve()
    exchange = folder / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)  # whoever the image's user is
    (exchange / "input.jsonl").write_text(json.dumps({"text": "abc"}) + "\n")
    bare = ["docker", "run", "--rm", "--network", "none", "--mount"]
    bare += [f"type=bind,source={exchange},target=/exchange", program.image, *program.command]
    bare += ["--input-file", "/exchange/input.jsonl", "--output-file", "/exchange/output.jsonl"]
    output = exchange / "output.jsonl"
    floor = Command(words=bare, before=lambda: output.unlink(missing_ok=True))
    words = [REPRO, "predict", "--model", model, "-i", "text=abc"]
    cache = {"REPRO_CACHE": str(folder / "cache")}
    command = Command(words=words, environment=cache)
    return compare(("docker run", floor), {"repro predict, the first": (command, 1.8)}, runs)


CASES = {"short-commands": short_commands, "first-predict": first_predict}


def _make_checkout(checkout: Path) -> None:
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "repro", checkout / "repro", ignore=without)
    shutil.copyfile(ROOT / "Dockerfile.base", checkout / "Dockerfile.base")
    for number in range(CARDS):
        package = checkout / "models" / f"author{number}"
        package.mkdir(parents=True)
        (package / "model.toml").write_text(
            _CARD.format(number=number, task=TASKS[number % len(TASKS)])
        )
