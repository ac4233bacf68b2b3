"""Speech from text: Festival 2.5.0, as its text2wave does it.

Paper: Taylor, Black & Caley (1998), "The Architecture of the Festival Speech Synthesis System",
3rd ESCA Workshop on Speech Synthesis.
"""

from repro_runtime import content, main

import io
import os
import wave

from festival import ENCODING, Festival, checked

TEXT = "/tmp/festival/text"  # Festival makes utterances of files
RATE = 16000


def load(voice="kal"):
    os.makedirs(os.path.dirname(TEXT), exist_ok=True)
    return Festival(voice)


def predict(festival, instances):
    return [speak(festival, checked(instance["text"])) for instance in instances]


def speak(festival, text):
    with open(TEXT, "w", encoding=ENCODING, newline="") as file:
        file.write(text)
    frames, words, phones = b"", [], []
    for line in festival.ask('(speak "%s")' % TEXT):
        kind, _, rest = line.partition(" ")
        if kind == "utterance":
            before = len(frames) / 2 / RATE
            frames += frames_of(rest)
        elif kind == "phone":
            end, phone = rest.split(" ", 1)
            phones.append({"phone": phone, "end": at(before, end)})
        else:
            start, end, word = rest.split(" ", 2)
            where = [at(before, start), at(before, end)]
            if float(end) == 0:  # it has no phones of its own, as the 's of "Black's"
                where = [words[-1]["end"] if words else 0.0] * 2
            words.append({"word": word, "start": where[0], "end": where[1]})
    return {
        "audio": content(wav(frames), ".wav"),
        "seconds": len(frames) / 2 / RATE,
        "spoken": " ".join(word["word"] for word in words),
        "words": words,
        "phones": phones,
    }


def at(before, seconds):
    return round(before + float(seconds), 6)


def frames_of(utterance):
    """Take the sound of an utterance from the file that Festival has saved it in."""
    path = os.path.join(os.path.dirname(TEXT), utterance + ".wav")
    with wave.open(path) as file:
        if file.getparams()[:3] != (1, 2, RATE):
            raise RuntimeError("Festival saved sound of another kind")
        frames = file.readframes(file.getnframes())
    os.remove(path)
    return frames


def wav(frames):
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(frames)
    return made.getvalue()


if __name__ == "__main__":
    main(load, predict)
