"""What metrics answer: rows and a value over the corpus, for texts of every shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog import find_model, find_package
from repro.common.io import read_jsonl_file
from repro.engine.container import run
from repro.engine.spec import ContainerSpec
from repro.engine.volume import exchange_for
from repro.errors import ConfigurationError, InstanceError
from repro.models import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card
    from repro.engine.client import Engine
    from repro.models.metric import Metric

    Ready = Callable[[Card], Card]
    Get = Callable[..., Metric]

CORPUS = {"papineni2002-bleu": "bleu", "popovic2015-chrf": "chrf", "snover2006-ter": "ter"}
MEANS = ("papineni2002-sentbleu", "lin2004-rouge", "lin2004-rougescore")
JOINING = (*CORPUS, "papineni2002-sentbleu")  # lists are one text; of ROUGE they are sentences
ROUGES = ("lin2004-rouge", "lin2004-rougescore")
METRICS = (*CORPUS, *MEANS)

# The example of sacrebleu's README and tests.
EXAMPLE = [
    {
        "candidate": "The dog bit the man.",
        "references": ["The dog bit the man.", "The dog had bit the man."],
    },
    {
        "candidate": "It wasn't surprising.",
        "references": ["It was not unexpected.", "No one was surprised."],
    },
    {
        "candidate": "The man had just bitten him.",
        "references": ["The man bit him first.", "The man had bitten the dog."],
    },
]

# All rows in one call of sacrebleu's own: a stream of references for each that a row may have.
IN_ONE_GO = """
import json, sys
from sacrebleu.metrics import BLEU, CHRF, TER
rows, name, options = json.load(open(sys.argv[1]))
metric = {"bleu": BLEU, "chrf": CHRF, "ter": TER}[name](**options)
most = max(len(references) for _, references in rows)
streams = [[r[i] if i < len(r) else None for _, r in rows] for i in range(most)]
score = metric.corpus_score([candidate for candidate, _ in rows], streams).score
json.dump(score, open(sys.argv[2], "w"))
"""


@pytest.fixture(name="get")
def _get(ready: Ready) -> Get:
    """Make a metric, its image there."""

    def get(name: str, **options: Any) -> Any:
        ready(find_model(name)[0])
        return load(name, **options)

    return get


def all_metrics(names: Any = METRICS) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", names)


def documents() -> list[dict[str, Any]]:
    """Read the 12 summaries of MultiLing 2011: texts of sentences."""
    rows: Any = read_jsonl_file(
        str(find_package("papineni2002").folder / "claims/multiling2011.jsonl")
    )
    return [row["input"] for row in rows]


def sentences(count: int) -> list[dict[str, Any]]:
    """Make instances of one to three references; some candidates and references are empty."""
    found = [s for d in documents() for text in (d["candidate"], *d["references"]) for s in text]
    rows: list[dict[str, Any]] = [
        {
            "candidate": found[7 * i % len(found)],
            "references": [found[(7 * i + k) % len(found)] for k in range(1, 2 + i % 3)],
        }
        for i in range(count)
    ]
    rows[3]["candidate"] = rows[count // 2]["candidate"] = ""
    rows[5]["references"] = [""]
    return rows


def in_one_go(engine: Engine, name: str, rows: list[dict[str, Any]], **options: Any) -> Any:
    """Have the sacrebleu of the model's image score a corpus by itself."""
    program = load(name).resolve()
    given = [[[row["candidate"], row["references"]] for row in rows], CORPUS[name], options]
    with exchange_for(engine) as exchange:
        with exchange.create("rows.json") as file:
            file.write(json.dumps(given).encode())
        inside = [f"{exchange.inside}/{file}" for file in ("rows.json", "score.json")]
        command = ("python", "-c", IN_ONE_GO, *inside)
        run(engine, ContainerSpec(image=program.image, command=command, name=name), exchange)
        return next(exchange.rows("score.json", name))


def one_text(parts: list[str]) -> str:
    return " ".join(parts)


@all_metrics()
def test_a_batch_gives_the_value_over_all_and_a_row_for_each(name: str, get: Get) -> None:
    macro, micro = get(name).predict_batch(EXAMPLE)

    assert isinstance(macro, dict)
    assert isinstance(micro, list)
    assert len(micro) == len(EXAMPLE)
    assert all(set(macro) <= set(row) for row in micro)


