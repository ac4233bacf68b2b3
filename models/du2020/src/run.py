"""PP-OCRv4 for Chinese and English, as rapidocr-onnxruntime 1.4.4 has it.

Paper: Du et al. (2020), "PP-OCR: A Practical Ultra Lightweight OCR System", arXiv.
"""

from repro_runtime import main

import os

from PIL import Image
from rapidocr_onnxruntime import RapidOCR

# RapidOCR takes the numbers of a palette for grey, and four colours of print for three and alpha.
KNOWN = ("1", "L", "LA", "RGB", "RGBA")


def load(min_score=0.5):
    # One thread: several workers with several each are slower by far.
    return RapidOCR(text_score=min_score, intra_op_num_threads=1, inter_op_num_threads=1)


def predict(recognizer, instances):
    return [{"lines": read(recognizer, instance["image"])} for instance in instances]


def read(recognizer, path):
    lines, _ = recognizer(picture(path))
    return [line(*found) for found in lines or ()]


def picture(path):
    try:
        with Image.open(path) as found:
            found.load()
            if found.mode in KNOWN:
                return found.copy()
            return found.convert("RGBA" if found.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises over a broken file
        name = os.path.basename(path)
        raise ValueError("%s is not an image that Pillow reads" % name) from error


def line(corners, text, score):
    box = [[round(x, 1), round(y, 1)] for x, y in corners]
    return {"text": text, "score": round(float(score), 5), "box": box}


if __name__ == "__main__":
    main(load, predict)
