#!/usr/bin/python3
"""The measuring half of tests/bench/run; started by it in namespace cl."""
import json
import os
import pty
import re
import select
import signal
import statistics
import subprocess
import sys
import time

S = os.environ["SCRATCH"]
CL, CLIENT, LIB = os.environ["CL"], os.environ["CLIENT"], os.environ["LIB"]
UID, PASSWORD, PKI = (os.environ["CL_UID"], os.environ["PASSWORD"],
                      os.environ["PKI"])
LIMIT_S = 20


def cpu_ms(pid):
    """CPU time of a living process, all its threads, in milliseconds."""
    return time.clock_gettime((~pid) << 3 | 2) * 1000


def family(pid):
    """pid and its descendants."""
    found = [pid]
    for p in found:
        try:
            for t in os.listdir("/proc/%d/task" % p):
                with open("/proc/%d/task/%s/children" % (p, t)) as f:
                    found += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return found


def memory_kib(pids):
    """Peak resident (VmHWM) and private memory, summed."""
    peak = private = 0
    for p in pids:
        with open("/proc/%d/status" % p) as f:
            peak += int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
        with open("/proc/%d/smaps_rollup" % p) as f:
            private += sum(int(n) for n in re.findall(
                r"Private_(?:Clean|Dirty):\s+(\d+)", f.read()))
    return {"peak_resident": peak, "private": private}


class Wire:
    """Counts what crosses the gateway's cable meanwhile."""

    def __init__(self):
        self.path = S + "/bench.jsonl"
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.p = subprocess.Popen(
            ["ip", "netns", "exec", "rt", sys.executable, LIB + "/wire.py",
             "capture", "wan", self.path])
        while not os.path.exists(self.path):
            time.sleep(0.01)
        time.sleep(0.05)

    def result(self):
        time.sleep(0.1)
        self.p.terminate()
        self.p.wait()
        out = subprocess.run([sys.executable, LIB + "/wire.py", "sum",
                              self.path], capture_output=True, text=True)
        trips, packets, octets, _ = out.stdout.split()
        return {"round_trips": float(trips), "packets": float(packets),
                "octets": float(octets)}


class Failed(Exception):
    pass


def read_until(fd, pattern, answers=()):
    """Reads until a line matches; answers prompts: (pattern, text)."""
    text, end = b"", time.monotonic() + LIMIT_S
    answers = list(answers)
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        if not data:
            break
        text += data
        if answers and re.search(answers[0][0], text):
            os.write(fd, answers.pop(0)[1])
        if re.search(pattern, text):
            return
    raise Failed(text.decode(errors="replace")[-400:])


