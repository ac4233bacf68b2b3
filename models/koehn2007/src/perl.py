"""The scripts of Moses: processes that answer each line with one."""

import subprocess


class Script:
    def __init__(self, name, *options):
        command = ["perl", "/opt/moses/" + name, "-q", "-b", *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe)

    def answer(self, text):
        """Answer one line; an end of a line within it is a space."""
        self.process.stdin.write(text.replace("\n", " ").encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode()
        if not line.endswith("\n"):
            raise RuntimeError("the script ended: it said %r" % line)
        return line.strip()
