"""Silero VAD 6.2, over onnxruntime 1.20.1.

Source: Silero Team (2021), "Silero VAD: pre-trained enterprise-grade Voice Activity Detector (VAD),
Number Detector and Language Classifier", https://github.com/snakers4/silero-vad
"""

from repro_runtime import main

import detection


def load(threshold=0.5):
    return detection.Detector("6.2", threshold)


if __name__ == "__main__":
    main(load, detection.predict)
