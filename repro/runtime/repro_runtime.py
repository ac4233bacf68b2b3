"""The in-container half of `repro`: turns plain functions into a program that keeps the contract.

    from repro_runtime import main

    def load(device=-1):
        return SomeAnalyzer()

    def predict(model, instances):
        return [model.score(i["text"]) for i in instances]

    if __name__ == "__main__":
        main(load, predict)

File mode:     python run.py --input-file IN.jsonl --output-file OUT.jsonl
                             [--aggregate-file AGG.json] [--NAME VALUE ...]
Dataset mode:  python run.py --dataset NAME --output-file ROWS.jsonl
Worker mode:   python run.py --worker [--NAME VALUE ...]

One file, the standard library alone, Python 2.7 and 3.4 or newer. It ends with status 0 when every
row was written; otherwise with 1, and OUT.jsonl.error holds {"type", "message", "traceback",
"index"}: what the model raised, and over which instance. An instance is a JSON object, a prediction
any JSON value.

A worker loads the model once and answers until its standard input ends. Frames are JSON objects,
one a line. It writes {"op": "hello", "version"}, then {"op": "ready", "seconds"} or, if loading
failed, {"op": "ready", "error"}, and then answers in the order of the requests:

    {"id", "op": "predict", "instances": [...], "options": {...}}
        {"id", "outputs": [...], "more": false}, in several frames if they are large; or
        {"id", "error": {"type", "message", "traceback", "index"}}
    {"id", "op": "aggregate", "rows": [...], "more": false}, in several frames
        {"id", "value"} or {"id", "error"}

A file that an instance names is a path in the container, for reading only. A file that a model
makes is its bytes in the prediction: see `content`.

A frame but the first has "out_of_memory": true if the kernel killed a process of the container
meanwhile.
"""
from __future__ import print_function

import base64
import collections
import fcntl
import inspect
import io
import itertools
import json
import os
import select
import signal
import sys
import time
import traceback

VERSION = "1"          # of the contract; also a label of every image
BATCH_SIZE = 64        # rows a call of `predict` gets, unless --batch-size says otherwise
MAX_FRAME = 2 ** 25     # bytes of predictions in a frame, unless one alone has more
RESERVED = ("input-file", "output-file", "aggregate-file", "dataset", "batch-size", "worker")
EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")

USAGE, FAILED = 2, 1
NO_LISTS = (dict, set, frozenset, bytes, type(u""))  # iterable, and yet no list of predictions


class UsageError(Exception):
    """The command line is not right."""


class PredictError(Exception):
    """A model's function raised, or answered something that is no answer."""

    def __init__(self, kind, message, trace="", index=None):
        Exception.__init__(self, message)
        self.report = {"type": kind, "message": message, "traceback": trace, "index": index}


def main(load, predict, aggregate=None, dataset=None, argv=None):
    """Run the program that the command line asks for, and end the process.

    Parameters
    ----------
    load : callable
        Called once; its parameters are options. Returns what `predict` gets as its first argument.
    predict : callable
        ``predict(model, instances)`` with a list of dicts; returns as many JSON values in the same
        order. Further parameters (keyword-only ones, in Python 3) are options of a call.
    aggregate : callable, optional
        ``aggregate(outputs)`` with an iterator over all predictions in order; returns one JSON
        value.
    dataset : callable, optional
        ``dataset(name)`` yields ``{"input": ..., "label": ...}`` rows of data that ship in the
        image.
    """
    functions = (load, predict, aggregate, dataset)
    standard_input, standard_output = TAKEN or take_descriptors()
    try:
        words = parse(sys.argv[1:] if argv is None else argv)
        load_options, call_options = split_options(words["options"], load, predict)
        if TAKEN is None and watched():
            watch(standard_input)
        if words["worker"]:
            if call_options:
                raise UsageError("--%s is an option of a call, not of a worker" % min(call_options))
            status = work(functions, load_options, Frames(standard_input, standard_output))
        else:
            status = run(words, functions, load_options, call_options)
    except UsageError as error:
        print("error: %s" % error, file=sys.stderr)
        status = USAGE
    sys.stdout.flush()
    sys.stderr.flush()
    if "--worker" in sys.argv:
        os._exit(status)  # a thread of the model's must not keep a worker that has ended
    sys.exit(status)


def content(data, suffix):
    """Make a prediction, or a part of one, of a file's bytes; the host makes a file of it.

    Parameters
    ----------
    data : bytes
        What is in it.
    suffix : str
        Of the file's name, such as ".wav".
    """
    return {"content": base64.b64encode(data).decode("ascii"), "suffix": suffix}


