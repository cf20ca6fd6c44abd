#!/usr/bin/python3
"""Counts IKE and ESP packets on a cable.

  wire.py capture IF FILE     one JSON object a packet, until SIGTERM
  wire.py count FILE K=V...   how many packets have all those fields
  wire.py sum FILE            "ROUND-TRIPS PACKETS OCTETS MS" of set-up
  wire.py show FILE           a line a packet, for people

Fields: t (seconds), from (gw|cl), v (4|6), kind (ike|esp|keepalive|udp|ipfrag),
len (octets of the IP packet), and for IKE: ex (exchange), mid, resp (0|1), spi
(the initiator's), np (first payload type), sport, dport.

A set-up is IKE_SA_INIT (34), IKE_AUTH (35), IKE_INTERMEDIATE (43) and
IKE_SESSION_RESUME (38); one round trip is one answered message ID of one SA.
"""
import json
import signal
import socket
import struct
import sys
import time

SETUP = (34, 35, 38, 43)
# 4510: a second gateway on the same address (tests/bench).
NAT_T = {4500, 4510}


def parse_udp(udp, packet):
    sport, dport, length = struct.unpack_from(">HHH", udp)
    body = udp[8:length]
    packet.update(kind="udp", sport=sport, dport=dport)
    if NAT_T & {sport, dport}:
        if body == b"\xff":
            packet["kind"] = "keepalive"
            return
        if body[:4] != b"\0\0\0\0":
            packet["kind"] = "esp"
            return
        body = body[4:]
    elif 500 not in (sport, dport):
        return
    if len(body) < 28:
        return
    np, _, ex, flags, mid = struct.unpack_from(">BBBBI", body, 16)
    packet.update(kind="ike", ex=ex, mid=mid, np=np,
                  resp=1 if flags & 0x20 else 0, spi=body[:8].hex())


def parse(frame):
    """The fields of one Ethernet frame, or None."""
    kind, ip = frame[12:14], frame[14:]
    if kind == b"\x08\x00":
        size, = struct.unpack_from(">H", ip, 2)
        frag, = struct.unpack_from(">H", ip, 6)
        packet = {"v": 4, "len": size,
                  "from": "gw" if ip[12:16] == b"\xcb\x00\x71\x01" else "cl"}
        if frag & 0x1fff:
            packet["kind"] = "ipfrag"
            return packet
        proto, rest = ip[9], ip[(ip[0] & 15) * 4:size]
    elif kind == b"\x86\xdd":
        size = struct.unpack_from(">H", ip, 4)[0] + 40
        packet = {"v": 6, "len": size,
                  "from": "gw" if ip[8:24].hex().startswith(
                      "20010db80003") else "cl"}
        proto, rest = ip[6], ip[40:size]
        if proto == 44:
            packet["kind"] = "ipfrag"
            return packet
    else:
        return None
    if proto == 50:
        packet["kind"] = "esp"
        return packet
    if proto != 17:
        return None
    parse_udp(rest, packet)
    return packet


def capture(name, path):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((name, 0))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    running = True

    def stop(*_):
        nonlocal running
        running = False
    signal.signal(signal.SIGTERM, stop)
    s.settimeout(0.05)
    with open(path, "w", buffering=1) as out:
        while True:
            try:
                frame = s.recv(65600)
            except socket.timeout:
                if not running:
                    return
                continue
            packet = parse(frame)
            if packet:
                packet["t"] = time.time()
                out.write(json.dumps(packet) + "\n")


def load(path):
    with open(path) as f:
        return [json.loads(line) for line in f if line.endswith("}\n")]


def setup_of(packets):
    return [p for p in packets
            if p["kind"] == "ipfrag" or p.get("ex") in SETUP]


def total(packets):
    p = setup_of(packets)
    asked = {(x["spi"], x["ex"], x["mid"]) for x in p
             if x["kind"] == "ike" and not x["resp"]}
    answered = {(x["spi"], x["ex"], x["mid"]) for x in p
                if x["kind"] == "ike" and x["resp"]}
    # A COOKIE or INVALID_KE_PAYLOAD round repeats message ID 0: count the
    # distinct answers to it.
    first = [x for x in p if x["kind"] == "ike" and x["resp"]
             and x["mid"] == 0]
    again = max(0, len({x["len"] for x in first}) - len(
        {(x["spi"], x["ex"]) for x in first}))
    ms = (p[-1]["t"] - p[0]["t"]) * 1000 if p else 0
    return (len(asked & answered) + again, len(p),
            sum(x["len"] for x in p), ms)


def main():
    verb, path = sys.argv[1], sys.argv[2]
    if verb == "capture":
        capture(path, sys.argv[3])
    elif verb == "count":
        want = [a.split("=", 1) for a in sys.argv[3:]]
        print(sum(all(str(p.get(k)) == v for k, v in want)
                  for p in load(path)))
    elif verb == "sum":
        print("%d %d %d %.1f" % total(load(path)))
    elif verb == "show":
        packets = load(path)
        for p in packets:
            print("%8.1f %s %-9s len %4d %s" % (
                (p["t"] - packets[0]["t"]) * 1000, p["from"], p["kind"],
                p["len"], " ".join("%s=%s" % (k, p[k]) for k in (
                    "ex", "mid", "resp", "np", "spi") if k in p)))


main()
