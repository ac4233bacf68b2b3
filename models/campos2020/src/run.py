"""YAKE: yake 0.6.0, yake/core/yake.py.

Paper: Campos, Mangaravite, Pasquali, Jorge, Nunes & Jatowt (2020), "YAKE! Keyword Extraction from
Single Documents using Multiple Local Features", Information Sciences 509.
"""

from repro_runtime import main

from yake import KeywordExtractor


def load(language="en", max_ngram_size=3, deduplication_threshold=0.9, window_size=1, top=20):
    return KeywordExtractor(
        lan=language,
        n=max_ngram_size,
        dedup_lim=deduplication_threshold,
        window_size=window_size,
        top=top,
    )


def predict(extractor, instances):
    return [
        [
            {"keyword": keyword, "score": float(score)}
            for keyword, score in extractor.extract_keywords(instance["text"])
        ]
        for instance in instances
    ]


if __name__ == "__main__":
    main(load, predict)
