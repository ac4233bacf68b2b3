"""One Festival that is kept running, so that a text does not pay for its start."""

import os
import subprocess
import tempfile

ENCODING = "latin-1"
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "speak.scm")
LONGEST = 300  # characters of a word; the time that Festival takes grows faster than a word
KNOWN = set(map(chr, range(0x20, 0x7F))) | set("\t\n\r£")


class Festival:
    """Festival, reading Scheme; `speak.scm` has what it is asked."""

    def __init__(self, voice="kal"):
        if voice not in ("kal", "ked"):
            raise ValueError("no voice %r; there are kal and ked" % voice)
        self.voice = voice
        self.start()

    def start(self):
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            ["festival", "--pipe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        self.ask('(voice_%s_diphone) (load "%s") (format t "done\\n")' % (self.voice, PROGRAM))

    def ask(self, command):
        """Return the lines that a command answers."""
        if self.process.poll() is not None:
            self.start()
        # The second line is read also when the first one was an error.
        lines = '%s\n(format t "end\\n") (fflush nil)\n' % command
        self.process.stdin.write(lines.encode(ENCODING))
        self.process.stdin.flush()
        answer = []
        for line in self.process.stdout:
            if line == b"end\n":
                break
            answer.append(line.decode(ENCODING).rstrip("\n"))
        if answer[-1:] != ["done"]:
            self.process.kill()
            self.process.wait()
            self.log.seek(0)
            said = self.log.read().decode(ENCODING).strip().splitlines()
            raise RuntimeError("Festival broke off: %s" % (said or ["it said nothing"])[-1])
        return answer[:-1]


def checked(text):
    for index, character in enumerate(text):
        if character not in KNOWN:
            raise ValueError(
                "Festival's English knows ASCII and the pound sign alone, not %r at %d"
                % (character, index)
            )
    longest = max(map(len, text.split()), default=0)
    if longest > LONGEST:
        raise ValueError(
            "a word may have %d characters at most, and one has %d" % (LONGEST, longest)
        )
    return text
