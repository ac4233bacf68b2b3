"""Models of sound: what they make can be heard, and what they cannot read is refused by name."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import pytest

from repro.catalog import find_package
from repro.errors import PredictionError
from repro.models import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from repro.catalog import Card

    Ready = Callable[[Card], Card]


def wav(path: Path, *, seconds: float = 1.0, rate: int = 8000, width: int = 2) -> Path:
    """Write silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(int(seconds * rate) * width))
    return path


def test_speech_is_a_file_as_long_as_it_says(ready: Ready) -> None:
    ready(find_package("taylor1998"))
    with load("taylor1998-festival") as festival:
        speech = festival.predict("Hello world. This is Mr. Black's project.")

    with wave.open(io.BytesIO(speech["audio"])) as file:
        assert file.getparams()[:3] == (1, 2, 16000)
        assert file.getnframes() / 16000 == speech["seconds"]
    assert speech["spoken"].split() == [word["word"] for word in speech["words"]]
    ends = [phone["end"] for phone in speech["phones"]]
    assert ends == sorted(ends)
    assert 0 <= speech["seconds"] - ends[-1] < 0.1
    starts = [word["start"] for word in speech["words"]]
    assert starts == sorted(starts)


def test_a_longer_text_is_its_sentences_one_after_the_other(ready: Ready) -> None:
    ready(find_package("taylor1998"))
    with load("taylor1998-festival") as festival:
        one, other = festival.predict("Hello world."), festival.predict("It is fine.")
        both = festival.predict("Hello world.  It is fine.")

    assert both["audio"][44:] == one["audio"][44:] + other["audio"][44:]


def test_both_voices_speak_and_differ(ready: Ready) -> None:
    ready(find_package("taylor1998"))
    made = []
    for voice in ("kal", "ked"):
        with load("taylor1998-festival", voice=voice) as festival:
            made.append(festival.predict("Hello world."))

    assert made[0]["spoken"] == made[1]["spoken"]
    assert made[0]["audio"] != made[1]["audio"]


def test_text_that_festival_does_not_know_is_refused_and_the_next_is_spoken(ready: Ready) -> None:
    ready(find_package("taylor1998"))
    with load("taylor1998-festival") as festival:
        with pytest.raises(PredictionError, match=r"not 'ï' at 2"):
            festival.predict("naïve")
        with pytest.raises(PredictionError, match="300 characters at most, and one has 10000"):
            festival.predict("x" * 10_000)
        assert festival.predict('(quit) "quoted" \\ back')["words"]


@pytest.mark.parametrize("model", ["boeck2016-beats", "bittner2022-basicpitch"])
def test_a_file_that_is_no_sound_is_refused(model: str, ready: Ready, tmp_path: Path) -> None:
    ready(find_package(model.partition("-")[0]))
    text = tmp_path / "text.wav"
    text.write_text("hello")

    with load(model) as loaded:
        with pytest.raises(PredictionError, match=r"not a WAV file|not sound that"):
            loaded.predict(text)
        with pytest.raises(PredictionError, match="a tenth of a second"):
            loaded.predict(wav(tmp_path / "short.wav", seconds=0.01))


def test_other_samples_and_files_cut_off_are_refused_by_madmom(
    ready: Ready, tmp_path: Path
) -> None:
    ready(find_package("boeck2016"))
    whole = wav(tmp_path / "whole.wav").read_bytes()
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole[:9000])

    with load("boeck2016-beats") as beats:
        with pytest.raises(PredictionError, match="16 bits a sample is needed, not of 8"):
            beats.predict(wav(tmp_path / "eight.wav", width=1))
        with pytest.raises(PredictionError, match="cut off"):
            beats.predict(cut)
