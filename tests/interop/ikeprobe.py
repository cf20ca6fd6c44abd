#!/usr/bin/python3
"""A small IKEv2 initiator of its own, for asking a gateway about RFC 5723.

  ikeprobe.py [NAME=VALUE ...] STEP ...

It shares nothing with vpn-connect: Python's standard library and, for AES,
the openssl program. IKE level only, no ESP; one proposal (AES-CBC-256,
HMAC-SHA2, MODP-2048), shared key. Steps, done in order, each prints one line:

  full          IKE_SA_INIT, IKE_AUTH with a TICKET_REQUEST
  resume        IKE_SESSION_RESUME with the ticket in hand, IKE_AUTH
  resume-first  the same; AUTH over the first message only, as libreswan does
  present       IKE_SESSION_RESUME alone, no IKE_AUTH
  again         the very same IKE_SESSION_RESUME datagram once more
  flip          flips one bit in the middle of the ticket
  alive         empty INFORMATIONAL: does the IKE SA answer?
  old-alive     the same in the IKE SA before
  ask           TICKET_REQUEST in an INFORMATIONAL
  delete        DELETE of the IKE SA
  save=FILE     ticket and what belongs to it into FILE; load=FILE: from it

Names: gw, port, idi, idr, psk, prf (256|384|512), cp (yes|no), wait (seconds),
source (port), nat (no|yes: NAT_DETECTION_* that say so). A line is "STEP: WORD ..."; the words are in the code below.
"""
import hashlib
import hmac
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time

# ---- what RFC 7296 and RFC 5723 number

SA, KE, IDI, IDR, AUTH, NONCE, NOTIFY, DELETE = 33, 34, 35, 36, 39, 40, 41, 42
TSI, TSR, SK, CP = 44, 45, 46, 47
IKE_SA_INIT, IKE_AUTH, INFORMATIONAL, IKE_SESSION_RESUME = 34, 35, 37, 38
NAT_SOURCE, NAT_DESTINATION = 16388, 16389
COOKIE, TICKET_LT_OPAQUE, TICKET_REQUEST = 16390, 16409, 16410
TICKET_ACK, TICKET_NACK, TICKET_OPAQUE = 16411, 16412, 16413
NOTIFY_NAMES = {
    1: "UNSUPPORTED_CRITICAL_PAYLOAD", 7: "INVALID_SYNTAX",
    14: "NO_PROPOSAL_CHOSEN", 17: "INVALID_KE_PAYLOAD",
    24: "AUTHENTICATION_FAILED", 36: "INTERNAL_ADDRESS_FAILURE",
    38: "TS_UNACCEPTABLE", 43: "TEMPORARY_FAILURE", COOKIE: "COOKIE",
    TICKET_LT_OPAQUE: "TICKET_LT_OPAQUE", TICKET_ACK: "TICKET_ACK",
    TICKET_NACK: "TICKET_NACK", TICKET_OPAQUE: "TICKET_OPAQUE",
}
PAYLOAD_NAMES = {SA: "SA", KE: "KE", IDI: "IDi", IDR: "IDr", AUTH: "AUTH",
                 NONCE: "Nonce", DELETE: "D", TSI: "TSi", TSR: "TSr",
                 SK: "SK", CP: "CP", 37: "CERT", 43: "V"}

# prf: hash, transform of the PRF, transform and ICV length of the integrity
SUITES = {
    "256": (hashlib.sha256, 5, 12, 16),
    "384": (hashlib.sha384, 6, 13, 24),
    "512": (hashlib.sha512, 7, 14, 32),
}
ENCR_AES_CBC, ENCR_KEY_LEN, BLOCK = 12, 32, 16

# RFC 3526, group 14: p = 2^2048 - 2^1984 - 1 + 2^64 * (floor(2^1918 pi)
# + 124476). Written as that formula, so that no digit can be mistyped.


def pi_scaled(bits):
    """floor(2^bits * pi), by Machin's formula with guard bits."""
    one = 1 << (bits + 64)

    def arctan_inverse(x):
        term = total = one // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total
    return (16 * arctan_inverse(5) - 4 * arctan_inverse(239)) >> 64


GROUP, GROUP_LEN = 14, 256
PRIME = (2**2048 - 2**1984 - 1 + 2**64 * (pi_scaled(1918) + 124476))

# ---- keys and AUTH: pure functions, also the source of tests/vectors


