"""The 1,797 digits that ship with scikit-learn, and the splits that publications used."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SPLITS = ("", "first-half", "second-half", "two-thirds", "third")


def arrays(split=""):
    """Return images, as rows of 64 intensities, and digits.

    The halves are in the order of the file, the thirds are drawn with the seed 42.
    """
    images, digits = load_digits(return_X_y=True)
    if split in {"first-half", "second-half"}:
        parts = train_test_split(images, digits, test_size=0.5, shuffle=False)
    elif split in {"two-thirds", "third"}:
        parts = train_test_split(images, digits, test_size=0.33, random_state=42)
    elif split:
        raise ValueError("no split %r; there are: %s" % (split, ", ".join(SPLITS[1:])))
    else:
        return images, digits
    training = split in {"first-half", "two-thirds"}
    return (parts[0], parts[2]) if training else (parts[1], parts[3])


def rows(name):
    """Yield a data set: ``digits``, or a split of it, such as ``digits/third``."""
    data, _, split = name.partition("/")
    if data != "digits":
        raise ValueError("no data set %r; there is: digits" % data)
    for image, digit in zip(*arrays(split), strict=True):
        yield {"input": {"image": image.reshape(8, 8).tolist()}, "label": int(digit)}
