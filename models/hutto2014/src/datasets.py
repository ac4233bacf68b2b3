"""The four data sets of Hutto & Gilbert (2014), section 3.4, labelled with mean human ratings.

Upstream: hutto_ICWSM_2014.tar.gz, *_GroundTruth.txt: ID, mean rating from -4 to 4, text, with tabs
between and no quoting. Runs under Python 2.7 and 3.
"""

import io

FOLDER = "/opt/hutto2014"
FILES = {
    "tweets": "tweets_GroundTruth.txt",
    "movies": "movieReviewSnippets_GroundTruth.txt",
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "nytimes": "nytEditorialSnippets_GroundTruth.txt",
}


def rows(name):
    """Yield the rows of a data set, in the order of its file."""
    if name not in FILES:
        raise ValueError("no data set %r; there are: %s" % (name, ", ".join(sorted(FILES))))
    with io.open("%s/%s" % (FOLDER, FILES[name]), encoding="utf-8", newline="\r\n") as lines:
        for line in lines:
            _, mean, text = line.rstrip("\r\n").split("\t")
            yield {"input": {"text": text}, "label": float(mean)}
