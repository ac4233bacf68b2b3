"""Reverse texts: the program of the tutorial."""

from repro_runtime import main


def load():
    return None


def predict(model, instances):
    return [instance["text"][::-1] for instance in instances]


if __name__ == "__main__":
    main(load, predict)
