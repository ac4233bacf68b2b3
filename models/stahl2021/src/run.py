"""lingua 2.1.1, a language identifier in Rust, with its models of 75 languages."""

from repro_runtime import main

from lingua import IsoCode639_1, LanguageDetectorBuilder

DIGITS = 9  # the last ones are not the same each time: the sums are made in no fixed order


def load(languages=None, low_accuracy=False):
    builder = LanguageDetectorBuilder.from_all_languages()
    if languages is not None:
        codes = [IsoCode639_1.from_str(code) for code in languages]
        builder = LanguageDetectorBuilder.from_iso_codes_639_1(*codes)
    if low_accuracy:
        builder = builder.with_low_accuracy_mode()
    return builder.build()


def predict(detector, instances, *, k=5):
    texts = [instance["text"] for instance in instances]
    return [identify(v, k) for v in detector.compute_language_confidence_values_in_parallel(texts)]


def identify(values, k):
    """Say the most probable language; none if two are, as `detect_language_of` does."""
    rounded = [(-round(v.value, DIGITS), v.language.iso_code_639_1.name.lower()) for v in values]
    ranking = [{"language": code, "probability": abs(value)} for value, code in sorted(rounded)]
    first, second = ranking[:2]
    decided = first["probability"] > second["probability"]
    return {**first, "language": first["language"] if decided else None, "ranking": ranking[:k]}


if __name__ == "__main__":
    main(load, predict)
