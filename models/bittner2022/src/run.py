"""Notes of music: Basic Pitch 0.4.0 over onnxruntime.

Paper: Bittner, Bosch, Rubinstein, Meseguer-Brocal & Ewert (2022), "A Lightweight
Instrument-Agnostic Model for Polyphonic Note Transcription and Multipitch Estimation", ICASSP.
"""

from repro_runtime import content, main

import io
import shutil

# numba uses only what it could also write, and nothing but /tmp can be written to.
shutil.copytree("/opt/numba", "/tmp/numba", dirs_exist_ok=True)

import soundfile  # noqa: E402
from basic_pitch import FilenameSuffix, build_icassp_2022_model_path, inference  # noqa: E402


def load(
    onset_threshold=0.5,
    frame_threshold=0.3,
    minimum_note_length=127.7,
    minimum_frequency=None,
    maximum_frequency=None,
    midi_tempo=120.0,
):
    options = {
        "onset_threshold": onset_threshold,
        "frame_threshold": frame_threshold,
        "minimum_note_length": minimum_note_length,
        "minimum_frequency": minimum_frequency,
        "maximum_frequency": maximum_frequency,
        "midi_tempo": midi_tempo,
    }
    return inference.Model(build_icassp_2022_model_path(FilenameSuffix.onnx)), options


def predict(model, instances):
    network, options = model
    return [transcribe(network, options, instance["audio"]) for instance in instances]


def transcribe(network, options, path):
    check(path)
    _, midi, notes = inference.predict(path, network, **options)
    written = io.BytesIO()
    midi.write(written)
    return {
        "notes": [note(*found) for found in sorted(notes, key=lambda found: found[:3])],
        "midi": content(written.getvalue(), ".mid"),
    }


def note(start, end, pitch, amplitude, bends):
    return {
        "start": float(start),
        "end": float(end),
        "pitch": int(pitch),
        "amplitude": float(amplitude),
        "bends": None if bends is None else [int(bend) for bend in bends],
    }


def check(path):
    try:
        found = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise ValueError("not sound that libsndfile reads: %s" % error.error_string) from error
    if found.duration < 0.1:
        raise ValueError("a tenth of a second of sound is needed, not %d frames" % found.frames)


if __name__ == "__main__":
    main(load, predict)
