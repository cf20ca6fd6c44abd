#!/usr/bin/python3
"""screen.py COLUMNS SECONDS OUT COMMAND...: a terminal that is looked at.

Runs the command on a terminal of that width and 24 rows, ends it with SIGINT
after the seconds, and writes what the screen showed last to OUT. Says "wide N"
when a line was longer than the terminal, "frames N" (how often it was drawn
anew) and "exit N".
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def read_all(terminal, pid, seconds):
    data, end = b"", time.monotonic() + seconds
    while True:
        left = end - time.monotonic()
        if left <= 0:
            os.kill(pid, signal.SIGINT)
            end = time.monotonic() + 60
        if not select.select([terminal], [], [], max(left, 0))[0]:
            continue
        try:
            more = os.read(terminal, 65536)
        except OSError:
            return data
        if not more:
            return data
        data += more


def main():
    columns, seconds, out = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    pid, terminal = pty.fork()
    if pid == 0:
        # A shell's background jobs have it ignored; a terminal's do not.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.environ["TERM"] = "xterm"
        os.execvp(sys.argv[4], sys.argv[4:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    data = read_all(terminal, pid, seconds)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    frames = data.split(b"\x1b[H")
    lines = [ESCAPE.sub(b"", l).decode("utf-8", "replace").rstrip("\r")
             for l in data.split(b"\n")]
    with open(out, "wb") as f:
        f.write(frames[-1])
    print("wide", max(len(l) for l in lines))
    print("frames", len(frames) - 1)
    print("exit", status)


main()
