"""The pictures that ship with scikit-image: 100 faces, 100 that are none, and an astronaut."""

import os
import sys

import cv2
import numpy as np
from skimage import data

FOLDER = "/opt/viola2001"
SIZE, BORDER = 96, 24  # the pictures have 25 x 25 points, the cascades want more, and some margin
FACES = 100  # come first


def write(folder):
    """Write the pictures as files, enlarged; run when the image is built."""
    for number, points in enumerate(data.lfw_subset()):
        picture = cv2.resize(np.uint8(points * 255), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        picture = cv2.copyMakeBorder(picture, *[BORDER] * 4, cv2.BORDER_REPLICATE)
        cv2.imwrite(os.path.join(folder, "lfw-%03d.png" % number), picture)
    astronaut = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(os.path.join(folder, "astronaut.png"), astronaut)


def rows(name):
    """Yield a data set: the label is how many faces a picture has."""
    if name == "lfw_subset":
        for number in range(2 * FACES):
            path = os.path.join(FOLDER, "lfw-%03d.png" % number)
            yield {"input": {"image": path}, "label": int(number < FACES)}
    elif name == "astronaut":
        yield {"input": {"image": os.path.join(FOLDER, "astronaut.png")}, "label": 1}
    else:
        raise ValueError("no data set %r; there are: lfw_subset, astronaut" % name)


if __name__ == "__main__":
    write(sys.argv[1])
