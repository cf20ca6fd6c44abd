#!/usr/bin/python3
"""Prints ke.h: what client/crypto must compute from a seed.

Independent of the C code and of wolfSSL: ChaCha20 from RFC 8439, X25519 from
RFC 7748, curves from FIPS 186-4 and MODP primes from RFC 3526's formula, in
Python's integers.  Run: ./gen_ke.py > ke.h
"""
import struct

MASK = 0xffffffff


def chacha_block(key, counter):
    def rot(v, n):
        return (v << n | v >> (32 - n)) & MASK

    def quarter(s, a, b, c, d):
        s[a] = (s[a] + s[b]) & MASK
        s[d] = rot(s[d] ^ s[a], 16)
        s[c] = (s[c] + s[d]) & MASK
        s[b] = rot(s[b] ^ s[c], 12)
        s[a] = (s[a] + s[b]) & MASK
        s[d] = rot(s[d] ^ s[a], 8)
        s[c] = (s[c] + s[d]) & MASK
        s[b] = rot(s[b] ^ s[c], 7)

    start = list(struct.unpack('<4I', b'expand 32-byte k'))
    start += struct.unpack('<8I', key)
    start += [counter, 0, 0, 0]
    s = start[:]
    for _ in range(10):
        for i in range(4):
            quarter(s, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack('<16I', *((a + b) & MASK for a, b in zip(s, start)))


class Rng:
    """Fast key erasure: the first 32 octets are the next key."""

    def __init__(self, seed):
        self.key = seed

    def draw(self, n):
        out = b''
        i = 0
        while len(out) < 32 + n:
            out += chacha_block(self.key, i)
            i += 1
        self.key = out[:32]
        return out[32:32 + n]


def x25519(scalar, u):
    p = 2**255 - 19
    k = int.from_bytes(scalar, 'little')
    k = (k & ~7 & (2**255 - 1)) | 2**254
    x1 = int.from_bytes(u, 'little') % 2**255
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a, b * b
        e = aa - bb
        c, d = x3 + z3, x3 - z3
        da, cb = d * a, c * b
        x3, z3 = (da + cb)**2 % p, x1 * (da - cb)**2 % p
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, 'little')


P256 = (2**256 - 2**224 + 2**192 + 2**96 - 1,
        0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
        0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
        0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
P384 = (2**384 - 2**128 - 2**96 + 2**32 - 1,
        int('ffffffffffffffffffffffffffffffffffffffffffffffff'
            'c7634d81f4372ddf581a0db248b0a77aecec196accc52973', 16),
        int('aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98'
            '59f741e082542a385502f25dbf55296c3a545e3872760ab7', 16),
        int('3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c'
            'e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f', 16))


def ec_add(p, a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % p == 0:
        return None
    if a == b:
        m = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, p)
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, p)
    x = (m * m - a[0] - b[0]) % p
    return x, (m * (a[0] - x) - a[1]) % p


def ec_mul(p, k, a):
    out = None
    while k:
        if k & 1:
            out = ec_add(p, out, a)
        a = ec_add(p, a, a)
        k >>= 1
    return out


def pi_scaled(bits):
    prec = bits + 64

    def arctan_inverse(x):
        term = total = (1 << prec) // x
        k, sign = 1, -1
        while term:
            term //= x * x
            k += 2
            total += sign * (term // k)
            sign = -sign
        return total
    return (16 * arctan_inverse(5) - 4 * arctan_inverse(239)) >> 64


def modp(bits, add):
    return (2**bits - 2**(bits - 64) - 1
            + 2**64 * (pi_scaled(bits - 130) + add))


MODP = {2048: (modp(2048, 124476), 32), 3072: (modp(3072, 1690314), 40),
        4096: (modp(4096, 240904), 48)}


def seed_of(n):
    return n.to_bytes(32, 'big')


def row(method, seed, public, peer, shared):
    def lines(h):
        parts = [h[i:i + 64] for i in range(0, len(h), 64)]
        return '\n\t\t'.join('"%s"' % p for p in parts)

    print('\t{\n\t\t%s,\n\t\t%s,\n\t\t%s,\n\t\t%s,\n\t\t%s,\n\t},' % (
        method, lines(seed.hex()), lines(public.hex()), lines(peer.hex()),
        lines(shared.hex())))


def row_x25519(n):
    priv = Rng(seed_of(n)).draw(32)
    base = bytes([9]) + bytes(31)
    peer = x25519(seed_of(n + 1000), base)
    row('KE_X25519', seed_of(n), x25519(priv, base), peer, x25519(priv, peer))


def row_ecp(name, curve, n, size):
    p, order, gx, gy = curve
    k = int.from_bytes(Rng(seed_of(n)).draw(size), 'big')
    assert 0 < k < order

    def octets(a):
        return a[0].to_bytes(size, 'big') + a[1].to_bytes(size, 'big')
    peer = ec_mul(p, n + 1000, (gx, gy))
    row(name, seed_of(n), octets(ec_mul(p, k, (gx, gy))), octets(peer),
        ec_mul(p, k, peer)[0].to_bytes(size, 'big'))


def row_modp(bits, n, short):
    """short: look on for a public value and a secret with a leading 0."""
    p, size = MODP[bits]
    limit = 2**(bits - 8)
    while True:
        x = bytearray(Rng(seed_of(n)).draw(size))
        x[0] |= 0x80
        x = int.from_bytes(x, 'big')
        if not short or pow(2, x, p) < limit:
            break
        n += 1
    y = 12345
    while short and pow(2, x * y, p) >= limit:
        y += 1
    size = bits // 8
    row('KE_MODP_%d' % bits, seed_of(n), pow(2, x, p).to_bytes(size, 'big'),
        pow(2, y, p).to_bytes(size, 'big'),
        pow(2, x * y, p).to_bytes(size, 'big'))


print('/* Made by gen_ke.py: computed by Python, without wolfSSL. */')
print('static const struct ke_vector {\n\tenum ke_method method;')
print('\tconst char *seed;\n\tconst char *public;\n\tconst char *peer;')
print('\tconst char *shared;\n} ke_vectors[] = {')
for n in (1, 2, 3):
    row_x25519(n)
    row_ecp('KE_ECP_256', P256, n, 32)
    row_ecp('KE_ECP_384', P384, n, 48)
for bits in MODP:
    row_modp(bits, 1, False)
row_modp(2048, 2, True)
print('};')
