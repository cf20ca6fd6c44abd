#!/usr/bin/python3
"""initrd.py PROGRAM OUT [FILE...]: a file system for a virtual machine's kernel
with one program in it, as /init, and files as /00.ko, /01.ko (cpio's newc
format)."""
import sys


def entry(number, name, mode, data=b"", device=(0, 0)):
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
              len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields)
    head += name.encode() + b"\0"
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def read(path):
    with open(path, "rb") as f:
        return f.read()


with open(sys.argv[2], "wb") as f:
    f.write(entry(1, "dev", 0o40755) +
            entry(2, "dev/console", 0o20600, device=(5, 1)) +
            entry(3, "init", 0o100755, read(sys.argv[1])))
    for i, path in enumerate(sys.argv[3:]):
        f.write(entry(4 + i, "%02d.ko" % i, 0o100644, read(path)))
    f.write(entry(0, "TRAILER!!!", 0))