def run(words, functions, load_options, call_options):
    """Run one mode; return the exit status, and leave a report beside the output if it failed."""
    load, predict, aggregate, dataset = functions
    output = words["output-file"]
    try:
        if words["dataset"] is not None:
            write_rows(guarded(dataset_rows(dataset, words["dataset"])), output)
            return 0
        model = call(load, **load_options)
        instances = read_instances(words["input-file"])
        rows = predictions(predict, model, instances, words["batch-size"], call_options)
        write_rows(rows, output)
        if words["aggregate-file"] is not None:
            with open(output, "rb") as lines:
                value = call(aggregate, (json.loads(line.decode("utf-8")) for line in lines))
            write_rows([value], words["aggregate-file"], numbered=False)
    except PredictError as error:
        complain(error.report["traceback"] or u"error: %s" % error)
        with open(output + ".error", "wb") as file:
            file.write(json.dumps(error.report).encode("ascii"))
        return FAILED
    return 0


def complain(text):
    """Write to standard error, whatever its encoding."""
    sys.stderr.flush()
    os.write(2, text.encode("utf-8") + b"\n")


# -- the process -----------------------------------------------------------------------------------


def take_descriptors():
    """Keep standard input and output for ourselves, where no child of the model's sees them.

    The model gets an empty input, and what it prints goes to standard error.
    """
    sys.stdout.flush()
    taken = os.dup(0), os.dup(1)
    for descriptor in taken:
        fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return taken


