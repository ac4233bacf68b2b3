"""Models that look at pictures: what is none is refused by its name, and any name will do."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from repro.catalog import find_package
from repro.errors import ModelError
from repro.models import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from repro.catalog import Card

    Ready = Callable[[Card], Card]

PICTURES = {
    "viola2001-opencv": "claims/mona.png",
    "viola2001-skimage": "claims/mona.png",
    "smith2007-tesseract": "examples/line.png",
    "du2020-ppocr": "examples/transparent.png",
}

pictures = pytest.mark.parametrize(("name", "picture"), PICTURES.items(), ids=list(PICTURES))


@pictures
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5], ids=["nothing", "the head", "a half"])
def test_what_is_no_whole_picture_is_refused_by_its_name(
    name: str, picture: str, share: float, ready: Ready, tmp_path: Path
) -> None:
    whole = ready(find_package(name.partition("-")[0])).folder / picture
    broken = tmp_path / "broken.png"
    broken.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])

    with load(name) as model, pytest.raises(ModelError, match=r"broken\.png is not an image"):
        model.predict_batch([{"image": whole}, {"image": broken}])


@pictures
def test_a_picture_may_have_any_name(name: str, picture: str, ready: Ready, tmp_path: Path) -> None:
    plain = ready(find_package(name.partition("-")[0])).folder / picture
    odd = tmp_path / " Zwölf 'Seiten' 漢字 \\n.png"
    shutil.copy(plain, odd)

    with load(name) as model:
        assert model.predict(image=odd) == model.predict(image=plain)


def test_the_small_faces_are_a_hundred_and_a_hundred_others(ready: Ready) -> None:
    ready(find_package("viola2001"))

    with load("viola2001-opencv", scale=1.05, neighbors=3) as model:
        rows = list(model.dataset("lfw_subset"))
        found = model.predict_batch([row["input"] for row in rows])

    faces, others = (sum(one["count"] > 0 for one in half) for half in (found[:100], found[100:]))
    assert [row["label"] for row in rows] == [1] * 100 + [0] * 100  # as scikit-image says
    assert faces > others
