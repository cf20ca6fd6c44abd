#!/usr/bin/python3
"""initrd.py PROGRAM OUT: a file system for a virtual machine's kernel with one
program in it, as /init (cpio's newc format)."""
import sys


def entry(number, name, mode, data=b"", device=(0, 0)):
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
              len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields)
    head += name.encode() + b"\0"
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


with open(sys.argv[1], "rb") as f:
    program = f.read()
with open(sys.argv[2], "wb") as f:
    f.write(entry(1, "dev", 0o40755) +
            entry(2, "dev/console", 0o20600, device=(5, 1)) +
            entry(3, "init", 0o100755, program) +
            entry(0, "TRAILER!!!", 0))