class Ours:
    name = "vpn-connect"
    env = dict(os.environ, SUDO_UID=UID, SUDO_GID=UID, HOME=CL + "/home",
               XDG_CONFIG_HOME=CL + "/config", XDG_STATE_HOME=CL + "/state",
               XDG_RUNTIME_DIR=CL + "/run")

    def __init__(self, case):
        self.profile = case

    def start(self):
        wire = Wire()
        begun = time.monotonic()
        self.p = subprocess.Popen([CLIENT, "up", self.profile], env=self.env,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        self.begun = begun
        read_until(self.p.stdout.fileno(), rb"(?m)^connected")
        took = (time.monotonic() - begun) * 1000
        client = cpu_ms(self.p.pid)
        used = sum(cpu_ms(p) for p in family(self.p.pid))
        return dict(wire.result(), wall=took, cpu=used, client_cpu=client,
                    exchange_cpu=self.status()["cpu_us"] / 1000)

    def status(self):
        return json.loads(subprocess.run(
            [CLIENT, "status", "--json", self.profile], env=self.env,
            check=True, capture_output=True).stdout)

    def memory(self):
        """With the helper; and the client process alone."""
        return dict(memory_kib(family(self.p.pid)),
                    client_peak=memory_kib([self.p.pid])["peak_resident"])

    def verb(self, verb):
        subprocess.run([CLIENT, verb, self.profile], env=self.env,
                       check=True, stdout=subprocess.DEVNULL)
        self.p.wait(timeout=LIMIT_S)
        self.p.stdout.close()

    def stop(self):
        self.verb("down")

    def crash(self):
        children = family(self.p.pid)[1:]
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()
        while any(os.path.exists("/proc/%d" % c) for c in children):
            time.sleep(0.01)


class CharonCmd:
    name = "charon-cmd"
    words = {
        "eap": ["--identity", "eap@lab.test", "--eap-identity", "alice",
                "--cert", PKI + "/ca-ecdsa256.crt", "--profile", "ikev2-eap"],
    }

    def __init__(self, case):
        self.case = case

    def start(self):
        wire = Wire()
        env = dict(os.environ, STRONGSWAN_CONF=S + "/cmd/strongswan.conf")
        begun = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(S + "/cmd/charon-cmd", [
                "charon-cmd", "--host", "203.0.113.1", "--remote-identity",
                "gw.lab.test", "--remote-ts", "10.9.0.0/24"] +
                self.words[self.case], env)
        read_until(self.fd, rb"CHILD_SA .* established with SPIs",
                   [(rb"assword", PASSWORD.encode() + b"\n")])
        took = (time.monotonic() - begun) * 1000
        used = cpu_ms(self.pid)
        return dict(wire.result(), wall=took, cpu=used, client_cpu=used)

    def memory(self):
        m = memory_kib([self.pid])
        return dict(m, client_peak=m["peak_resident"])

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Charon:
    """The daemon, running before; swanctl tells it to connect."""
    name = "charon"

    def __init__(self, case):
        self.case = case
        with open(S + "/clss/pid") as f:
            self.pid = int(f.read())

    def ctl(self, *words):
        env = dict(os.environ, STRONGSWAN_CONF=S + "/clss/strongswan.conf",
                   SWANCTL_DIR=S + "/clss/swanctl")
        return subprocess.run(
            [S + "/clss/swanctl/bin/swanctl"] + list(words) +
            ["--uri", "unix://" + S + "/clss/vici"], env=env,
            capture_output=True, text=True)

    def start(self):
        wire = Wire()
        before, begun = cpu_ms(self.pid), time.monotonic()
        self.begun = begun
        out = self.ctl("--initiate", "--child", self.case)
        took = (time.monotonic() - begun) * 1000
        used = cpu_ms(self.pid) - before
        if "completed successfully" not in out.stdout:
            raise Failed(out.stdout[-400:] + out.stderr[-200:])
        return dict(wire.result(), wall=took, cpu=used)

    def memory(self):
        m = memory_kib([self.pid])
        return dict(m, client_peak=m["peak_resident"])

    def stop(self):
        self.ctl("--terminate", "--ike", self.case, "--force")

    crash = stop


UNITS = {"wall": "ms", "cpu": "ms", "round_trips": "", "packets": "",
         "octets": "B", "peak_resident": "KiB", "private": "KiB",
         "client_peak": "KiB",   # without the helper
         "client_cpu": "ms",     # without the helper, from exec
         "exchange_cpu": "ms",   # from the first request to the tunnel
         "first_echo": "ms",     # from exec to the first datagram come back
         "echo_trips": "RTT"}    # the same


class Table:
    def __init__(self, bench, as_json):
        self.bench, self.as_json, self.head = bench, as_json, False

    def row(self, case, metric, ours, peer, peer_name):
        """peer None: nobody to compare with."""
        a = statistics.median(ours)
        b = statistics.median(peer) if peer else None
        ratio = a / b if b else 0.0
        if self.as_json:
            row = {"bench": self.bench, "case": case, "metric": metric,
                   "unit": UNITS[metric], "ours": round(a, 2),
                   "ours_min": round(min(ours), 2),
                   "ours_max": round(max(ours), 2)}
            if peer:
                row.update(peer=round(b, 2), peer_min=round(min(peer), 2),
                           peer_max=round(max(peer), 2), peer_name=peer_name,
                           ratio=round(ratio, 3))
            print(json.dumps(dict(row, runs=len(ours))), flush=True)
            return
        line = "%-36s %-13s %-4s %24s %24s %-12s %4s %6s"
        if not self.head:
            print(line % ("case", "metric", "unit", "vpn-connect", "peer", "",
                          "runs", "ratio"))
            self.head = True

        def show(values, middle):
            return "%.1f [%.1f-%.1f]" % (middle, min(values), max(values))
        print(line % (case, metric, UNITS[metric], show(ours, a),
                      show(peer, b) if peer else "", peer_name, len(ours),
                      "%.2f" % ratio if peer else ""), flush=True)

    def rows(self, case, ours, peer, peer_name):
        for metric in ours[0]:
            if metric in peer[0]:
                self.row(case, metric, [r[metric] for r in ours],
                         [r[metric] for r in peer], peer_name)

    def alone(self, case, ours):
        for metric in ours[0]:
            self.row(case, metric, [r[metric] for r in ours], None, "")


def interleave(runs, players):
    """players: (label, function); {label: [result, ...]}. One warm-up."""
    results = {label: [] for label, _ in players}
    for i in range(runs + 1):
        for label, play in players:
            r = play()
            if i:
                results[label].append(r)
            time.sleep(0.05)
    return results


def cycle(who):
    def play():
        r = who.start()
        who.stop()
        return r
    return play


def bench_connect(table, runs):
    for case, peers in (("psk", [Charon]), ("cert", [Charon]),
                        ("eap", [Charon, CharonCmd])):
        players = [("ours", cycle(Ours(case)))]
        players += [(p.name, cycle(p(case))) for p in peers]
        r = interleave(runs, players)
        for p in peers:
            table.rows(case, r["ours"], r[p.name], p.name)


def reach(who, rtt):
    """start(), and the time from there to the first datagram that came back
    through the tunnel (echo.py), in round trips too."""
    echo = subprocess.Popen(
        [sys.executable, os.path.dirname(__file__) + "/echo.py", "client"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    print(0, file=echo.stdin, flush=True)
    r = who.start()
    echo.stdout.readline()
    text = echo.stdout.readline()
    echo.wait()
    if not text:
        raise Failed("nothing comes through the tunnel")
    r["first_echo"] = (float(text.split()[1]) - who.begun) * 1000
    if rtt:
        r["echo_trips"] = r["first_echo"] / rtt
    return r


def bench_resume(table, runs):
    """Both lose their state and come back: we with the ticket on disk."""
    for rtt in os.environ["BENCH_RTTS"].split():
        with open(os.environ["RELAY_CTL"], "w") as f:
            f.write("rtt %s\n" % rtt)
        time.sleep(0.1)
        ours, full, peer = Ours("eap"), Ours("full"), Charon("eap")
        cert = Ours("cert")
        ours.start()
        time.sleep(0.2 + float(rtt) / 500)
        ours.crash()

        def resume():
            r = reach(ours, float(rtt))
            time.sleep(0.2 + float(rtt) / 500)  # the next ticket arrives
            ours.crash()
            if r["round_trips"] != 2:
                raise Failed("not resumed: %s" % r)
            return r

        def cycle_reach(who):
            def play():
                r = reach(who, float(rtt))
                who.stop()
                return r
            return play

        r = interleave(runs, [("ours", resume), ("full", cycle_reach(full)),
                              ("cert", cycle_reach(cert)),
                              ("charon", cycle_reach(peer))])
        ours.start()
        ours.stop()
        table.rows("rtt %s ms" % rtt, r["ours"], r["charon"], "charon EAP")
        table.rows("rtt %s ms" % rtt, r["ours"], r["full"], "own EAP")
        table.rows("rtt %s ms" % rtt, r["ours"], r["cert"], "own cert")


def bench_memory(table, runs):
    def weigh(who):
        def play():
            who.start()
            time.sleep(0.2)
            r = who.memory()
            who.stop()
            return r
        return play
    r = interleave(runs, [(p.name, weigh(p("eap")))
                          for p in (Ours, Charon, CharonCmd)])
    for p in (Charon, CharonCmd):
        table.rows("one tunnel", r[Ours.name], r[p.name], p.name)


def main():
    name, runs = sys.argv[1], int(sys.argv[2])
    table = Table(name, "--json" in sys.argv)
    try:
        {"connect": lambda: bench_connect(table, runs or 15),
         "resume": lambda: bench_resume(table, runs or 10),
         "memory": lambda: bench_memory(table, runs or 5)}[name]()
    except Failed as e:
        sys.exit("bench: not connected: %s" % e)


if __name__ == "__main__":
    main()
