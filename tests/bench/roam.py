#!/usr/bin/python3
"""The measuring half of `tests/bench/run roam`; runs in namespace cl.

A datagram leaves every millisecond through the tunnel and is echoed by the
server behind the gateway (echo.py). The gap is the time from the change of the
network to the moment when the first datagram left that was echoed; the echo
came a round trip later.
"""
import os
import re
import struct
import subprocess
import sys
import time

import measure
from measure import Charon, Failed, Ours, Table

LIMIT_S = 10  # of echo.py
measure.UNITS.update(gap="ms", echo="ms")


class Echo:
    def __init__(self, who):
        self.who, self.stays_away = who.name, who.stays_away
        self.p = subprocess.Popen(
            [sys.executable, os.path.dirname(__file__) + "/echo.py", "client"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, bufsize=1)
        if not self.p.stdout.readline():
            raise Failed(self.who + ": " + self.p.stderr.read())

    def after(self, change):
        """change(): the network is another one. {metric: ms}"""
        at = time.monotonic()
        change()
        print(at, file=self.p.stdin, flush=True)
        text = self.p.stdout.readline()
        self.p.wait()
        if not text and self.stays_away:
            return {"gap": LIMIT_S * 1000, "echo": LIMIT_S * 1000}
        if not text:
            raise Failed(self.who + ": " + self.p.stderr.read())
        left, came = (float(t) for t in text.split())
        return {"gap": (left - at) * 1000, "echo": (came - at) * 1000}


# --- the network ---------------------------------------------------------

def ip(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n",
                   text=True, check=True, stdout=subprocess.DEVNULL)


def link_gone():
    """Wi-Fi is gone, the other link has been there all the time."""
    ip("addr flush dev wifi", "link set wifi down")


def renumbered():
    """Wi-Fi has another address; there is no other link."""
    ip("addr del 192.0.2.2/24 dev wifi", "addr add 192.0.2.77/24 dev wifi",
       "route replace default via 192.0.2.1 dev wifi metric 100")


def network_new():
    """The same, but the other link becomes a network only now."""
    ip("addr flush dev wifi", "link set wifi down",
       "route add default via 198.51.100.1 dev lte metric 200")


def no_route():
    ip("route del default via 198.51.100.1 dev lte metric 200")


def other_link(state):
    ip("link set lte " + state)
    if state == "up":
        ip("route replace default via 198.51.100.1 dev lte metric 200")


def home():
    """As tests/lib/lab.sh makes it."""
    ip("addr flush dev wifi", "link set wifi up")
    while "state UP" not in subprocess.run(
            ["ip", "link", "show", "dev", "wifi"], capture_output=True,
            text=True).stdout:
        time.sleep(0.02)
    ip("addr add 192.0.2.2/24 dev wifi",
       "route replace default via 192.0.2.1 dev wifi metric 100")
    other_link("up")
    time.sleep(1.1)  # the kernel tells of a carrier at most once a second


# --- the players ---------------------------------------------------------

def testgw(*words):
    subprocess.run([os.environ["TESTGW"], "--tell",
                    measure.S + "/testgw/control", *words],
                   check=True, stdout=subprocess.DEVNULL)


class Roamer(Ours):
    """how: what status has to say after the change."""
    stays_away = False

    def __init__(self, profile, how):
        super().__init__(profile)
        self.how = how
        self.name = "%s of %s" % (how, profile)

    def start(self):
        super().start()
        end = time.monotonic() + LIMIT_S
        while not self.ticket():
            if time.monotonic() > end:
                raise Failed("no ticket came")
            time.sleep(0.05)

    def before(self):
        pass

    def ticket(self):
        return (self.status().get("ticket") or {}).get("size")

    def check(self):
        s = self.status()
        if s["how"] != self.how or s["prompts"] != 0:
            raise Failed("%s, %d prompts, instead of %s" %
                         (s["how"], s["prompts"], self.how))


class Forgotten(Roamer):
    """The gateway lost the SA before the change; token: and proves it (RFC
    6290)."""

    def __init__(self, profile, how, token):
        super().__init__(profile, how)
        self.token = token

    def start(self):
        testgw("set", "qcd", "on" if self.token else "off")
        super().start()

    def before(self):
        testgw("forget")

    def stop(self):
        super().stop()
        testgw("set", "qcd", "off")


class Sleeper(Roamer):
    """No real sleep: the process is stopped and its clocks are put forward
    (clockshift.c) while the gateway forgets. The change is its going on, with
    another link that changes as after a real one; logind is not there to tell."""

    def __init__(self, profile, how):
        super().__init__(profile, how)
        self.shift = measure.S + "/clock"
        self.set(0)
        self.env = dict(self.env, LD_PRELOAD=measure.S + "/clockshift.so",
                        CLOCKSHIFT=self.shift)

    def set(self, slept_s):
        with open(self.shift, "r+b" if os.path.exists(self.shift) else
                  "w+b") as f:
            f.write(struct.pack("=qq", 0, slept_s * 1000))

    def start(self):
        self.set(0)
        super().start()
        time.sleep(1.2)  # until it watches

    def before(self):
        self.p.send_signal(measure.signal.SIGSTOP)
        testgw("forget")
        time.sleep(0.3)
        self.set(600)

    def wake(self):
        self.p.send_signal(measure.signal.SIGCONT)
        ip("link set lte down")


class WireGuard:
    """It keeps to the interface and address it sent on last until a route to
    another interface is added. Without one it does not come back: that counts
    as the limit."""
    name = "wireguard-go"
    stays_away = True

    def before(self):
        pass

    def start(self):
        ip("link set wgc up", "route replace 10.9.0.0/24 dev wgc")
        peer = subprocess.run(["wg", "show", "wgc", "peers"], check=True,
                              capture_output=True, text=True).stdout.strip()
        subprocess.run(["wg", "set", "wgc", "peer", peer, "endpoint",
                        "203.0.113.1:51820"], check=True)

    def check(self):
        pass

    def stop(self):
        ip("link set wgc down")


class StrongSwan(Charon):
    stays_away = False

    def before(self):
        pass

    def check(self):
        out = self.ctl("--list-sas").stdout
        if len(re.findall(r"#\d+, ESTABLISHED", out)) != 1:
            raise Failed("charon: " + out[:200])


def roam(who, change, prepare):
    def play():
        prepare()
        who.start()
        echo = Echo(who)
        time.sleep(0.3)
        who.before()
        r = echo.after(change)
        time.sleep(0.3)
        who.check()
        who.stop()
        home()
        return r
    return play


def wake(who):
    def play():
        who.start()
        echo = Echo(who)
        who.before()
        r = echo.after(who.wake)
        time.sleep(0.3)
        who.check()
        who.stop()
        home()
        return r
    return play


def set_rtt(ms):
    with open(os.environ["RELAY_CTL"], "w") as f:
        f.write("rtt %s\n" % ms)
    time.sleep(0.1)


def bench(table, runs):
    charon, wg = StrongSwan("eap"), WireGuard()
    ours = {"mobike": Roamer("eap", "mobike"),
            "resume": Roamer("still", "resumed"),
            "lost SA": Forgotten("eap", "resumed", False),
            "lost SA, told": Forgotten("eap", "resumed", True)}
    for rtt in os.environ["BENCH_RTTS"].split():
        set_rtt(rtt)
        for case, change, prepare in (
                ("link gone", link_gone, lambda: None),
                ("network new", network_new, no_route),
                ("renumbered", renumbered, lambda: other_link("down"))):
            r = measure.interleave(
                runs, [(k, roam(p, change, prepare)) for k, p in ours.items()] +
                [("charon", roam(charon, change, prepare)),
                 ("wg", roam(wg, change, prepare))])
            for k in ours:
                label = "rtt %s, %s, %s" % (rtt, case, k)
                table.rows(label, r[k], r["charon"], "charon")
                table.rows(label, r[k], r["wg"], wg.name)
        r = measure.interleave(runs, [("ours", wake(Sleeper("eap",
                                                            "resumed")))])
        table.alone("rtt %s, woken, lost SA" % rtt, r["ours"])


if __name__ == "__main__":
    try:
        bench(Table("roam", "--json" in sys.argv), int(sys.argv[1]) or 5)
    except Failed as e:
        sys.exit("bench: %s" % e)