@all_metrics()
def test_one_instance_gives_the_value_over_it_alone(name: str, get: Get) -> None:
    metric = get(name)

    assert metric.predict(**EXAMPLE[2]) == metric.predict_batch(EXAMPLE[2:])[0]


@all_metrics(MEANS)
def test_the_value_over_all_is_the_mean_where_it_is_said_to_be(name: str, get: Get) -> None:
    macro, micro = get(name).predict_batch(EXAMPLE)

    columns = [_flat(row) for row in micro]
    means = {key: sum(row[key] for row in columns) / len(micro) for key in columns[0]}
    assert _flat(macro) == pytest.approx(means, abs=1e-12)


@all_metrics(CORPUS)
def test_the_value_over_a_corpus_is_not_the_mean_of_its_rows(name: str, get: Get) -> None:
    macro, micro = get(name).predict_batch(EXAMPLE)
    score = CORPUS[name]

    assert abs(macro[score] - sum(row[score] for row in micro) / len(micro)) > 0.1


@all_metrics(CORPUS)
def test_a_corpus_has_the_value_that_sacrebleu_gives_it(
    name: str, get: Get, engine: Engine
) -> None:
    macro, _ = get(name).predict_batch(EXAMPLE)

    assert macro[CORPUS[name]] == in_one_go(engine, name, EXAMPLE)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("papineni2002-bleu", {}),
        ("papineni2002-bleu", {"smooth_method": "add-k", "tokenize": "intl", "lowercase": True}),
        ("popovic2015-chrf", {}),
        ("popovic2015-chrf", {"word_order": 2, "eps_smoothing": True}),
        ("snover2006-ter", {}),
        ("snover2006-ter", {"normalized": True, "case_sensitive": True}),
    ],
)
def test_200_rows_in_batches_have_the_value_of_one_go(
    name: str, options: dict[str, Any], get: Get, engine: Engine
) -> None:
    rows = sentences(200)

    macro, micro = get(name, **options).predict_batch(rows)

    assert len(micro) == 200
    assert macro[CORPUS[name]] == in_one_go(engine, name, rows, **options)


@all_metrics(JOINING)
def test_the_parts_of_a_list_are_joined_by_a_space(name: str, get: Get) -> None:
    lists = documents()[:1] if name != "snover2006-ter" else []  # of whole summaries too slow
    lists += [{"candidate": ["The dog", "bit him."], "references": [["A dog", "bit him."], "No."]}]
    texts = [
        {
            "candidate": one_text(given["candidate"]),
            "references": [r if isinstance(r, str) else one_text(r) for r in given["references"]],
        }
        for given in lists
    ]

    assert get(name).predict_batch(lists) == get(name).predict_batch(texts)


@all_metrics(ROUGES)
def test_sentences_matter_to_the_longest_subsequence_alone(name: str, get: Get) -> None:
    candidate = ["It was dark.", "The dog bit the man."]
    reference = ["The dog bit the man.", "It was dark."]
    shapes: dict[str, dict[str, Any]] = {
        "lists": {"candidate": candidate, "references": [reference]},
        "lines": {"candidate": "\n".join(candidate), "references": ["\n".join(reference)]},
        "one": {"candidate": one_text(candidate), "references": [one_text(reference)]},
    }

    _, (lists, lines, one) = get(name).predict_batch(list(shapes.values()))
    _, (unsplit,) = get(name, sentence_split=False).predict_batch([shapes["lines"]])

    assert lists == lines
    assert one == unsplit
    assert lists.pop("rouge-l")["f1"] == 100
    assert one.pop("rouge-l")["f1"] < 100
    assert lists == one


def test_of_several_references_each_metric_makes_what_it_documents(get: Get) -> None:
    both = {"candidate": "a b c d", "references": ["a b x d", "a y z w v"]}
    given = [both, *({**both, "references": [one]} for one in both["references"])]
    scored = {name: get(name).predict_batch(given)[1] for name in METRICS}
    rouge, best = (scored[name] for name in ROUGES)

    # Tokens: of the candidate, of the reference of the closest length, matches of order 1 in any.
    assert scored["papineni2002-bleu"][0]["statistics"][:3] == [4, 4, 3]
    chrf = [row["chrf"] for row in scored["popovic2015-chrf"]]
    assert chrf[0] == max(chrf[1:])
    edits = [row["edits"] for row in scored["snover2006-ter"]]
    assert edits[0] == min(edits[1:])
    assert scored["snover2006-ter"][0]["reference_length"] == 4.5
    # Pooled: 3 and 1 words of 4 and 5 are found.
    assert rouge[0]["rouge-1"]["recall"] == pytest.approx(100 * 4 / 9, abs=5e-4)
    assert rouge[0]["rouge-1"]["precision"] == pytest.approx(100 * 4 / 8, abs=5e-4)
    assert best[0]["rouge-1"] == best[1]["rouge-1"]


