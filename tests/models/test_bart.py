"""BART summarizes what it is given, in order, over weights that are fetched for its image.

The real weights have 1.6 GB and lie on another machine. Here a tiny BART stands for them, made of
random numbers and served by this machine: its summaries mean nothing, and all else is the same.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog.card import read_card
from repro.catalog.places import models_root
from repro.engine import image as images
from repro.engine.base import ensure_base
from repro.engine.container import run
from repro.engine.context import BuildContext
from repro.engine.recipe import build, recipe_of
from repro.engine.spec import ContainerSpec
from repro.models.lewis2020 import BART
from repro.testing import get_testing_device_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.client import Engine
    from tests.conftest import Library

PACKAGE = models_root() / "lewis2020"
pytestmark = pytest.mark.timeout(1200)  # PyTorch is installed first

NAMESPACE = "repro-test-lewis2020"
WORKSHOP = f"{NAMESPACE}/workshop:1"  # kept: its layers are those of the real image

TEXTS = [
    "The tower is 324 metres tall. Its base is square. It was finished in 1889.",
    "A cat sat.",
    "The committee met on Monday to talk about the budget, and again on Tuesday.",
    "",
    "One two three four five six seven. " * 100,  # more than the tiny one has positions
]

MAKE = """
import base64, json, os, torch
from tokenizers import ByteLevelBPETokenizer
from transformers import BartConfig, BartForConditionalGeneration, BartTokenizerFast

marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
bpe = ByteLevelBPETokenizer()
bpe.train_from_iterator(["The tower is tall, and its base is square."], 320, 2, False, marks)
bpe.save_model("/tmp")
tokenizer = BartTokenizerFast("/tmp/vocab.json", "/tmp/merges.txt")
torch.manual_seed(0)
sizes = dict(d_model=16, max_position_embeddings=256, init_std=0.5, vocab_size=len(tokenizer))
for side in ("encoder", "decoder"):
    sizes.update({side + "_layers": 2, side + "_attention_heads": 2, side + "_ffn_dim": 32})
