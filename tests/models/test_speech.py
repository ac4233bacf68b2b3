"""What the models of speech refuse, and what they say of it."""

from __future__ import annotations

import wave
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

ONE_SECOND = b"\x01\x05" * 16000
MODELS = {
    "rix2001-pesq": ("reference", "degraded"),
    "taal2011-stoi": ("reference", "degraded"),
    "hugginsdaines2006-pocketsphinx": ("audio",),
    "silero2021-vad": ("audio",),
}


def write(file: Path, *, channels: int = 1, bits: int = 16, rate: int = 16000) -> Path:
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(bits // 8)
        sound.setframerate(rate)
        sound.writeframes(ONE_SECOND[: len(ONE_SECOND) // 6 * 6])
    return file


@pytest.mark.parametrize(("name", "fields"), MODELS.items(), ids=list(MODELS))
def test_a_file_of_another_kind_is_refused_and_told(
    name: str, fields: tuple[str, ...], ready: Ready, tmp_path: Path
) -> None:
    ready(find_package(name.partition("-")[0]))
    text = tmp_path / "text.wav"
    text.write_text("This is no sound, although it has the name of one.")
    files = {
        "a WAV file is needed": text,
        "one channel": write(tmp_path / "stereo.wav", channels=2),
        "24[ -]": write(tmp_path / "24.wav", bits=24),
        "44100 Hz": write(tmp_path / "rate.wav", rate=44100),
    }
    if name == "taal2011-stoi":
        del files["44100 Hz"]  # it resamples

    with load(name) as model:
        for told, file in files.items():
            with pytest.raises(ModelError, match=told):
                model.predict(**dict.fromkeys(fields, str(file)))


def test_recordings_that_cannot_be_compared_are_told(ready: Ready, tmp_path: Path) -> None:
    ready(find_package("rix2001"))
    ready(find_package("taal2011"))
    slow = write(tmp_path / "slow.wav", rate=8000)
    fast = write(tmp_path / "fast.wav")

    with load("rix2001-pesq") as pesq, load("taal2011-stoi") as stoi:
        with pytest.raises(ModelError, match="degraded: it must be at 8000 Hz, and is at 16000 Hz"):
            pesq.predict(reference=slow, degraded=fast)
        with pytest.raises(ModelError, match=r"one rate and one length; .* 8000 Hz, .* 16000 Hz"):
            stoi.predict(reference=slow, degraded=fast)


def test_a_text_with_a_word_that_is_not_in_the_dictionary_is_told(
    ready: Ready, tmp_path: Path
) -> None:
    ready(find_package("hugginsdaines2006"))
    sound = write(tmp_path / "sound.wav")

    with (
        load("hugginsdaines2006-align") as model,
        pytest.raises(ModelError, match="words that the dictionary lacks: Ten, grault"),
    ):
        model.predict(audio=sound, text="Ten of grault")
