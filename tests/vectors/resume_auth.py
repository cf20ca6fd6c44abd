#!/usr/bin/python3
"""Writes resume_auth.txt to standard output: the key and AUTH calculations of
tests/interop/ikeprobe.py, the ones libreswan 5.2 accepted on the wire, for
fixed inputs. resume_auth.sh computes the same with openssl."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "interop"))
import ikeprobe as probe  # noqa: E402

HEAD = """\
# Session resumption: SKEYSEED, the seven keys and AUTH (RFC 5723 5.1).
#
# No vector for this AUTH is published. These come from two programs that share
# no code and agree on every value: tests/interop/ikeprobe.py (Python's hmac
# and hashlib; resume_auth.py prints them), whose first_ form and keys were
# accepted on the wire by libreswan 5.2 (tests/interop/libreswan), and
# resume_auth.sh (openssl dgst). Neither is the client or links wolfSSL.
#
# All values hexadecimal. msg_i, msg_r: the IKE_SESSION_RESUME request and
# response; id_i, id_r: bodies of IDi and IDr; the IKE SA has AES-CBC-256 and
# the HMAC of the same hash. rfc_auth_x = prf(SK_px, msg_x | nonce of the other
# side | prf(SK_px, id_x)); first_auth_x = prf(SK_px, msg_x), as libreswan does.
# skeyseed of the first block is also the one in the notes of the protocol.
"""


def pattern(start, length):
    return bytes((start + i) & 0xff for i in range(length))


def block(suite, sk_d_old, ni, nr):
    spi_i, spi_r = pattern(0xa1, 8), pattern(0xb1, 8)
    ticket = pattern(0x40, 96)
    id_i, id_r = probe.id_body("psk@lab.test"), probe.id_body("gw.lab.test")
    msg_i = probe.message_resume(spi_i, ni, ticket)
    first, body = probe.payloads_pack([(probe.NONCE, nr)])
    msg_r = probe.header(spi_i, spi_r, first, probe.IKE_SESSION_RESUME, 0x20,
                         0, len(body)) + body
    seed = probe.skeyseed_resume(suite, sk_d_old, ni, nr)
    key = probe.keys(suite, seed, ni, nr, spi_i, spi_r)
    out = [("sk_d_old", sk_d_old), ("ni", ni), ("nr", nr), ("spi_i", spi_i),
           ("spi_r", spi_r), ("id_i", id_i), ("id_r", id_r),
           ("msg_i", msg_i), ("msg_r", msg_r), ("skeyseed", seed)]
    out += [("sk_" + name, key[name])
            for name in ("d", "ai", "ar", "ei", "er", "pi", "pr")]
    out += [
        ("rfc_auth_i", probe.auth_resume_rfc(suite, msg_i, nr, key["pi"],
                                             id_i)),
        ("rfc_auth_r", probe.auth_resume_rfc(suite, msg_r, ni, key["pr"],
                                             id_r)),
        ("first_auth_i", probe.auth_resume_first(suite, msg_i, key["pi"])),
        ("first_auth_r", probe.auth_resume_first(suite, msg_r, key["pr"])),
    ]
    print("\n[hmac-sha2-%s]" % suite)
    for name, value in out:
        print("%s = %s" % (name, value.hex()))


def main():
    print(HEAD, end="")
    block("256", pattern(0, 32), b"\xaa" * 16, b"\xbb" * 16)
    block("384", pattern(0x10, 48), pattern(0x51, 32), pattern(0x71, 32))
    block("512", pattern(0x20, 64), pattern(0x31, 256), pattern(0x61, 24))


main()
