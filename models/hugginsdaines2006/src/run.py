"""Speech as text: PocketSphinx 5.0.4 with its model of American English.

Paper: Huggins-Daines, Kumar, Chan, Black, Ravishankar & Rudnicky (2006), "PocketSphinx: A Free,
Real-Time Continuous Speech Recognition System for Hand-Held Devices", ICASSP.
"""

from repro_runtime import main

from pocketsphinx import Decoder

import speech


def load(grammar="", raw=False):
    if not grammar:
        return Decoder(), raw
    decoder = Decoder(lm=None)
    decoder.add_jsgf_string("grammar", grammar)
    decoder.activate_search("grammar")
    return decoder, raw


def predict(model, instances):
    decoder, raw = model
    return [recognize(decoder, speech.read(i["audio"], raw)) for i in instances]


def recognize(decoder, sound):
    found = speech.decode(decoder, sound)
    return {"text": found.hypstr if found else "", "words": speech.words(decoder)}


if __name__ == "__main__":
    main(load, predict)