class Kills(object):
    """Tells whether the kernel has killed a process of this container for memory."""

    def __init__(self):
        self.file = None
        for path in EVENTS:  # of cgroups 2, and of cgroups 1
            if self.file is None and os.access(path, os.R_OK):
                self.file = os.open(path, os.O_RDONLY)
                fcntl.fcntl(self.file, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        self.count = self.read()

    def read(self):
        """Return the count, as it is written there."""
        if self.file is None:
            return None
        os.lseek(self.file, 0, os.SEEK_SET)
        return os.read(self.file, 4096).partition(b"oom_kill ")[2].split(b"\n")[0]

    def new(self):
        """Tell whether there was one since the last call."""
        before, self.count = self.count, self.read()
        return before != self.count


def watched():
    """Tell whether this process is to end when its standard input hangs up."""
    return os.environ.get("REPRO_WATCH_STDIN") == "1"


def watch(descriptor):
    """Kill this process when `descriptor` hangs up, that is when its starter is gone.

    A process does this and not a thread: a model may hold the interpreter's lock for ever. It is no
    child of the model's, which may wait for its own; it never reads, and ends with the program.
    """
    program = os.getpid()
    lifeline, held = os.pipe()  # hangs up when the program ends, which alone holds the other end
    fcntl.fcntl(held, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    between = os.fork()
    if between != 0:
        os.waitpid(between, 0)
        os.close(lifeline)
        return
    try:
        if os.fork() == 0:
            watch_over(program, descriptor, lifeline)
    finally:
        os._exit(0)


def watch_over(program, descriptor, lifeline):
    """Wait until one of the two hangs up; kill the program if it is the first."""
    for other in range(256):
        if other not in (descriptor, lifeline):
            try:
                os.close(other)
            except OSError:
                pass
    poll = select.poll()
    for one in (descriptor, lifeline):
        poll.register(one, 0)  # no event is asked for: a hang-up is always told
    if lifeline not in dict(poll.poll()):
        os.kill(program, signal.SIGKILL)


# -- the command line ------------------------------------------------------------------------------


def parse(argv):
    """Split the command line into the words of the contract and the options of the model."""
    words = {"input-file": None, "output-file": None, "aggregate-file": None, "dataset": None,
             "batch-size": str(BATCH_SIZE), "worker": None, "options": {}}
    rest = list(argv)
    while rest:
        name, value = parse_word(rest)
        if name in RESERVED:
            words[name] = value
        else:
            words["options"][name.replace("-", "_")] = decode_option(value)
    if not words["batch-size"].isdigit() or int(words["batch-size"]) < 1:
        raise UsageError("--batch-size must be a whole number of at least 1")
    words["batch-size"] = int(words["batch-size"])
    modes = [words[mode] for mode in ("input-file", "dataset", "worker")]
    if modes.count(None) != 2 or (words["output-file"] is None) != bool(words["worker"]):
        raise UsageError("usage: --input-file IN.jsonl --output-file OUT.jsonl [--NAME VALUE ...], "
                         "or --dataset NAME --output-file ROWS.jsonl, or --worker")
    return words


def parse_word(rest):
    """Take --NAME VALUE, --NAME=VALUE or --worker from the words that are left."""
    word = rest.pop(0)
    if word == "--worker":
        return "worker", True
    if not word.startswith("--"):
        raise UsageError("expected --NAME VALUE, got %r" % word)
    name, equals, value = word[2:].partition("=")
    if not equals:
        if not rest:
            raise UsageError("--%s needs a value" % name)
        value = rest.pop(0)
    return name, value


def decode_option(value):
    """Read an option: a string as it is, unless it reads as JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value.decode("utf-8") if isinstance(value, bytes) else value  # Python 2 has bytes


def split_options(options, load, predict):
    """Give each option to `load` or to `predict`, whichever has a parameter of that name."""
    of_load, of_call = parameters(load), parameters(predict, skip=2)
    both = sorted(set(of_load) & set(of_call))
    if both:
        raise UsageError(
            "load and predict both have a parameter %r; a name belongs to one of them" % both[0])
    unknown = sorted(set(options) - set(of_load) - set(of_call))
    if unknown:
        known = ", ".join("--" + name for name in sorted(set(of_load) | set(of_call))) or "none"
        raise UsageError("unknown option --%s; this program has: %s" % (unknown[0], known))
    return ({n: v for n, v in options.items() if n in of_load},
            {n: v for n, v in options.items() if n in of_call})


def parameters(function, skip=0):
    """Return the names of a function's parameters after the first `skip` positional ones."""
    if hasattr(inspect, "getfullargspec"):
        spec = inspect.getfullargspec(function)
        return spec.args[skip:] + spec.kwonlyargs
    return inspect.getargspec(function).args[skip:]


# -- rows ------------------------------------------------------------------------------------------


def read_instances(path):
    """Yield (line, instance) of a file, one JSON object a line; blank lines are skipped."""
    try:
        lines = io.open(path, "rb")
    except EnvironmentError as error:
        raise UsageError("%s: %s" % (path, error.strerror))
    with lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                instance = json.loads(line.decode("utf-8"))
            except ValueError as error:
                raise UsageError("%s, line %d: %s" % (path, number, error))
            if not isinstance(instance, dict):
                raise UsageError("%s, line %d: expected a JSON object" % (path, number))
            yield line, instance


def predictions(predict, model, instances, batch_size, options):
    """Yield one prediction an instance, in order."""
    start = 0
    while True:
        batch = list(itertools.islice(instances, batch_size))
        if not batch:
            return
        for output in answer(predict, model, batch, start, options):
            yield output
        start += len(batch)


def answer(predict, model, batch, start, options):
    """Predict one batch; if that fails, name the instance by predicting each alone."""
    try:
        return call_predict(predict, model, [instance for _, instance in batch], options)
    except PredictError as error:
        report = error.report
        if report["index"] is None and len(batch) == 1:
            report["index"] = 0
        elif report["index"] is None:
            alone = culprit(predict, model, batch, options) or report
            if report["type"] == "OutputError":  # the counts are those of the batch
                report["index"] = alone["index"]
            else:
                report = alone
        if report["index"] is not None:
            report["index"] += start
        error.report = report
        raise


def culprit(predict, model, batch, options):
    """Report the first instance of a failed batch that also fails alone; None if there is none."""
    for index, (line, _) in enumerate(batch):
        try:  # read anew: predict may have changed the instances it was given
            call_predict(predict, model, [json.loads(line.decode("utf-8"))], options)
        except PredictError as error:
            return dict(error.report, index=index)
    return None


def call_predict(predict, model, batch, options):
    """Predict one batch; refuse an answer that is not one prediction an instance."""
    try:
        outputs = predict(model, batch, **options)
        kind = type(outputs).__name__
        ordered = hasattr(outputs, "__iter__") and not isinstance(outputs, NO_LISTS)
        outputs = list(outputs) if ordered else None
    except (Exception, SystemExit) as error:
        raise raised(error, len(batch))
    if outputs is None:
        raise PredictError("OutputError", "predict returned %s, not a list" % kind)
    if len(outputs) != len(batch):
        problem = "predict returned %d predictions for %d instances" % (len(outputs), len(batch))
        raise PredictError("OutputError", problem)
    return outputs


def call(function, *arguments, **options):
    """Call a function of the model's author; whatever it raises becomes a PredictError."""
    if function is None:
        problem = "this program has no such function: aggregate, or dataset"
        raise PredictError("OutputError", problem)
    try:
        return function(*arguments, **options)
    except (Exception, SystemExit) as error:
        raise raised(error)


def raised(error, size=0):
    """Make a PredictError of the exception that is being handled, over a batch of `size`."""
    index = getattr(error, "index", None)
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < size:
        index = None  # a list's or a string's `index` is a method
    trace = printable(traceback.format_exc())
    return PredictError(type(error).__name__, printable(describe(error)), trace, index)


def describe(error):
    """Write an exception's message, or its `repr` where that fails."""
    try:
        return u"%s" % error
    except Exception:
        return repr(error)


def printable(text):
    """Make text of what may be bytes (Python 2), or hold what no UTF-8 can."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return u"".join(u"\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)


def dataset_rows(dataset, name):
    """Yield the rows of a data set: inputs and labels, nothing else."""
    for row in call(dataset, name):
        yield {"input": row["input"], "label": row["label"]}


def guarded(rows):
    """Pass rows on; whatever the generator raises becomes a PredictError."""
    rows = iter(rows)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except PredictError:
            raise
        except (Exception, SystemExit) as error:
            raise raised(error)
        yield row


def write_rows(rows, path, numbered=True):
    """Write one JSON value a line; ASCII, so that no locale and no encoding can change it."""
    with io.open(path, "wb") as file:
        for index, row in enumerate(rows):
            line = encoded(row, index if numbered else None)
            file.write(line.encode("ascii") + b"\n")


# -- a worker --------------------------------------------------------------------------------------


class Frames(object):
    """Requests and answers, one JSON object a line."""

    def __init__(self, standard_input, standard_output):
        self.lines = io.open(standard_input, "rb", buffering=2 ** 16, closefd=False)
        self.output = standard_output
        self.waiting = collections.deque()

    def receive(self):
        """Return the next request; None when there will be no more."""
        return self.waiting.popleft() if self.waiting else self.read()

    def read(self):
        """Read the next request; one that breaks off in the middle is none."""
        line = self.lines.readline()
        return json.loads(line.decode("utf-8")) if line.endswith(b"\n") else None

    def rows(self, request):
        """Yield the rows of an aggregate request, whose later frames are read when needed."""
        while request is not None:
            for row in request["rows"]:
                yield row
            if not request["more"]:
                return
            identity, request = request["id"], self.read()
            while request is not None and request["id"] != identity:
                self.waiting.append(request)
                request = self.read()

    def send(self, **frame):
        """Write a frame."""
        self.write(json.dumps(frame))

    def answer(self, identity, value, outputs, report, out_of_memory):
        """Answer a request with what is JSON already, or with a report."""
        head = '{"id": %s, ' % json.dumps(identity)
        if out_of_memory:
            head += '"out_of_memory": true, '
        if report is not None:
            self.write(head + '"error": %s}' % json.dumps(report))
        elif outputs is None:
            self.write(head + '"value": %s}' % value)
        else:
            self.write_outputs(head, outputs)

    def write_outputs(self, head, lines):
        """Write predictions in as many frames as they need."""
        frame, size = [], 0
        for line in lines:
            if frame and size + len(line) > MAX_FRAME:
                self.write(head + '"more": true, "outputs": [' + ", ".join(frame) + "]}")
                frame, size = [], 0
            frame.append(line)
            size += len(line)
        self.write(head + '"more": false, "outputs": [' + ", ".join(frame) + "]}")

    def write(self, text):
        """Write a frame that is JSON already."""
        rest = memoryview(text.encode("ascii") + b"\n")
        while rest:
            rest = rest[os.write(self.output, rest):]


def work(functions, load_options, frames):
    """Load the model, and answer requests until there are no more."""
    load, predict, aggregate, _ = functions
    started, kills = time.time(), Kills()
    try:
        model = call(load, **load_options)
    except PredictError as error:
        complain(error.report["traceback"])
        frames.send(op="ready", error=error.report, out_of_memory=kills.new())
        return FAILED
    seconds = round(time.time() - started, 3)
    frames.send(op="ready", seconds=seconds, out_of_memory=kills.new())
    request = frames.receive()
    while request is not None:
        value = outputs = report = None
        try:
            if request["op"] == "aggregate":
                value = aggregated(aggregate, frames.rows(request))
            else:
                outputs = call_predict(predict, model, request["instances"], request["options"])
                outputs = [encoded(output, index) for index, output in enumerate(outputs)]
        except PredictError as error:
            report = error.report
        frames.answer(request["id"], value, outputs, report, kills.new())
        request = frames.receive()
    return 0


def aggregated(aggregate, rows):
    """Compute the value over all rows, as JSON; also those that it does not take are read."""
    try:
        return encoded(call(aggregate, rows))
    finally:
        for _ in rows:
            pass


def encoded(value, index=None):
    """Write a value as JSON, in ASCII, so that no locale and no encoding can change it."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RuntimeError) as error:  # RecursionError is a RuntimeError
        raise PredictError("OutputError", "the prediction is not JSON: %s" % error, "", index)


# A worker's program may import anything after this module: what that prints is no frame.
TAKEN = take_descriptors() if "--worker" in sys.argv[1:] else None
if TAKEN:
    if watched():  # it may also get stuck in what it imports
        watch(TAKEN[0])
    Frames(*TAKEN).send(op="hello", version=VERSION)
