#!/usr/bin/python3
"""relay.py IF-A IF-B CONTROL [KEY=VALUE ...]: a cable with a mind of its own.

Carries Ethernet frames between two interfaces of this namespace and delays,
loses, doubles or reorders them. Values, at start or as lines "KEY VALUE" in
the CONTROL fifo at any time:

  rtt MS      round-trip time added (half in each direction)
  loss PCT    UDP packets lost          dup PCT      delivered twice
  reorder PCT delivered late            seed N       start of the dice
  hole 0|1    everything but ARP and neighbour discovery disappears
  dropnext N  the next N UDP packets towards the client (side A) disappear

Prints "ready", and its counters when it ends by SIGTERM.
"""
import heapq
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP, PACKET_IGNORE_OUTGOING = 1, 23
PACKET_MR_PROMISC = 1


def open_side(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                      socket.htons(ETH_P_ALL))
    s.bind((name, 0))
    s.setblocking(False)
    request = struct.pack("iHH8s", socket.if_nametoindex(name),
                          PACKET_MR_PROMISC, 0, b"")
    s.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    return s


def frame_kind(frame):
    """'udp', 'neighbour' (ARP, ICMPv6 discovery) or 'other'."""
    kind = frame[12:14]
    if kind == b"\x08\x06":
        return "neighbour"
    if kind == b"\x08\x00":
        return "udp" if frame[23] == 17 else "other"
    if kind == b"\x86\xdd":
        if frame[20] == 58 and 133 <= frame[54] <= 137:
            return "neighbour"
        return "udp" if frame[20] == 17 else "other"
    return "other"


class Relay:
    def __init__(self, names, settings):
        self.side = [open_side(n) for n in names]
        self.queue, self.order = [], 0
        self.value = dict(rtt=0.0, loss=0.0, dup=0.0, reorder=0.0,
                          hole=0.0, dropnext=0.0)
        self.count = dict(passed=0, lost=0, doubled=0, late=0, hole=0)
        self.dice = random.Random(1)
        for s in settings:
            self.set(*s.split("=", 1))

    def set(self, key, value):
        if key == "seed":
            self.dice = random.Random(int(value))
        else:
            self.value[key] = float(value)

    def chance(self, key):
        return self.dice.random() * 100 < self.value[key]

    def push(self, when, to, frame):
        self.order += 1
        heapq.heappush(self.queue, (when, self.order, to, frame))

    def take(self, at, frame):
        kind = frame_kind(frame)
        delay = self.value["rtt"] / 2000
        if kind == "neighbour":
            self.push(0, 1 - at, frame)
            return
        if self.value["hole"]:
            self.count["hole"] += 1
            return
        if kind == "udp":
            if at == 1 and self.value["dropnext"] > 0:
                self.value["dropnext"] -= 1
                self.count["lost"] += 1
                return
            if self.chance("loss"):
                self.count["lost"] += 1
                return
            if self.chance("reorder"):
                self.count["late"] += 1
                delay = delay * 1.5 + 0.003
            if self.chance("dup"):
                self.count["doubled"] += 1
                self.push(time.monotonic() + delay + 0.001, 1 - at, frame)
        self.push(time.monotonic() + delay, 1 - at, frame)

    def deliver(self):
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, _, to, frame = heapq.heappop(self.queue)
            try:
                self.side[to].send(frame)
                self.count["passed"] += 1
            except OSError:
                self.count["lost"] += 1

    def wait_s(self):
        if not self.queue:
            return 1.0
        return max(0.0, self.queue[0][0] - time.monotonic())

    def run(self, control):
        text = b""
        while True:
            self.deliver()
            ready = select.select(self.side + [control], [], [],
                                  self.wait_s())[0]
            for source in ready:
                if source == control:
                    text += os.read(control, 4096)
                    *lines, text = text.split(b"\n")
                    for line in lines:
                        self.set(*line.decode().split())
                    continue
                at = self.side.index(source)
                for _ in range(64):
                    try:
                        frame = source.recv(65600)
                    except OSError:
                        break
                    self.take(at, frame)


def main():
    relay = Relay(sys.argv[1:3], sys.argv[4:])
    # Read and write: the fifo then never reports an end of file.
    control = os.open(sys.argv[3], os.O_RDWR | os.O_NONBLOCK)

    def end(*_):
        print(json.dumps(relay.count), flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print("ready", flush=True)
    relay.run(control)


main()
