"""The tasks that a model may be of; a card names one of them, so that a search finds all of it.

A new task is a line here. It has the name that its field gives it, and as `also` what the lists of
Hugging Face or Papers with Code call it where that is another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.errors import UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

ARROW = "→"


@dataclass(frozen=True)
class Task:
    """What a model does.

    `modality` tells what goes in and what comes out, such as ``audio, text → number``.
    """

    summary: str
    modality: str
    also: tuple[str, ...] = ()


# What goes in and comes out. A text may be a word; spans are of a text, of time or of an image.
MODALITIES = (
    *("text", "tokens", "label", "number", "vector", "spans", "structure", "table", "series"),
    *("image", "audio", "video", "file", "notes", "chords", "molecule", "sequence", "variant"),
)

TASKS: Mapping[str, Task] = {
    # Text, classified and measured.
    "emotion-recognition": Task("Which emotions a text expresses.", "text → label"),
    "hate-speech-detection": Task("Whether a text abuses somebody.", "text → label"),
    "language-identification": Task("Which language a text is in.", "text → label"),
    "natural-language-inference": Task(
        "Whether a text follows from another.", "text, text → label"
    ),
    "readability-assessment": Task("How hard a text is to read.", "text → number"),
    "semantic-textual-similarity": Task(
        "How alike two texts are in meaning.", "text, text → number", ("sentence-similarity",)
    ),
    "sentiment-analysis": Task("Whether a text is for or against something.", "text → label"),
    "spam-detection": Task("Whether a message is wanted.", "text → label"),
    "text-classification": Task("Which of some classes a text is of.", "text → label"),
    "topic-modeling": Task("What texts are about.", "text → label", ("topic-models",)),
    "word-similarity": Task("How alike two words are in meaning.", "text, text → number"),
    # Text, taken apart.
    "constituency-parsing": Task("The phrases of a sentence.", "text → structure"),
    "coreference-resolution": Task("Which mentions mean the same thing.", "text → spans"),
    "dependency-parsing": Task(
        "Which word of a sentence depends on which.", "text → structure", ("syntactic-parsing",)
    ),
    "hyphenation": Task("Where a word may be divided.", "text → tokens"),
    "information-extraction": Task("The facts that a text states.", "text → spans"),
    "keyword-extraction": Task(
        "The words that tell what a text is about.", "text → text", ("keyphrase-extraction",)
    ),
    "lemmatization": Task("The forms under which a dictionary has words.", "text → tokens"),
    "morphological-analysis": Task("The parts and categories of words.", "text → tokens"),
    "named-entity-recognition": Task(
        "Names in a text, and of what they are.", "text → spans", ("token-classification",)
    ),
    "part-of-speech-tagging": Task("Words and their parts of speech.", "text → tokens"),
    "sentence-segmentation": Task("Where sentences end.", "text → text"),
    "stemming": Task("What remains of words without endings.", "text → text"),
    "tokenization": Task("A text taken apart into tokens.", "text → tokens"),
    "word-segmentation": Task("Words in text without spaces.", "text → tokens"),
    # Text from text.
    "detokenization": Task("Tokens put together to a text.", "tokens → text"),
    "grapheme-to-phoneme": Task(
        "How words are pronounced.",
        "text → text",
        ("pronunciation", "phonemization", "grapheme-to-phoneme-conversion"),
    ),
    "language-modeling": Task("How likely a text is.", "text → number", ("text-generation",)),
    "machine-translation": Task("A text in another language.", "text → text", ("translation",)),
    "morphological-inflection": Task(
        "A word in another form.", "text, label → text", ("inflection",)
    ),
    "punctuation-restoration": Task("A text with its punctuation.", "text → text"),
    "question-answering": Task("The answer to a question.", "text, text → text"),
    "question-generation": Task("A question that a text answers.", "text → text"),
    "spelling-correction": Task("A text without slips.", "text → text"),
    "summarization": Task("A shorter text that says what matters.", "text → text"),
    "text-normalization": Task("A text with numbers and the like in words.", "text → text"),
    "text-simplification": Task("A text that is easier to read.", "text → text"),
    "text-transformation": Task("A text changed by a plain rule.", "text → text"),
    "transliteration": Task("A text in another script.", "text → text"),
    "truecasing": Task("A text with its capitals.", "text → text"),
    # Vectors of text.
    "sentence-embedding": Task(
        "A vector for a text.",
        "text → vector",
        ("feature-extraction", "sentence-embeddings", "text-embedding"),
    ),
    "word-embedding": Task("A vector for a word.", "text → vector", ("word-embeddings",)),
    # How good texts are, against references.
    "grammatical-error-correction-evaluation": Task(
        "How good corrections are.", "text, text → number"
    ),
    "question-answering-evaluation": Task("How good answers are.", "text, text → number"),
    "speech-recognition-evaluation": Task(
        "How good transcripts are.", "text, text → number", ("word-error-rate",)
    ),
    "text-generation-evaluation": Task(
        "How good translations, summaries or captions are, against references.",
        "text, text → number",
        ("machine-translation-evaluation", "summarization-evaluation", "caption-evaluation"),
    ),
    # Speech and other sound.
    "audio-classification": Task("What a recording is of.", "audio → label"),
    "audio-fingerprinting": Task("By what a recording is known again.", "audio → vector"),
    "audio-tagging": Task("What is heard in a recording.", "audio → label"),
    "keyword-spotting": Task("Where a word is spoken.", "audio → spans"),
    "pitch-estimation": Task(
        "The fundamental frequency over time.", "audio → series", ("pitch-tracking",)
    ),
    "source-separation": Task("The sources that are mixed.", "audio → audio", ("audio-to-audio",)),
    "speaker-diarization": Task("Who speaks when.", "audio → spans"),
    "speaker-verification": Task("Whether one person speaks twice.", "audio, audio → number"),
    "speech-alignment": Task(
        "When each word of a text is spoken.", "audio, text → spans", ("forced-alignment",)
    ),
    "speech-enhancement": Task("Speech without noise.", "audio → audio"),
    "speech-intelligibility-evaluation": Task(
        "How well processed speech is understood.", "audio, audio → number"
    ),
    "speech-quality-evaluation": Task(
        "How good processed speech sounds.", "audio, audio → number", ("speech-quality-assessment",)
    ),
    "speech-recognition": Task("What is said.", "audio → text", ("automatic-speech-recognition",)),
    "text-to-speech": Task("A text, spoken.", "text → audio", ("speech-synthesis",)),
    "voice-activity-detection": Task("When somebody speaks.", "audio → spans"),
    # Music.
    "beat-tracking": Task("When the beats are.", "audio → series"),
    "chord-recognition": Task("Which chords sound when.", "audio → chords", ("chord-estimation",)),
    "downbeat-tracking": Task("When bars begin, and which beat is which.", "audio → series"),
    "key-estimation": Task("The key of a piece.", "audio → label", ("key-detection",)),
    "music-evaluation": Task("How good an analysis of music is.", "spans, spans → number"),
    "music-transcription": Task("The notes of a recording.", "audio → notes"),
    "onset-detection": Task("When notes begin.", "audio → series"),
    "tempo-estimation": Task("How many beats a minute has.", "audio → number"),
    # Images.
    "barcode-recognition": Task("What codes in an image say.", "image → text"),
    "depth-estimation": Task("How far away each point is.", "image → image"),
    "digit-recognition": Task("Which digit is written.", "image → label"),
    "edge-detection": Task("The edges in an image.", "image → image"),
    "face-detection": Task("Where faces are.", "image → spans"),
    "face-recognition": Task("Whose faces there are.", "image → label"),
    "image-classification": Task("What an image shows.", "image → label"),
    "image-hashing": Task("A hash that like images share.", "image → label"),
    "image-quality-evaluation": Task(
        "How good an image is, with or without the original.",
        "image, image → number",
        ("image-quality-assessment",),
    ),
    "image-segmentation": Task("Which points are of which thing.", "image → image"),
    "image-similarity": Task("How alike two images are.", "image, image → number"),
    "object-detection": Task("What is where in an image.", "image → spans"),
    "optical-character-recognition": Task("What is written.", "image → text", ("image-to-text",)),
    "super-resolution": Task("An image with more points.", "image → image", ("image-to-image",)),
    # Files.
    "file-type-identification": Task("Of which format a file is.", "file → label"),
    "text-extraction": Task("The text of a document.", "file → text"),
    # Chemistry and biology.
    "gene-prediction": Task("Where genes are.", "sequence → spans"),
    "molecular-property-prediction": Task(
        "What a molecule is like.", "molecule → number", ("molecule-scoring",)
    ),
    "molecule-fingerprinting": Task("A vector for a molecule.", "molecule → vector"),
    "protein-property-prediction": Task("What a protein is like.", "sequence → number"),
    "reaction-prediction": Task("What molecules become.", "molecule → molecule"),
    "rna-secondary-structure-prediction": Task(
        "Which bases of a sequence pair.", "sequence → structure", ("rna-folding",)
    ),
    "sequence-alignment": Task("How sequences correspond.", "sequence, sequence → structure"),
    "variant-effect-prediction": Task("What a genetic variant does.", "variant → number"),
    # Tables and time series.
    "anomaly-detection": Task("What is not as usual.", "series → spans"),
    "tabular-classification": Task("Which class a row is of.", "table → label"),
    "tabular-regression": Task("A number for a row.", "table → number"),
    "time-series-forecasting": Task("How a series goes on.", "series → series"),
}

_ELSEWHERE = {other: name for name, task in TASKS.items() for other in task.also}


def task_named(name: str) -> str:
    """Find a task by its name, or by one that it has elsewhere.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name in TASKS:
        return name
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    raise UnknownNameError("task", name, [*TASKS, *_ELSEWHERE])