def prf(suite, key, data):
    return hmac.new(key, data, SUITES[suite][0]).digest()


def prf_plus(suite, key, seed, length):
    out = block = b""
    counter = 1
    while len(out) < length:
        block = prf(suite, key, block + seed + bytes([counter]))
        out += block
        counter += 1
    return out[:length]


def skeyseed_full(suite, ni, nr, shared):
    return prf(suite, ni + nr, shared)


def skeyseed_resume(suite, sk_d_old, ni, nr):
    return prf(suite, sk_d_old, b"Resumption" + ni + nr)


def keys(suite, skeyseed, ni, nr, spi_i, spi_r):
    """The seven keys of RFC 7296 2.14 for AES-CBC-256 and HMAC-SHA2."""
    n = SUITES[suite][0]().digest_size
    lengths = [("d", n), ("ai", n), ("ar", n), ("ei", ENCR_KEY_LEN),
               ("er", ENCR_KEY_LEN), ("pi", n), ("pr", n)]
    stream = prf_plus(suite, skeyseed, ni + nr + spi_i + spi_r,
                      sum(x for _, x in lengths))
    out = {}
    for name, length in lengths:
        out[name], stream = stream[:length], stream[length:]
    return out


def signed_octets(suite, message, nonce, sk_p, id_body):
    return message + nonce + prf(suite, sk_p, id_body)


def auth_psk(suite, psk, message, nonce, sk_p, id_body):
    return prf(suite, prf(suite, psk, b"Key Pad for IKEv2"),
               signed_octets(suite, message, nonce, sk_p, id_body))


def auth_resume_rfc(suite, message, nonce, sk_p, id_body):
    return prf(suite, sk_p, signed_octets(suite, message, nonce, sk_p,
                                          id_body))


def auth_resume_first(suite, message, sk_p):
    return prf(suite, sk_p, message)


# ---- messages


def payloads_pack(payloads):
    """(type of the first, octets) of a list of (type, body)."""
    out = b""
    for i, (_, body) in enumerate(payloads):
        following = payloads[i + 1][0] if i + 1 < len(payloads) else 0
        out += struct.pack(">BBH", following, 0, 4 + len(body)) + body
    return (payloads[0][0] if payloads else 0), out


def payloads_unpack(kind, data):
    out = []
    while kind:
        following, _, length = struct.unpack_from(">BBH", data)
        if length < 4 or length > len(data):
            raise ValueError("payload length")
        out.append((kind, data[4:length]))
        kind, data = following, data[length:]
    return out


def notify(kind, data=b""):
    return NOTIFY, struct.pack(">BBH", 0, 0, kind) + data


def notifies(payloads):
    return [(struct.unpack_from(">H", b, 2)[0], b[4 + b[1]:])
            for t, b in payloads if t == NOTIFY]


def notify_find(payloads, kind):
    for k, data in notifies(payloads):
        if k == kind:
            return data
    return None


def header(spi_i, spi_r, first, exchange, flags, mid, body_len):
    return spi_i + spi_r + struct.pack(">BBBBII", first, 0x20, exchange,
                                       flags, mid, 28 + body_len)


def message_plain(spi_i, spi_r, exchange, payloads):
    first, body = payloads_pack(payloads)
    return header(spi_i, spi_r, first, exchange, 0x08, 0, len(body)) + body


def message_resume(spi_i, ni, ticket, cookie=None, extra=()):
    """HDR, [N(COOKIE),] Ni, N(TICKET_OPAQUE) [, N+]: RFC 5723 4.3.2."""
    payloads = [(NONCE, ni), notify(TICKET_OPAQUE, ticket), *extra]
    if cookie is not None:
        payloads.insert(0, notify(COOKIE, cookie))
    return message_plain(spi_i, bytes(8), IKE_SESSION_RESUME, payloads)


def id_body(text):
    """Type 2 (FQDN) or, with an @ inside, 3 (mail address)."""
    kind = 3 if "@" in text else 2
    return struct.pack(">BBH", kind, 0, 0) + text.encode()


def transform(last, kind, ident, key_len=0):
    attribute = struct.pack(">HH", 0x800E, key_len * 8) if key_len else b""
    return struct.pack(">BBHBBH", 0 if last else 3, 0, 8 + len(attribute),
                       kind, 0, ident) + attribute