search = dict(
    num_beams=4, length_penalty=2.0, no_repeat_ngram_size=3, early_stopping=True,
    min_length=56, max_length=142, forced_bos_token_id=0, forced_eos_token_id=2, prefix=" ",
)
BartForConditionalGeneration(BartConfig(**sizes, **search)).save_pretrained("/tmp/made")
tokenizer.save_pretrained("/tmp/made")
os.chdir("/tmp/made")
print(json.dumps({n: base64.b64encode(open(n, "rb").read()).decode() for n in os.listdir()}))
"""

# What the library itself does with these weights and their configuration.
PIPELINE = """
import json, sys, run
from transformers import BartForConditionalGeneration, BartTokenizerFast, pipeline
network = BartForConditionalGeneration.from_pretrained(run.FOLDER)
tokenizer = BartTokenizerFast.from_pretrained(run.FOLDER, model_max_length=256)
pipe = pipeline("summarization", model=network, tokenizer=tokenizer)
texts = json.loads(sys.argv[1])
print(json.dumps([one["summary_text"].strip() for one in pipe(texts, truncation=True)]))
"""

TOGETHER = """
import json, sys, run
summarize, _ = run.load()
print(json.dumps(summarize(json.loads(sys.argv[1]))))
"""


class Files(ThreadingHTTPServer):
    """Serves a folder, and remembers what was asked for."""

    def __init__(self, folder: Path) -> None:
        asked = self.asked = list[str]()

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                asked.append(self.path.removeprefix("/"))

        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.folder = folder


@pytest.fixture(scope="module", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep off the configuration and the cache of whoever runs this."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "config.toml").write_text(f'namespace = "{NAMESPACE}"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRO_CONFIG", str(folder / "config.toml"))
        patch.setenv("REPRO_CACHE", str(folder / "cache"))
        patch.delenv("REPRO_WEIGHTS_MIRROR", raising=False)
        yield


def answer_of(engine: Engine, image: str, code: str, *words: str) -> Any:
    """Run Python code in a container, and read what it prints last."""
    printed: list[bytes] = []
    command = ("python", "-W", "ignore", "-c", code, *words)
    spec = ContainerSpec(image=image, command=command, name="lewis2020")
    run(engine, spec, on_output=lambda _, piece: printed.append(piece))
    return json.loads(b"".join(printed).splitlines()[-1])


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Serve a tiny BART, made by what the image has before the weights come."""
    root, served = tmp_path_factory.mktemp("workshop"), tmp_path_factory.mktemp("served")
    whole = (PACKAGE / "Dockerfile").read_text()
    (root / "Dockerfile").write_text(whole.partition("COPY weights/")[0])
    shutil.copy(PACKAGE / "requirements.txt", root)
    base = {"BASE": ensure_base(engine, "bookworm")}
    images.build(engine, BuildContext(root=root), WORKSHOP, arguments=base)
    for name, content in answer_of(engine, WORKSHOP, MAKE).items():
        (served / name).write_bytes(base64.b64decode(content))
    with Files(served) as made:
        thread = threading.Thread(target=partial(made.serve_forever, poll_interval=0.01))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def image(engine: Engine, server: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the package with other weights: in a copy of it, the card names those."""
    copy = with_weights_of(server, tmp_path_factory.mktemp("models") / "lewis2020")
    recipe = recipe_of(read_card(copy / "model.toml"), namespace=NAMESPACE)
    build(engine, recipe)
    yield recipe.name
    images.remove(engine, recipe.name, force=True)


def with_weights_of(server: Files, folder: Path) -> Path:
    """Copy the package, and write the server's weights into its card."""
    shutil.copytree(PACKAGE, folder)
    card = folder / "model.toml"
    card.write_text(re.sub(r"\[\[weights\]\]\n(.+\n)+", partial(here, server), card.read_text()))
    return folder


def here(server: Files, found: re.Match[str]) -> str:
    """Write a file of weights as one that this machine serves."""
    path = re.findall(r'path += "(.*)"', found[0])[0]
    name = Path(path).name
    content = (server.folder / name).read_bytes()
    about = {
        "path": path,
        "url": f"http://127.0.0.1:{server.server_port}/{name}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    return "[[weights]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in about.items())


@pytest.fixture(scope="module")
def bart(image: str) -> Iterator[BART]:
    with BART(image) as model:
        yield model


@pytest.fixture(scope="module")
def summaries(bart: BART) -> list[str]:
    return bart.predict_batch([{"document": text} for text in TEXTS])


def test_each_file_of_weights_is_fetched_once(summaries: list[str], server: Files) -> None:
    names = {Path(one.path).name for one in read_card(PACKAGE / "model.toml").weights}

    assert summaries
    assert sorted(server.asked) == sorted(names)
    assert len(names) == 4


def test_every_document_gets_its_own_summary_in_order(bart: BART, summaries: list[str]) -> None:
    alone = [bart.predict(text) for text in TEXTS]
    backwards = bart.predict_batch([{"document": text} for text in TEXTS[::-1]])

    assert len(summaries) == len(TEXTS)
    assert all(summaries)
    assert len(set(summaries)) == len(TEXTS)
    assert alone == summaries
    assert backwards[::-1] == summaries


def test_another_container_writes_the_same(image: str, summaries: list[str]) -> None:
    with BART(image) as again:
        assert [again.predict(text) for text in TEXTS[:2]] == summaries[:2]


def test_a_document_may_come_in_sentences(bart: BART, summaries: list[str]) -> None:
    assert (
        bart.predict(["The tower is 324 metres tall.", *TEXTS[0].split(". ", 1)[1:]])
        == (summaries[0])
    )


def test_the_library_itself_writes_the_same(
    engine: Engine, image: str, summaries: list[str]
) -> None:
    assert answer_of(engine, image, PIPELINE, json.dumps(TEXTS)) == summaries


def test_documents_that_are_padded_get_the_same_summaries(
    engine: Engine, image: str, summaries: list[str]
) -> None:
    """Together, as on a GPU."""
    assert answer_of(engine, image, TOGETHER, json.dumps(TEXTS)) == summaries


def test_the_length_of_a_summary_can_be_chosen(image: str, summaries: list[str]) -> None:
    with BART(image, min_length=4, max_length=8) as short:
        assert len(short.predict(TEXTS[0])) < len(summaries[0]) / 4


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("One. Two! Is it three?", "One.\nTwo!\nIs it three?"),
        ('He said "yes." Then he left.', 'He said "yes."\nThen he left.'),
        (" It is 3.5 metres tall .  It is old . ", "It is 3.5 metres tall .\nIt is old ."),
        ("", ""),
    ],
)
def test_sentences_can_stand_on_lines_of_their_own(
    engine: Engine, image: str, text: str, lines: str
) -> None:
    code = "import json, sys, run; print(json.dumps(run.in_lines(sys.argv[1])))"

    assert answer_of(engine, image, code, text) == lines


@pytest.mark.parametrize("device", [one for (one,) in get_testing_device_parameters(gpu_only=True)])
def test_a_gpu_writes_as_many_summaries(image: str, device: int, summaries: list[str]) -> None:
    with BART(image, device=device) as model:
        written = model.predict_batch([{"document": text} for text in TEXTS])

    assert len(written) == len(summaries)


def test_the_package_keeps_the_contract(engine: Engine, library: Library, server: Files) -> None:
    with_weights_of(server, library.folder / "models" / "lewis2020")
    code = Path(inspect.getfile(BART)).parent
    shutil.copytree(code, library.folder / "repro" / "models" / "lewis2020")

    done = library.repro("check", "lewis2020", "--level", "contract", "--json")
    images.remove(engine, f"{library.namespace}/lewis2020:1.0", force=True)
    (report,) = json.loads(done.stdout)
    wrong = [one for one in report["checks"] if one["outcome"] == "error"]

    assert report["level"] == "contract"
    assert wrong == []
    assert done.returncode == 0


def test_without_the_weights_no_claim_is_run_and_each_says_why(engine: Engine) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "repro", "reproduce", "lewis2020", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    claims = json.loads(done.stdout)

    assert done.returncode == 1
    assert [c["verdict"] for c in claims] == ["not run"] * 4
    assert [c["reported"] for c in claims[:3]] == ["44.16", "21.28", "40.90"]
    assert all("cnn_dailymail.jsonl is not there: its articles" in c["error"] for c in claims[:3])
    assert "`repro setup lewis2020` builds it" in claims[3]["error"]
