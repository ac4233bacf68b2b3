"""Read a WAV file with one channel, of 16-bit integers or of floats."""

import struct

import numpy as np

TYPES = {(1, 16): "<i2", (3, 32): "<f4", (3, 64): "<f8"}  # by encoding and bits
ENCODINGS = {1: "integer", 3: "float"}
EXTENSIBLE = 0xFFFE


def read(path):
    """Return the samples a second, and the samples."""
    with open(path, "rb") as file:
        riff, _, kind = struct.unpack("<4sI4s", file.read(12).ljust(12))
        if (riff, kind) != (b"RIFF", b"WAVE"):
            raise ValueError("a WAV file is needed, and this is none")
        parts = dict(chunks(file))
    if len(parts.get(b"fmt ", b"")) < 16 or b"data" not in parts:
        raise ValueError("the WAV file has no %s" % ("samples" if b"fmt " in parts else "format"))
    encoding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", parts[b"fmt "][:16])
    if encoding == EXTENSIBLE:
        encoding = int.from_bytes(parts[b"fmt "][24:26], "little")
    if channels != 1:
        raise ValueError("one channel is needed, and the file has %d" % channels)
    if (encoding, bits) not in TYPES:
        name = ENCODINGS.get(encoding, "encoding %d" % encoding)
        raise ValueError(
            "samples of 16-bit integer, 32-bit float or 64-bit float are needed, "
            "and the file has %d-bit %s" % (bits, name)
        )
    size = bits // 8
    data = parts[b"data"]
    return rate, np.frombuffer(data[: len(data) // size * size], TYPES[encoding, bits])


def chunks(file):
    """Yield the name and the bytes of each part; one that the file cuts short is what is there."""
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        yield name, file.read(size)
        file.seek(size % 2, 1)
