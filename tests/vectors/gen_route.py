#!/usr/bin/python3
"""Writes tests/vectors/route.h: messages of the routing sockets of FreeBSD,
OpenBSD, NetBSD and macOS on 64-bit little-endian machines, laid out by ctypes
from the structures as each system's net/route.h and net/if.h declare them
(FreeBSD 13, OpenBSD 7, NetBSD 9, macOS 13), one field after the other. Made by
this program; not captured from a machine."""
import ctypes
import ipaddress

u8, u16, u32, u64 = (ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32,
                     ctypes.c_uint64)
i32, ulong, char16 = ctypes.c_int32, ctypes.c_uint64, ctypes.c_char * 16


def struct(*fields):
    return type("S", (ctypes.Structure,), {"_fields_": list(fields)})


def start(*more):
    return (("msglen", u16), ("version", u8), ("type", u8)) + more


def metrics(kind, n):
    return struct(*((f"m{i}", kind) for i in range(n)))


class System:
    def __init__(self, name, **kw):
        self.name = name
        self.__dict__.update(kw)


FREEBSD = System(
    "freebsd", version=5, align=8, inet6=28, sdl=54, newaddr=0xc, deladdr=0xd,
    ifinfo=0xe, announce=0x11,
    rt=struct(*start(("index", u16), ("spare", u16), ("flags", i32),
                     ("addrs", i32), ("pid", i32), ("seq", i32),
                     ("errno", i32), ("fmask", i32), ("inits", ulong),
                     ("rmx", metrics(ulong, 14)))),
    ifa=struct(*start(("addrs", i32), ("flags", i32), ("index", u16),
                      ("spare", u16), ("metric", i32))),
    ifm=struct(*start(("addrs", i32), ("flags", i32), ("index", u16),
                      ("spare", u16), ("ifi_type", u8), ("physical", u8),
                      ("addrlen", u8), ("hdrlen_", u8), ("link_state", u8),
                      ("vhid", u8), ("datalen", u16), ("mtu", u32),
                      ("metric", u32), ("counters", u64 * 17))),
    an=struct(*start(("index", u16), ("name", char16), ("what", u16))),
    up=2, down=1)
OPENBSD = System(
    "openbsd", version=5, align=8, inet6=24, sdl=32, newaddr=0xc, deladdr=0xd,
    ifinfo=0xe, announce=0xf,
    rt=struct(*start(("hdrlen", u16), ("index", u16), ("tableid", u16),
                     ("priority", u8), ("mpls", u8), ("addrs", i32),
                     ("flags", i32), ("fmask", i32), ("pid", i32),
                     ("seq", i32), ("errno", i32), ("inits", u32),
                     ("pksent", u64), ("expire", u64),
                     ("rmx", metrics(u32, 10)))),
    ifa=struct(*start(("hdrlen", u16), ("index", u16), ("tableid", u16),
                      ("pad1", u8), ("pad2", u8), ("addrs", i32),
                      ("flags", i32), ("metric", i32))),
    ifm=struct(*start(("hdrlen", u16), ("index", u16), ("tableid", u16),
                      ("pad1", u8), ("pad2", u8), ("addrs", i32),
                      ("flags", i32), ("xflags", i32), ("ifi_type", u8),
                      ("addrlen", u8), ("hdrlen_", u8), ("link_state", u8),
                      ("mtu", u32), ("metric", u32), ("rdomain", u32),
                      ("counters", u64 * 15))),
    an=struct(*start(("hdrlen", u16), ("index", u16), ("what", u16),
                     ("name", char16))),
    up=4, down=2)
NETBSD = System(
    "netbsd", version=4, align=8, inet6=24, sdl=20, newaddr=0x16,
    deladdr=0x17, ifinfo=0x14, announce=0x10,
    rt=struct(*start(("index", u16), ("flags", i32), ("addrs", i32),
                     ("pid", i32), ("seq", i32), ("errno", i32),
                     ("use", i32), ("inits", i32),
                     ("rmx", metrics(u64, 10)))),
    # The first member is aligned to 64 bits, and so the size is.
    ifa=struct(*start(("index", u16), ("flags", i32), ("addrs", i32),
                      ("pid", i32), ("addrflags", i32), ("metric", i32),
                      ("pad", i32))),
    ifm=struct(*start(("addrs", i32), ("flags", i32), ("index", u16),
                      ("pad", u16), ("ifi_type", u8), ("addrlen", u8),
                      ("hdrlen_", u8), ("link_state", i32),
                      ("counters", u64 * 16))),
    an=struct(*start(("index", u16), ("name", char16), ("what", u16))),
    up=2, down=1)
MACOS = System(
    "macos", version=5, align=4, inet6=30, sdl=20, newaddr=0xc, deladdr=0xd,
    ifinfo=0xe, announce=None,
    rt=struct(*start(("index", u16), ("flags", i32), ("addrs", i32),
                     ("pid", i32), ("seq", i32), ("errno", i32),
                     ("use", i32), ("inits", u32),
                     ("rmx", metrics(u32, 14)))),
    ifa=struct(*start(("addrs", i32), ("flags", i32), ("index", u16),
                      ("metric", i32))),
    ifm=struct(*start(("addrs", i32), ("flags", i32), ("index", u16),
                      ("data", u32 * 24))),
    an=None, up=None, down=None)


