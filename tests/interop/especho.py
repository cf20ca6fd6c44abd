#!/usr/bin/python3
"""especho.py SA-FILE IF: the other end of a tunnel, for pings.

A gateway that cannot do ESP wrote the SAs it agreed on into SA-FILE
(lib/noesp.c). This program sees the UDP-encapsulated ESP that comes in on IF,
opens it with those keys and, as Linux would, answers an ICMP echo request
only where the SA is one with UDP encapsulation. AES-CBC with HMAC-SHA2, no
ESN, IPv4. One line a packet:

  echo SPI            answered
  plain SPI           the keys are right, but the SA is one of plain ESP: Linux
                      drops ESP in UDP for it
  other SPI           right, and no echo request
  wrong SPI           no such SA, or its keys do not fit
"""
import hashlib
import hmac
import os
import socket
import struct
import sys

sys.dont_write_bytecode = True
from ikeprobe import aes_cbc  # noqa: E402

HASHES = {"hmac(sha256)": hashlib.sha256, "hmac(sha384)": hashlib.sha384,
          "hmac(sha512)": hashlib.sha512}
NAT_T, BLOCK, IN_IP = 4500, 16, 4


def load(path):
    """[{spi, dst, hash, auth, icv, enc, encap}, ...] in the order they came."""
    out = []
    with open(path, encoding="ascii") as f:
        for line in f:
            if not line.startswith("SA "):
                continue
            sa = dict(w.split("=", 1) for w in line.split()[1:])
            if "auth" not in sa or "enc" not in sa:
                continue
            name, key, bits = sa["auth"].rsplit(":", 2)
            out.append(dict(
                spi=int(sa["spi"], 16), dst=sa["dst"], hash=HASHES[name],
                auth=bytes.fromhex(key), icv=int(bits) // 8,
                enc=bytes.fromhex(sa["enc"].rsplit(":", 1)[1]),
                encap="encap" in sa))
    return out


def esp_open(sa, esp):
    """The inner packet, or None."""
    icv = hmac.new(sa["auth"], esp[:-sa["icv"]], sa["hash"]).digest()
    if icv[:sa["icv"]] != esp[-sa["icv"]:]:
        return None
    plain = aes_cbc("-d", sa["enc"], esp[8:8 + BLOCK],
                    esp[8 + BLOCK:-sa["icv"]])
    if plain[-1] != IN_IP:
        return None
    return plain[:-2 - plain[-2]]


def esp_seal(sa, inner):
    sa["seq"] = sa.get("seq", 0) + 1
    pad = -(len(inner) + 2) % BLOCK
    plain = inner + bytes(range(1, pad + 1)) + bytes([pad, IN_IP])
    iv = os.urandom(BLOCK)
    out = struct.pack(">II", sa["spi"], sa["seq"]) + iv
    out += aes_cbc("-e", sa["enc"], iv, plain)
    return out + hmac.new(sa["auth"], out, sa["hash"]).digest()[:sa["icv"]]


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data[:len(data)
                                                              // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def echo_reply(inner):
    """The answer to an ICMP echo request in IPv4, or None."""
    head = (inner[0] & 15) * 4
    if inner[0] >> 4 != 4 or inner[9] != 1 or inner[head] != 8:
        return None
    icmp = b"\0\0\0\0" + inner[head + 4:]
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    # Source and destination change places: the header's sum stays.
    return inner[:12] + inner[16:20] + inner[12:16] + inner[20:head] + icmp


class Echo:
    def __init__(self, path, interface):
        self.path, self.sas = path, []
        self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                 socket.htons(0x0800))
        self.tap.bind((interface, 0))
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_UDP)

    def find(self, spi):
        """(the SA, the one back) of a packet's SPI."""
        if not any(sa["spi"] == spi for sa in self.sas):
            seq = {sa["spi"]: sa.get("seq", 0) for sa in self.sas}
            self.sas = load(self.path)
            for sa in self.sas:
                sa["seq"] = seq.get(sa["spi"], 0)
        for i, sa in enumerate(self.sas):
            if sa["spi"] == spi:
                return sa, (self.sas + [None])[i + 1]
        return None, None

    def take(self, source, port, esp):
        spi, = struct.unpack_from(">I", esp)
        sa, back = self.find(spi)
        inner = esp_open(sa, esp) if sa else None
        if not inner:
            return "wrong %08x" % spi
        if not sa["encap"]:
            return "plain %08x" % spi
        reply = echo_reply(inner)
        if not reply or not back:
            return "other %08x" % spi
        esp = esp_seal(back, reply)
        self.out.sendto(struct.pack(">HHHH", NAT_T, port, 8 + len(esp), 0) +
                        esp, (source, 0))
        return "echo %08x" % spi

    def run(self):
        print("ready", flush=True)
        while True:
            frame, origin = self.tap.recvfrom(65600)
            ip = frame[14:]
            if origin[2] == socket.PACKET_OUTGOING or ip[9] != 17:
                continue
            udp = ip[(ip[0] & 15) * 4:struct.unpack_from(">H", ip, 2)[0]]
            sport, dport = struct.unpack_from(">HH", udp)
            if dport == NAT_T and len(udp) > 48 and udp[8:12] != bytes(4):
                print(self.take(socket.inet_ntoa(ip[12:16]), sport, udp[8:]),
                      flush=True)


Echo(sys.argv[1], sys.argv[2]).run()
