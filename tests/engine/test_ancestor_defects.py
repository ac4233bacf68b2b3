"""The 23 defects of the ancestor, each with the tests that would fail on it.

The numbers are those of the list of its defects (danieldeutsch/repro 0.1.6) that this library began
with. A test without a file is below.

1 Fewer predictions than instances were taken for all of them.
    engine/test_ancestor_wrappers.py::test_a_metric_whose_program_dies_gives_no_average_over_the_rest
    engine/test_commands.py::test_a_failure_is_said_and_leaves_what_was_there
    engine/test_programs_without_runtime.py::test_a_wrong_number_of_rows_is_told_with_both_and_nothing_is_answered
2 The exit status of a command was ignored.
    engine/test_tutorial.py::test_a_non_zero_exit_raises_and_leaves_nothing
3 A failed build was none.
    test_a_build_that_fails_raises_with_its_step
    engine/test_images.py::test_a_failing_build_names_the_step_and_its_last_lines
4 Unknown fields of an instance were ignored.
    unit/test_schema.py::test_an_unknown_field_is_refused_with_the_nearest_name
5 Missing fields of an instance were not seen.
    unit/test_schema.py::test_a_missing_field_is_refused_by_name
6 ParallelModel and the tasks dropped options; no inputs were an error.
    unit/test_parallel_model.py::test_options_reach_every_model
    unit/test_parallel_model.py::test_no_inputs_are_answered_without_a_model
    unit/test_tasks.py::test_predict_forwards_its_other_arguments
7 A line break made two texts of one.
    unit/test_io.py::test_a_text_with_a_line_break_is_refused_and_nothing_is_written
    engine/test_ancestor_wrappers.py::test_a_newline_shifts_no_answer_of_the_text_model
8 What a program printed came back broken.
    engine/test_tutorial.py::test_what_a_command_prints_is_returned_whole
9 A reader gave instances without ids, which its own base refused.
    unit/test_readers.py::test_a_missing_id_is_the_number_of_the_row
10 The default writer refused a metric's answer after all of it was computed.
    unit/test_writers.py::test_the_rows_of_a_metric_are_written_and_its_macro_beside
    engine/test_predict_options.py::test_a_metric_of_the_ancestors_style_has_rows_and_a_value_over_them
11 Helpers failed on empty inputs, merged by hash, and options did not arrive.
    unit/test_util.py::test_all_inputs_may_be_empty
    unit/test_util.py::test_references_whose_hashes_are_the_same_are_not_merged
    engine/test_runtime.py::test_options_of_the_model_and_of_a_call_reach_the_program
12 One version of each library was required, and soon none of them worked.
    test_no_library_is_held_to_one_version
    engine/test_client.py::test_a_connection_is_kept
13 `pull` worked in a checkout alone.
    test_a_package_is_pulled_from_any_folder
    engine/test_wheel.py::test_it_lists_the_models_outside_a_checkout
14 Everything was imported for `--help`.
    unit/test_imports.py::test_a_short_command_loads_nothing_heavy_and_no_package
    unit/test_testing.py::test_the_helpers_need_no_pytest
15 Containers stayed, and ran on after Ctrl-C.
    engine/test_commands.py::test_an_interruption_leaves_no_container_and_no_file
    engine/test_commands.py::test_an_interruption_in_python_leaves_no_container
    engine/test_isolation.py::test_a_failed_run_leaves_nothing_behind
16 Files of root in the shared directory hid the model's error.
    engine/test_tutorial.py::test_the_model_error_is_not_hidden_by_files_of_another_user
    engine/test_tutorial.py::test_handing_back_never_hides_the_error_of_the_model
    engine/test_isolation.py::test_an_ordinary_user_can_do_all_that_too
17 Without a GPU nothing ran.
    engine/test_isolation.py::test_no_gpu_is_asked_for_by_default
    engine/test_isolation.py::test_an_engine_that_has_only_the_older_runtime_is_asked_through_that
18 No limit, no batches, whole files in memory. (A warm container: a later issue.)
    engine/test_commands.py::test_a_time_limit_ends_the_container
    engine/test_commands.py::test_memory_that_runs_out_is_said_with_the_option_that_gives_more
    engine/test_runtime.py::test_predictions_come_in_the_order_of_the_instances_and_in_batches_of_64
    engine/test_runtime.py::test_a_million_rows_are_streamed_in_constant_memory_on_both_sides
19 Images were built on one engine and run on another.
    test_all_functions_ask_the_engine_of_the_configuration
20 Options became words of a shell.
    engine/test_runtime.py::test_any_option_is_the_same_value_inside
21 Errors said nothing, names differed between docs and code, JSON lines were read too strictly.
    test_an_error_says_its_words
    test_the_imports_of_a_readme_work
    engine/test_ancestor_wrappers.py::test_an_unknown_model_is_told_with_the_nearest_name
    unit/test_readers.py::test_a_data_set_has_its_name_of_the_docs_and_of_the_code
    unit/test_io.py::test_blank_lines_a_byte_order_mark_and_the_ends_of_lines_are_no_data
    unit/test_io.py::test_values_on_one_line_are_read_whatever_white_space_follows
22 Publishing asked a service that is gone, and what was built was not pinned.
    (Publishing is a later issue, and its tests with it.)
    test_what_is_installed_in_an_image_is_pinned
23 Half of all wrappers was the same text.
    test_a_package_with_a_card_has_no_boilerplate
    models/test_packages.py::test_the_body_of_predict_is_one_call_of_answer
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.catalog import read_cards
from repro.common import docker as legacy
from repro.engine import image as images
from repro.errors import BuildError, ConfigurationError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card
    from repro.engine.client import Engine

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
NOWHERE = "unix:///nowhere/docker.sock"
CARDS = list(read_cards())


def held() -> dict[int, list[tuple[Path, str]]]:
    """Read the list above: the tests of each defect."""
    found: dict[int, list[tuple[Path, str]]] = {}
    for line in (__doc__ or "").splitlines():
        if number := re.match(r"(\d+) ", line):
            found[int(number[1])] = tests = []
        elif test := re.fullmatch(r"    (?:(\S+)::)?(test_\w+)", line):
            tests.append((TESTS / test[1] if test[1] else Path(__file__), test[2]))
    return found


def test_every_defect_has_a_test_that_is_there() -> None:
    defects = held()
    missing = [
        f"{number}: {file.name}::{name}"
        for number, tests in defects.items()
        for file, name in tests
        if not file.is_file()
        or name
        not in {
            node.name
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.FunctionDef)
        }
    ]

    assert missing == []
    assert list(defects) == list(range(1, 24))
    assert all(defects.values())


def test_a_build_that_fails_raises_with_its_step(
    engine: Engine, bookworm: str, tmp_path: Path
) -> None:
    name = "repro-test/failing:1"
    (tmp_path / "Dockerfile").write_text(f"FROM {bookworm}\nRUN echo so; exit 7\n")

    try:
        with pytest.raises(BuildError, match=r"step 2/2: RUN echo so; exit 7"):
            legacy.build_image(str(tmp_path), name)
        assert not legacy.image_exists(name)
    finally:
        images.remove(engine, images.unfinished(name))


def test_no_library_is_held_to_one_version() -> None:
    needed = [one for one in requires("repro-models") or () if "extra ==" not in one]

    assert needed
    assert [one for one in needed if "==" in one or "<" in one.partition(";")[0]] == []
    assert [one for one in needed if re.match(r"(pytest|datasets|overrides)\b", one)] == []


def test_a_package_is_pulled_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "repro", "pull", "tutorial"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3  # it knows the package, and no registry has its image
    assert "repro-models/tutorial:" in done.stderr
    assert "`repro setup tutorial` builds it" in done.stderr


@pytest.mark.parametrize(
    "call",
    [
        lambda: legacy.image_exists("a"),
        lambda: legacy.remove_image("a"),
        lambda: legacy.pull_image("a"),
        lambda: legacy.build_image(str(ROOT / "models" / "tutorial"), "a"),
        lambda: legacy.run_command("a", "true"),
    ],
    ids=["image_exists", "remove_image", "pull_image", "build_image", "run_command"],
)
def test_all_functions_ask_the_engine_of_the_configuration(
    call: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"  # the ancestor's
    config.write_text(json.dumps({"docker_server": NOWHERE}))
    monkeypatch.setenv("REPRO_CONFIG", str(config))
    monkeypatch.delenv("DOCKER_HOST", raising=False)

    with pytest.raises(EngineUnavailable, match=NOWHERE):
        call()


def test_an_error_says_its_words() -> None:
    assert str(ConfigurationError("hello")) == "hello"
    assert repr(ConfigurationError("hello")) == "ConfigurationError('hello')"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.package)
def test_the_imports_of_a_readme_work(card: Card) -> None:
    text = (card.folder / "Readme.md").read_text()
    said = re.findall(r"^(?:>>> )?((?:from|import) repro\b.*)$", text, re.MULTILINE)
    code = "\n".join(said)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""


VALUED = r"--(python-version|implementation|abi|platform|target) \S+"  # options of pip


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.package)
def test_what_is_installed_in_an_image_is_pinned(card: Card) -> None:
    files = [*card.folder.glob("Dockerfile*"), *card.folder.glob("requirements*.txt")]
    for file in files:
        text = re.sub(r"\\\n", " ", file.read_text())
        if file.name.startswith("requirements"):
            wanted = [line.split("#")[0].strip() for line in text.splitlines()]
            loose = [one for one in wanted if one and one[0] != "-" and "==" not in one]
        else:
            commands = re.findall(r"pip3? install ([^&|;\n]*)", text)
            commands = [re.sub(VALUED, "", command) for command in commands]
            words = [w for c in commands for w in c.split() if w[0].isalpha() and "/" not in w]
            loose = [w for w in words if "==" not in w and not w.endswith((".txt", ".gz", ".whl"))]
        assert loose == [], file


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.package)
def test_a_package_with_a_card_has_no_boilerplate(card: Card) -> None:
    code = ROOT / "repro" / "models" / card.package
    words = {"VERSION", "MODEL_NAME", "DOCKERHUB_REPO", "DEFAULT_IMAGE", "AUTOMATICALLY_PUBLISH"}

    assert not (code / "setup.py").exists()
    for file in code.glob("*.py"):
        names = {node.id for node in ast.walk(ast.parse(file.read_text())) if hasattr(node, "id")}
        assert not names & words, file