@pytest.mark.parametrize("candidate", ["", [], [""], "  \n "], ids=repr)
@all_metrics()
def test_an_empty_candidate_has_the_worst_score(name: str, candidate: Any, get: Get) -> None:
    macro, (row,) = get(name).predict_batch(
        [{"candidate": candidate, "references": ["The dog bit the man.", "No."]}]
    )
    worst: Any = 0.0
    if name == "snover2006-ter":
        worst = 100 * 1 / 3  # the fewest words to insert, over the mean length: 1 / ((5 + 1) / 2)
    if name in ROUGES:
        worst = {"recall": 0.0, "precision": 0.0, "f1": 0.0}

    for scores in (macro, {key: row[key] for key in macro}):
        assert all(value == pytest.approx(worst) for value in scores.values())


@all_metrics()
def test_two_empty_texts_have_a_score(name: str, get: Get) -> None:
    macro = get(name).predict("", [""])
    zero: Any = {"recall": 0.0, "precision": 0.0, "f1": 0.0} if name in ROUGES else 0.0

    assert all(value == zero for value in macro.values())


@all_metrics()
def test_no_references_are_refused(name: str, get: Get) -> None:
    given = [*EXAMPLE, {"candidate": "The dog bit the man.", "references": []}]

    with pytest.raises(InstanceError, match=r"instance 3 .*'references' .*at least 1 item"):
        get(name).predict_batch(given)


@all_metrics()
def test_a_value_over_nothing_is_refused(name: str, get: Get) -> None:
    with pytest.raises(ConfigurationError, match="over no instances"):
        get(name).predict_batch([])


def test_bleu_of_12_summaries_is_what_the_ancestor_had(get: Get) -> None:
    bleu, _ = get("papineni2002-bleu").predict_batch(documents())
    sentbleu, _ = get("papineni2002-sentbleu").predict_batch(documents())

    # danieldeutsch/repro 0.1.6, models/papineni2002/tests/fixtures/expected.json
    assert bleu == {"bleu": 21.49941967066064}
    assert sentbleu["sentbleu"] == pytest.approx(20.80326840166005, abs=1e-12)


def test_rouge_of_12_summaries_is_what_the_ancestor_had(get: Get) -> None:
    macro, _ = get("lin2004-rouge").predict_batch(documents())

    # danieldeutsch/repro 0.1.6, models/lin2004/tests/fixtures/expected.json
    assert {key: value["f1"] for key, value in macro.items()} == pytest.approx(
        {
            "rouge-1": 46.73383333333334,
            "rouge-2": 16.43016666666667,
            "rouge-3": 7.405416666666667,
            "rouge-4": 4.370666666666667,
            "rouge-l": 43.41291666666667,
            "rouge-su4": 20.1595,
        },
        abs=1e-12,
    )


@all_metrics(ROUGES)
def test_the_order_says_which_scores_there_are(name: str, get: Get) -> None:
    options: dict[str, Any] = {"calculate_su4": False} if name == "lin2004-rouge" else {}

    found = get(name, ngram_order=2, **options).predict(**EXAMPLE[0])

    assert list(found) == ["rouge-1", "rouge-2", "rouge-l"]


def test_stop_words_can_be_left_out(get: Get) -> None:
    given = {"candidate": "the dog of the man", "references": ["the cat of the house"]}

    with_them = get("lin2004-rouge").predict(**given)
    without = get("lin2004-rouge", remove_stopwords=True).predict(**given)

    assert with_them["rouge-1"]["recall"] == 60.0
    assert without["rouge-1"]["recall"] == 0.0


def _flat(scores: dict[str, Any]) -> dict[str, float]:
    """Name each number by its path."""
    found: dict[str, float] = {}
    for key, value in scores.items():
        inner = value if isinstance(value, dict) else {"": value}
        found |= {f"{key} {name}": number for name, number in inner.items()}
    return found
