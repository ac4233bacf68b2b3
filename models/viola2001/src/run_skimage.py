"""The cascade of scikit-image 0.24.0, skimage/feature/_cascade.pyx.

Papers: Viola & Jones (2001), "Rapid Object Detection using a Boosted Cascade of Simple Features",
CVPR; Zhang et al. (2007), "Face Detection Based on Multi-Block LBP Representation", ICB.
"""

from repro_runtime import main

import os

import cv2
from skimage import data
from skimage.feature import Cascade

import faces
from run import found


def load(scale=1.2, step=1.0, smallest=60, largest=123):
    options = {"scale_factor": scale, "step_ratio": step}
    sizes = {"min_size": (smallest, smallest), "max_size": (largest, largest)}
    return Cascade(data.lbp_frontal_face_cascade_filename()), {**options, **sizes}


def predict(model, instances):
    cascade, options = model
    return [detect(cascade, options, instance["image"]) for instance in instances]


def detect(cascade, options, path):
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("%s is not an image that OpenCV reads" % os.path.basename(path))
    boxes = cascade.detect_multi_scale(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), **options)
    return found((box["c"], box["r"], box["width"], box["height"]) for box in boxes)


if __name__ == "__main__":
    main(load, predict, dataset=faces.rows)