def task_hint(name: str) -> str:
    """Tell which task is meant by a name that is none."""
    if name in _ELSEWHERE:
        return f"it is called {_ELSEWHERE[name]!r} here"
    near = nearest(name, TASKS).removeprefix("; ")
    return near or "repro/catalog/tasks.py lists them; add a line there for a new one"


def check_modality(sought: str) -> None:
    """Refuse what names no modality, see `has_modality`.

    Raises
    ------
    UnknownNameError
        With the nearest ones.
    """
    for side in _parts(sought):
        for name in sorted(side):
            if name not in MODALITIES:
                hint = f"there are {', '.join(MODALITIES)}"
                raise UnknownNameError("modality", name, MODALITIES, hint)


def has_modality(modality: str, sought: str) -> bool:
    """Whether a task's modality has what is sought.

    That is a name, such as ``audio``, for either side; with an arrow, also written ``->``, what
    goes in stands before it and what comes out after it, and either may be left out.
    """
    ins, outs = _parts(modality)
    before, *after = _parts(sought)
    if not after:
        return before <= ins | outs
    return before <= ins and after[0] <= outs


def _parts(modality: str) -> list[set[str]]:
    sides = modality.replace("->", ARROW).split(ARROW)
    return [{name.strip() for name in side.split(",") if name.strip()} for side in sides]
