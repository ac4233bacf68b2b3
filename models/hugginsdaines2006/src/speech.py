"""Read a recording, run a decoder over it, and read its words."""

import wave

RATE = 16000  # Hz, of the acoustic model
NEEDED = "one channel of 16-bit integers at 16000 Hz is needed"


def read(path, raw):
    """Return the samples as bytes; raw ones are the whole file."""
    if raw:
        with open(path, "rb") as file:
            sound = file.read()
    else:
        sound = read_wav(path)
    if not sound or len(sound) % 2:
        raise ValueError("%s, and the file has %d bytes" % (NEEDED, len(sound)))
    return sound


def read_wav(path):
    try:
        with wave.open(path, "rb") as file:
            found = file.getnchannels(), file.getsampwidth() * 8, file.getframerate()
            sound = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError("a WAV file is needed: %s" % (str(error) or "it is cut short")) from None
    if found != (1, 16, RATE):
        raise ValueError("%s, and the file has %d of %d bits at %d Hz" % (NEEDED, *found))
    return sound


def decode(decoder, sound):
    # Noise and mean of one recording would go on into the next.
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()
    return decoder.hyp()


def words(decoder):
    frames = decoder.config["frate"]  # a second
    return [
        {
            "word": word.word,
            "start": word.start_frame / frames,
            "duration": (word.end_frame + 1 - word.start_frame) / frames,
            "probability": round(word.prob, 3),  # as the program of upstream prints it
        }
        for word in decoder.seg() or []
    ]
