"""The network over the frames of a recording, and the stretches of speech.

This is `OnnxWrapper` of silero-vad (src/silero_vad/utils_vad.py) without PyTorch.
"""

import numpy as np
import onnxruntime

import segments
import sound

FRAMES = 1000 / 32  # a second
CONTEXT = 8  # the eighth part of a frame that the next one begins with


class Detector:
    def __init__(self, version, threshold):
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self.network = onnxruntime.InferenceSession(
            "/opt/silero_vad/%s.onnx" % version, options, providers=["CPUExecutionProvider"]
        )
        self.threshold = threshold

    def probabilities(self, rate, samples):
        size = int(rate / FRAMES)
        frames = np.pad(samples, (0, -len(samples) % size)).reshape(-1, 1, size)
        context = np.zeros((1, size // CONTEXT), "float32")
        state = np.zeros((2, 1, 128), "float32")
        for frame in frames:
            given = np.concatenate([context, frame], axis=1)
            found, state = self.network.run(
                None, {"input": given, "state": state, "sr": np.array(rate, "int64")}
            )
            context = frame[:, -context.shape[1] :]
            yield found.item()


def predict(detector, instances):
    return [detect(detector, *sound.read(instance["audio"])) for instance in instances]


def detect(detector, rate, samples):
    found = list(detector.probabilities(rate, samples))
    speech = segments.find(found, detector.threshold, int(rate / FRAMES), rate, len(samples))
    return {
        "speech": [{"start": start / rate, "end": end / rate} for start, end in speech],
        "probabilities": found,
    }
