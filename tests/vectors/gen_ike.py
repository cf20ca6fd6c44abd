#!/usr/bin/python3
"""Vectors for client/ike's key layer, computed without this project's code and
without wolfSSL: Python's hmac and hashlib, and python3-cryptography for the
ciphers. Writes ike_keys.h to standard output."""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

SPI_I, SPI_R = 0x0102030405060708, 0x1112131415161718
# exchange 35, MID 1, from the initiator; then SK or SKF
HDR = struct.pack(">QQBBBBI", SPI_I, SPI_R, 46, 0x20, 35, 0x08, 1)


def prf(h, key, data):
    return hmac.new(key, data, h).digest()


def prf_plus(h, key, seed, length):
    out, t, n = b"", b"", 1
    while len(out) < length:
        t = prf(h, key, t + seed + bytes([n]))
        out += t
        n += 1
    return out[:length]


def pattern(start, length):
    return bytes((start + 7 * i) & 255 for i in range(length))


def split(data, lens):
    out = []
    for n in lens:
        out.append(data[:n])
        data = data[n:]
    return out


def ike_keys(c, skeyseed, ni, nr):
    n = hashlib.new(c["hash"]).digest_size
    lens = [n, c["integ_len"], c["integ_len"], c["encr_len"], c["encr_len"], n, n]
    seed = ni + nr + struct.pack(">QQ", SPI_I, SPI_R)
    return split(prf_plus(c["hash"], skeyseed, seed, sum(lens)), lens)


def seal(c, enc_key, mac_key, head, plain, pad):
    """head: from the IKE header to the fragment header, lengths filled."""
    text = plain + bytes(range(1, pad + 1)) + bytes([pad])
    if c["integ_len"] == 0:
        iv = pattern(0x40, 8)
        aead = ChaCha20Poly1305 if c["chacha"] else AESGCM
        return iv + aead(enc_key[:-4]).encrypt(enc_key[-4:] + iv, text, head)
    iv = pattern(0x50, 16)
    e = Cipher(algorithms.AES(enc_key), modes.CBC(iv)).encryptor()
    body = iv + e.update(text) + e.finalize()
    return body + prf(c["integ_hash"], mac_key, head + body)[: c["icv_len"]]


def message(c, keys, first, plain, pad, frag=b""):
    overhead = 8 + 16 if c["integ_len"] == 0 else 16 + c["icv_len"]
    sk_len = 4 + len(frag) + len(plain) + pad + 1 + overhead
    hdr = HDR[:16] + bytes([53 if frag else 46]) + HDR[17:]
    head = hdr + struct.pack(">I", 28 + sk_len)
    head += struct.pack(">BBH", first, 0, sk_len) + frag
    return head + seal(c, keys[3], keys[1], head, plain, pad)


def c_string(name, data):
    text = data.hex()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)] or [""]
    body = "\n\t\t".join('"%s"' % line for line in lines)
    return "\t\t.%s =\n\t\t%s,\n" % (name, body)


SUITES = [
    dict(label="ENCR_AES_GCM_16, 256, INTEG_NONE", prf="PRF_HMAC_SHA2_384",
         hash="sha384", encr_len=36, integ_len=0, chacha=False),
    dict(label="ENCR_CHACHA20_POLY1305, 0, INTEG_NONE",
         prf="PRF_HMAC_SHA2_512", hash="sha512", encr_len=36, integ_len=0,
         chacha=True),
    dict(label="ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128",
         prf="PRF_HMAC_SHA2_256", hash="sha256", encr_len=32, integ_len=32,
         integ_hash="sha256", icv_len=16),
    dict(label="ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256",
         prf="PRF_HMAC_SHA2_256", hash="sha256", encr_len=16, integ_len=64,
         integ_hash="sha512", icv_len=32),
]


def case(c):
    ni, nr = pattern(0x20, 32), pattern(0x90, 40)
    shared, shared2 = pattern(1, 32), pattern(2, 256)
    h = c["hash"]
    first = ike_keys(c, prf(h, ni + nr, shared), ni, nr)
    rekeyed = ike_keys(c, prf(h, first[0], shared2 + ni + nr), ni, nr)
    resumed = ike_keys(c, prf(h, first[0], b"Resumption" + ni + nr), ni, nr)
    n = c["encr_len"] + c["integ_len"]
    child = prf_plus(h, first[0], ni + nr, 2 * n)
    child_pfs = prf_plus(h, first[0], shared2 + ni + nr, 2 * n)
    id_body = b"\x02\0\0\0gw.lab.test"
    maced = prf(h, first[5], id_body)
    octets = b"the first message" + nr + maced
    psk = b"correct horse battery staple"
    # IDi and a notify: the chain of the messages
    chain = struct.pack(">BBHB3x", 41, 0, 8 + 11, 2) + b"gw.lab.test"
    chain += struct.pack(">BBHBBH", 0, 0, 8, 0, 0, 16384)
    aead = c["integ_len"] == 0
    pad = 5 if aead else 16 + (-(len(chain) + 1) % 16)
    frags = [message(c, first, 35 if i == 0 else 0, chain[9 * i : 9 * i + 9],
                     0 if aead else 6, struct.pack(">HH", i + 1, 3))
             for i in range(3)]
    out = "\t{\n\t\t.algs = {%s},\n\t\t.prf = %s,\n" % (c["label"], c["prf"])
    for name, data in [
        ("initial", b"".join(first)), ("rekeyed", b"".join(rekeyed)),
        ("resumed", b"".join(resumed)), ("child", child),
        ("child_pfs", child_pfs), ("maced_id", maced),
        ("auth_psk", prf(h, prf(h, psk, b"Key Pad for IKEv2"), octets)),
        ("auth_resume", prf(h, first[5], octets)),
        ("chain", chain), ("sealed", message(c, first, 35, chain, pad)),
        ("frag1", frags[0]), ("frag2", frags[1]), ("frag3", frags[2]),
    ]:
        out += c_string(name, data)
    return out + "\t},\n"


print("/* Made by gen_ike.py: computed by Python, without wolfSSL. */\n/* clang-format off */")
print("static const struct ike_vector {\n\tstruct cipher_algs algs;\n\tenum prf prf;")
print("\t/* all seven keys, one after the other */")
print("\tconst char *initial, *rekeyed, *resumed;")
print("\tconst char *child, *child_pfs;")
print("\tconst char *maced_id, *auth_psk, *auth_resume;")
print("\tconst char *chain, *sealed, *frag1, *frag2, *frag3;")
print("} ike_vectors[] = {")
print("".join(case(c) for c in SUITES) + "};")
nat = struct.pack(">QQ", SPI_I, SPI_R)
for name, addr in [("nat_v4", bytes([192, 0, 2, 1])),
                   ("nat_v6", bytes.fromhex("20010db8000300000000000000000001"))]:
    digest = hashlib.sha1(nat + addr + struct.pack(">H", 4500)).hexdigest()
    print('static const char %s[] =\n\t"%s";' % (name, digest))
