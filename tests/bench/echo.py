#!/usr/bin/python3
"""A datagram a millisecond through the tunnel, and back.

  echo.py server   echoes (in namespace srv)
  echo.py client   says "flowing" after the first echo, reads the time of a
                   change (CLOCK_MONOTONIC), and says when the first datagram
                   that left behind it and was echoed left and came back
"""
import select
import socket
import struct
import sys
import time

SERVER = ("10.9.0.2", 7007)
PERIOD_S = 0.001
LIMIT_S = 10


def server():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(SERVER)
    while True:
        data, who = s.recvfrom(2048)
        try:
            s.sendto(data, who)
        except OSError:
            pass


def client():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    flowing, change = False, None
    due = time.monotonic()
    end = due + LIMIT_S
    while True:
        now = time.monotonic()
        if now > end:
            sys.exit("nothing came back in %d s" % LIMIT_S)
        if now >= due:
            try:
                s.sendto(struct.pack("=d", now), SERVER)
            except OSError:
                pass
            due = max(due + PERIOD_S, now)
        ready = select.select([s] + [sys.stdin] * (change is None), [], [],
                              max(0, due - time.monotonic()))[0]
        if sys.stdin in ready:
            change = float(sys.stdin.readline())
            end = max(change, time.monotonic()) + LIMIT_S
        if s not in ready:
            continue
        try:
            left = struct.unpack("=d", s.recv(64))[0]
        except OSError:
            continue
        if not flowing:
            print("flowing", flush=True)
            flowing = True
        if change is not None and left >= change:
            print(left, time.monotonic(), flush=True)
            return


server() if sys.argv[1] == "server" else client()