def proposal(protocol, spi, transforms):
    body = b"".join(transform(i + 1 == len(transforms), *t)
                    for i, t in enumerate(transforms))
    return struct.pack(">BBHBBBB", 0, 0, 8 + len(spi) + len(body), 1,
                       protocol, len(spi), len(transforms)) + spi + body


def selector(first, last):
    return struct.pack(">BBHBBHHH", 1, 0, 0, 7, 0, 16, 0, 65535) + \
        socket.inet_aton(first) + socket.inet_aton(last)


def aes_cbc(direction, key, iv, data):
    run = subprocess.run(
        ["openssl", "enc", "-aes-256-cbc", direction, "-nopad", "-K",
         key.hex(), "-iv", iv.hex()], input=data, capture_output=True,
        check=True)
    return run.stdout


class IkeSa:
    """Keys, SPIs and message ID of one IKE SA, this side the initiator."""

    def __init__(self, suite):
        self.suite = suite
        self.spi_i, self.spi_r = os.urandom(8), bytes(8)
        self.ni, self.nr = os.urandom(32), b""
        self.first, self.first_answer = b"", b""
        self.key = {}
        self.mid = 1
        self.established = False

    def set_keys(self, skeyseed):
        self.key = keys(self.suite, skeyseed, self.ni, self.nr, self.spi_i,
                        self.spi_r)

    def seal(self, exchange, payloads):
        icv_len = SUITES[self.suite][3]
        first, body = payloads_pack(payloads)
        pad = -(len(body) + 1) % BLOCK
        body += bytes(pad) + bytes([pad])
        iv = os.urandom(BLOCK)
        length = 4 + BLOCK + len(body) + icv_len
        out = header(self.spi_i, self.spi_r, SK, exchange, 0x08, self.mid,
                     length)
        out += struct.pack(">BBH", first, 0, length)
        out += iv + aes_cbc("-e", self.key["ei"], iv, body)
        return out + prf(self.suite, self.key["ai"], out)[:icv_len]

    def open(self, dgram):
        icv_len = SUITES[self.suite][3]
        icv = prf(self.suite, self.key["ar"], dgram[:-icv_len])[:icv_len]
        if not hmac.compare_digest(icv, dgram[-icv_len:]):
            raise ValueError("ICV")
        at = 28 + 4
        plain = aes_cbc("-d", self.key["er"], dgram[at:at + BLOCK],
                        dgram[at + BLOCK:-icv_len])
        plain = plain[:-1 - plain[-1]]
        return payloads_unpack(dgram[28], plain)


# ---- the probe


def words(payloads):
    out = []
    for kind, body in payloads:
        if kind == NOTIFY:
            number = struct.unpack_from(">H", body, 2)[0]
            out.append("N(%s)" % NOTIFY_NAMES.get(number, number))
        else:
            out.append(PAYLOAD_NAMES.get(kind, str(kind)))
    return ",".join(out)