def rounded(s, b):
    n = -(-max(len(b), 1) // s.align) * s.align
    return b + bytes(n - len(b))


def sa(s, text):
    a = ipaddress.ip_address(text)
    if a.version == 4:
        return bytes([16, 2, 0, 0]) + a.packed + bytes(8)
    b = bytearray(a.packed)
    if a.is_link_local:
        b[3] = 3  # the scope, as the kernel keeps it
    return bytes([28, s.inet6, 0, 0, 0, 0, 0, 0]) + bytes(b) + bytes(4)


def sdl(s, name, lladdr=b""):
    b = bytes([0, 18]) + (3).to_bytes(2, "little") + bytes(
        [6, len(name), len(lladdr), 0]) + name + lladdr
    b += bytes(max(0, s.sdl - len(b)))
    return bytes([len(b)]) + b[1:]


MASK4 = bytes([8, 0, 0, 0, 255, 255, 255, 0])
MASK0 = b""
MASK6 = bytes([16, 0] + [0] * 6 + [255] * 8)
MAC = bytes.fromhex("02005e100001")
DST, GATEWAY, NETMASK, IFP, IFA, BRD = 1, 2, 4, 0x10, 0x20, 0x80


def message(s, kind, type_, addrs=(), **fields):
    body, bits = b"", 0
    for bit, b in addrs:
        bits |= bit
        body += rounded(s, b)
    h = getattr(s, kind)()
    h.version, h.type = s.version, type_
    size = ctypes.sizeof(h)
    for k, v in fields.items():
        if hasattr(h, k):
            setattr(h, k, v)
    if hasattr(h, "addrs"):
        h.addrs = bits
    if hasattr(h, "hdrlen"):
        h.hdrlen = size
    h.msglen = size + len(body)
    return bytes(h) + body


def messages(s):
    up, running, dead = 0x1, 0x40, 0x8000
    yield "link_up", message(s, "ifm", s.ifinfo, flags=dead | up | running,
                             index=3, link_state=s.up)
    yield "link_not_up", message(s, "ifm", s.ifinfo, flags=dead | running,
                                 index=3, link_state=s.up)
    if s.down:
        yield "link_no_carrier", message(s, "ifm", s.ifinfo, index=3,
                                         flags=dead | up | running,
                                         link_state=s.down)
    yield "addr_new", message(
        s, "ifa", s.newaddr,
        [(NETMASK, MASK4), (IFP, sdl(s, b"em0", MAC)),
         (IFA, sa(s, "192.0.2.2")), (BRD, sa(s, "192.0.2.255"))], index=3)
    yield "addr_gone", message(
        s, "ifa", s.deladdr,
        [(NETMASK, MASK6), (IFP, sdl(s, b"em0", MAC)),
         (IFA, sa(s, "2001:db8::2"))], index=3)
    yield "route_add", message(
        s, "rt", 1, [(DST, sa(s, "0.0.0.0")), (GATEWAY, sa(s, "192.0.2.1")),
                     (NETMASK, MASK0)], index=3, flags=0x803, pid=77, seq=5)
    yield "route_gone", message(
        s, "rt", 2, [(DST, sa(s, "::")), (GATEWAY, sa(s, "fe80::1")),
                     (NETMASK, MASK0)], index=3)
    yield "route_change", message(
        s, "rt", 3, [(DST, sa(s, "198.51.100.0")),
                     (GATEWAY, sdl(s, b"em0")), (NETMASK, MASK4)], index=3)
    if s.an:
        yield "iface_new", message(s, "an", s.announce, index=7, name=b"tun0",
                                   what=0)
        yield "iface_gone", message(s, "an", s.announce, index=7,
                                    name=b"tun0", what=1)
    yield "found", message(
        s, "rt", 4, [(DST, sa(s, "203.0.113.0")),
                     (GATEWAY, sa(s, "192.0.2.1")), (NETMASK, MASK4),
                     (IFP, sdl(s, b"em0", MAC)), (IFA, sa(s, "192.0.2.2"))],
        index=3, pid=4242, seq=9)
    yield "found6", message(
        s, "rt", 4, [(DST, sa(s, "2001:db8:1::")),
                     (GATEWAY, sa(s, "fe80::1")), (NETMASK, MASK6),
                     (IFP, sdl(s, b"em0", MAC)), (IFA, sa(s, "2001:db8::2"))],
        index=3, pid=4242, seq=10)
    yield "neighbour", message(
        s, "rt", 4, [(DST, sa(s, "192.0.2.1")),
                     (GATEWAY, sdl(s, b"em0", MAC)),
                     (IFP, sdl(s, b"em0", MAC)), (IFA, sa(s, "192.0.2.2"))],
        index=3, pid=4242, seq=11, flags=0x405)
    yield "failed", message(
        s, "rt", 4, [(DST, sa(s, "203.0.113.1"))], pid=4242, seq=12, errno=3)
    # What we ask.
    yield "ask", message(
        s, "rt", 4, [(DST, sa(s, "203.0.113.1")),
                     (IFP, bytes([s.sdl, 18]) + bytes(s.sdl - 2))], seq=13)
    yield "ask6", message(
        s, "rt", 4, [(DST, sa(s, "2001:db8:1::1")),
                     (IFP, bytes([s.sdl, 18]) + bytes(s.sdl - 2))], seq=14,
        flags=0x400)


print("/* Made by gen_route.py. */")
for s in FREEBSD, OPENBSD, NETBSD, MACOS:
    for name, b in messages(s):
        print(f"static const uint8_t {s.name}_{name}[] = {{")
        for i in range(0, len(b), 12):
            print("\t" + " ".join(f"0x{x:02x}," for x in b[i:i + 12]))
        print("};")
