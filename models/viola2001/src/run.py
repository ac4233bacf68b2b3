"""The cascades of OpenCV 4.10.0, with the detector of that release.

Paper: Viola & Jones (2001), "Rapid Object Detection using a Boosted Cascade of Simple Features",
CVPR.
"""

from repro_runtime import main

import os

import cv2

import faces

cv2.setNumThreads(1)  # with several the order of the rectangles is by chance


def load(cascade="frontalface_default", scale=1.1, neighbors=5, smallest=30, equalize=False):
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_%s.xml" % cascade)
    if detector.empty():
        raise ValueError("no cascade %r" % cascade)
    return detector, equalize, (scale, neighbors, 0, (smallest, smallest))


def predict(model, instances):
    return [detect(*model, instance["image"]) for instance in instances]


def detect(detector, equalize, options, path):
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ValueError("%s is not an image that OpenCV reads" % os.path.basename(path))
    if equalize:
        picture = cv2.equalizeHist(picture)
    return found(detector.detectMultiScale(picture, *options))


def found(rectangles):
    """Answer with rectangles from left to right, whatever the order they were found in."""
    boxes = sorted([int(number) for number in box] for box in rectangles)
    return {"count": len(boxes), "faces": boxes}


if __name__ == "__main__":
    main(load, predict, dataset=faces.rows)