class Probe:
    def __init__(self, settings):
        self.set = dict(gw="203.0.113.1", port="500", idi="psk@lab.test",
                        idr="gw.lab.test", psk="", prf="256", cp="yes",
                        wait="3", source="0", nat="no")
        self.set.update(settings)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("0.0.0.0", int(self.set["source"])))
        self.sa = self.old = None
        self.ticket = None
        self.last_resume = b""
        self.cookies = 0

    def receive(self, request, seconds):
        """The answer to request, or None."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            dgram = self.socket.recv(65535)
            if self.set["port"] == "4500":
                dgram = dgram[4:]
            if len(dgram) >= 28 and dgram[:8] == request[:8] and \
                    dgram[18] == request[18] and dgram[19] & 0x20 and \
                    dgram[20:24] == request[20:24]:
                return dgram

    def exchange(self, request):
        marker = bytes(4) if self.set["port"] == "4500" else b""
        self.socket.sendto(marker + request,
                           (self.set["gw"], int(self.set["port"])))
        return self.receive(request, float(self.set["wait"]))

    def exchange_first(self, build):
        """A first message that may be answered by a cookie once."""
        request = build(None)
        answer = self.exchange(request)
        self.cookies = 0
        if answer and answer[16] == NOTIFY:
            cookie = notify_find(payloads_unpack(answer[16], answer[28:]),
                                 COOKIE)
            if cookie is not None:
                self.cookies = 1
                request = build(cookie)
                answer = self.exchange(request)
        return request, answer

    def exchange_sealed(self, sa, kind, payloads):
        answer = self.exchange(sa.seal(kind, payloads))
        sa.mid += 1
        if answer is None:
            return None
        if answer[16] != SK:
            return payloads_unpack(answer[16], answer[28:])
        return sa.open(answer)

    def nat_notifies(self):
        """Hashes of no address there is: a NAT in front of both sides."""
        if self.set["nat"] == "no":
            return []
        return [notify(NAT_SOURCE, os.urandom(20)),
                notify(NAT_DESTINATION, os.urandom(20))]

    # -- the first exchange, either form

    def init(self):
        suite = self.set["prf"]
        sa = IkeSa(suite)
        private = random.SystemRandom().getrandbits(512)
        public = pow(2, private, PRIME).to_bytes(GROUP_LEN, "big")
        _, prf_id, integ_id, _ = SUITES[suite]
        offer = proposal(1, b"", [(1, ENCR_AES_CBC, ENCR_KEY_LEN),
                                  (2, prf_id), (3, integ_id), (4, GROUP)])
        payloads = [(SA, offer), (KE, struct.pack(">HH", GROUP, 0) + public),
                    (NONCE, sa.ni), *self.nat_notifies()]

        def build(cookie):
            extra = [notify(COOKIE, cookie)] if cookie is not None else []
            return message_plain(sa.spi_i, bytes(8), IKE_SA_INIT,
                                 extra + payloads)
        sa.first, answer = self.exchange_first(build)
        if answer is None:
            return None, "silence"
        got = payloads_unpack(answer[16], answer[28:])
        body = dict(got)
        if KE not in body or NONCE not in body:
            return None, "refused " + words(got)
        peer = int.from_bytes(body[KE][4:], "big")
        shared = pow(peer, private, PRIME).to_bytes(GROUP_LEN, "big")
        self.begin(sa, answer, body[NONCE])
        sa.set_keys(skeyseed_full(suite, sa.ni, sa.nr, shared))
        return sa, ""

    @staticmethod
    def begin(sa, answer, nr):
        sa.first_answer, sa.spi_r, sa.nr = answer, answer[8:16], nr

    def present(self):
        """IKE_SESSION_RESUME: (sa, '') or (None, why)."""
        sa = IkeSa(self.ticket["suite"])
        opaque = bytes.fromhex(self.ticket["opaque"])
        sa.first, answer = self.exchange_first(
            lambda cookie: message_resume(sa.spi_i, sa.ni, opaque, cookie,
                                          self.nat_notifies()))
        self.last_resume = sa.first
        if answer is None:
            return None, "silence request=%d" % len(sa.first)
        got = payloads_unpack(answer[16], answer[28:])
        if notify_find(got, TICKET_NACK) is not None:
            return None, "nack"
        body = dict(got)
        if NONCE not in body or answer[8:16] == bytes(8):
            return None, "refused " + words(got)
        self.begin(sa, answer, body[NONCE])
        sa.set_keys(skeyseed_resume(sa.suite,
                                    bytes.fromhex(self.ticket["sk_d"]),
                                    sa.ni, sa.nr))
        return sa, "request=%d answer=%d payloads=%s" % (
            len(sa.first), len(answer), words(got))

    # -- IKE_AUTH

    def auth_payloads(self, auth):
        out = [(IDI, id_body(self.set["idi"])),
               (IDR, id_body(self.set["idr"])),
               (AUTH, struct.pack(">BBH", 2, 0, 0) + auth),
               notify(TICKET_REQUEST)]
        if self.set["cp"] == "yes":
            # CFG_REQUEST, INTERNAL_IP4_ADDRESS of any value
            out.append((CP, struct.pack(">BBHHH", 1, 0, 0, 1, 0)))
        _, _, integ_id, _ = SUITES[self.set["prf"]]
        out.append((SA, proposal(3, os.urandom(4), [
            (1, ENCR_AES_CBC, ENCR_KEY_LEN), (3, integ_id), (5, 0)])))
        out.append((TSI, selector("0.0.0.0", "255.255.255.255")))
        out.append((TSR, selector("10.9.0.0", "10.9.0.255")))
        return out

    def authenticate(self, sa, own, expected):
        """Sends own as AUTH; expected: {name: f(IDr body)}. The words."""
        got = self.exchange_sealed(sa, IKE_AUTH, self.auth_payloads(own))
        if got is None:
            return "silence after IKE_AUTH"
        body = dict(got)
        if AUTH not in body or IDR not in body:
            return "refused " + words(got)
        form = [name for name, value in expected.items()
                if value(body[IDR]) == body[AUTH][4:]]
        if body[IDR] != id_body(self.set["idr"]) or not form:
            return "gateway's AUTH or IDr is wrong: " + words(got)
        sa.established = True
        self.old, self.sa = self.sa, sa
        return "up auth=%s cookies=%d %s %s payloads=%s" % (
            form[0], self.cookies, self.child_words(got),
            self.keep_ticket(sa, got), words(got))

    @staticmethod
    def child_words(got):
        if SA in dict(got):
            return "child=yes"
        errors = [NOTIFY_NAMES.get(k, str(k)) for k, _ in notifies(got)
                  if k < 16384]
        return "child=" + ("+".join(errors) or "nothing")

    def keep_ticket(self, sa, got):
        data = notify_find(got, TICKET_LT_OPAQUE)
        if data is None:
            return "ticket=0"
        lifetime = struct.unpack_from(">I", data)[0]
        self.ticket = dict(suite=sa.suite, sk_d=sa.key["d"].hex(),
                           opaque=data[4:].hex())
        return "ticket=%d lifetime=%d" % (len(data) - 4, lifetime)

    # -- steps

    def step_full(self):
        sa, why = self.init()
        if not sa:
            return why
        suite, psk = sa.suite, self.set["psk"].encode()
        return self.authenticate(
            sa, auth_psk(suite, psk, sa.first, sa.nr, sa.key["pi"],
                         id_body(self.set["idi"])),
            {"psk": lambda idr: auth_psk(suite, psk, sa.first_answer, sa.ni,
                                         sa.key["pr"], idr)})

    def resume(self, first_only):
        if not self.ticket:
            return "no ticket"
        sa, how = self.present()
        if not sa:
            return how
        if first_only:
            own = auth_resume_first(sa.suite, sa.first, sa.key["pi"])
        else:
            own = auth_resume_rfc(sa.suite, sa.first, sa.nr, sa.key["pi"],
                                  id_body(self.set["idi"]))
        return self.authenticate(sa, own, {
            "rfc": lambda idr: auth_resume_rfc(
                sa.suite, sa.first_answer, sa.ni, sa.key["pr"], idr),
            "first": lambda idr: auth_resume_first(
                sa.suite, sa.first_answer, sa.key["pr"]),
        }) + " " + how

    def step_resume(self):
        return self.resume(False)

    def step_resume_first(self):
        return self.resume(True)

    def step_present(self):
        sa, why = self.present()
        return "accepted " + why if sa else why

    def step_again(self):
        answer = self.exchange(self.last_resume)
        if answer is None:
            return "silence"
        return "answer " + words(payloads_unpack(answer[16], answer[28:]))

    def step_flip(self):
        opaque = bytearray.fromhex(self.ticket["opaque"])
        opaque[len(opaque) // 2] ^= 1
        self.ticket["opaque"] = opaque.hex()
        return "done"

    def informational(self, sa, payloads):
        got = self.exchange_sealed(sa, INFORMATIONAL, payloads)
        if got is None:
            return "silence"
        return "answer " + (words(got) or "empty")

    def step_alive(self):
        return self.informational(self.sa, [])

    def step_old_alive(self):
        return self.informational(self.old, [])

    def step_ask(self):
        return self.informational(self.sa, [notify(TICKET_REQUEST)])

    def step_delete(self):
        return self.informational(self.sa, [
            (DELETE, struct.pack(">BBH", 1, 0, 0))])

    def step_save(self, path):
        with open(path, "w", encoding="ascii") as out:
            json.dump(self.ticket, out)
        return "done"

    def step_load(self, path):
        with open(path, encoding="ascii") as f:
            self.ticket = json.load(f)
        return "done"


def main():
    settings, steps = {}, []
    for word in sys.argv[1:]:
        name, _, value = word.partition("=")
        if name in ("save", "load") or not value:
            steps.append((name, value))
        else:
            settings[name] = value
    probe = Probe(settings)
    for name, value in steps:
        step = getattr(probe, "step_" + name.replace("-", "_"))
        print("%s: %s" % (name, step(value) if value else step()), flush=True)


if __name__ == "__main__":
    main()
