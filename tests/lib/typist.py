#!/usr/bin/python3
"""typist.py PASSWORD-FILE COMMAND...: a person at a terminal.

Runs the command on a terminal of its own, types the password when it is asked
for one (the file's next line each time, the last again and again), and prints
what the command prints. Ends as the command ends.
"""
import os
import pty
import sys


def main():
    with open(sys.argv[1], "rb") as f:
        passwords = f.read().split(b"\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    recent = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        os.write(1, data.replace(b"\r\n", b"\n"))
        recent = (recent + data)[-200:]
        if b"assword" in recent and recent.rstrip().endswith(b":"):
            os.write(terminal, passwords[0] + b"\n")
            if len(passwords) > 1 and passwords[1]:
                del passwords[0]
            recent = b""
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xff)


main()
