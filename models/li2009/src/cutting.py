# coding: utf-8
"""THULAC as both programs call it."""

from array import array

import thulac
from thulac.character import CBModel


class Integers(object):
    """In place of `struct` for the weights: an array, where a tuple takes 3 GB more."""

    @staticmethod
    def unpack(_format, data):
        return array("i", data)


def analyser(simplify, filt, seg_only):
    CBModel.struct = Integers
    return thulac.thulac(T2S=simplify, filt=filt, seg_only=seg_only)


def cut(analyser, text):
    """Return pairs of a word and its part of speech, without the spaces and line breaks between."""
    pairs = analyser.cut(text.encode("utf-8"), text=False)
    decoded = [(word.decode("utf-8"), pos.decode("utf-8")) for word, pos in pairs]
    return [(word, pos) for word, pos in decoded if word.strip()]
