"""What Festival 2.5.0 makes of a text before it speaks: words, their tags, phrases.

Paper: Taylor, Black & Caley (1998), "The Architecture of the Festival Speech Synthesis System",
3rd ESCA Workshop on Speech Synthesis.
"""

from repro_runtime import main

from festival import Festival, checked


def load():
    return Festival()


def predict(festival, instances):
    return [analyse(festival, checked(instance["text"])) for instance in instances]


def analyse(festival, text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    words, tags, phrases = [], [], []
    for line in festival.ask('(analyse "%s")' % quoted):
        kind, first, *rest = line.split(" ")
        if kind == "word":
            tags.append(first)
            words.append(" ".join(rest))
        elif rest:
            phrases.append({"words": " ".join(rest), "boundary": first})
    return {"words": words, "tags": tags, "phrases": phrases}


if __name__ == "__main__":
    main(load, predict)
