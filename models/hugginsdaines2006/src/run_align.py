"""Words of a known text in a recording: the aligner of PocketSphinx 5.0.4.

Paper: Huggins-Daines, Kumar, Chan, Black, Ravishankar & Rudnicky (2006), "PocketSphinx: A Free,
Real-Time Continuous Speech Recognition System for Hand-Held Devices", ICASSP.
"""

from repro_runtime import main

from pocketsphinx import Decoder

import speech


def load(raw=False):
    return Decoder(lm=None, bestpath=False), raw  # as the program of upstream aligns


def predict(model, instances):
    decoder, raw = model
    return [align(decoder, speech.read(i["audio"], raw), i["text"]) for i in instances]


def align(decoder, sound, text):
    words = text.split()
    unknown = [word for word in words if decoder.lookup_word(word) is None]
    if unknown:
        raise ValueError("words that the dictionary lacks: %s" % ", ".join(unknown))
    if not words:
        raise ValueError("there is no word to align")
    decoder.set_align_text(text)
    if not speech.decode(decoder, sound):
        raise ValueError("the recording cannot be aligned with the text")
    return speech.words(decoder)


if __name__ == "__main__":
    main(load, predict)
