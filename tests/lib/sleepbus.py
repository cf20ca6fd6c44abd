#!/usr/bin/python3
"""What systemd-logind needs beside it on a bus without systemd: a manager that
"starts" suspend.target, and a polkit that answers as login1's policy says.

    sleepbus.py LOG SLEEP_MS    writes a line for each call; a started unit is
                                done after SLEEP_MS (the machine "slept")
"""
import os
import sys
import time
import xml.etree.ElementTree

from gi.repository import Gio, GLib

POLICY = "/usr/share/polkit-1/actions/org.freedesktop.login1.policy"
XML = """<node>
<interface name="org.freedesktop.systemd1.Manager">
 <method name="Subscribe"/>
 <method name="StartUnit"><arg type="s" direction="in"/>
  <arg type="s" direction="in"/><arg type="o" direction="out"/></method>
 <signal name="JobRemoved"><arg type="u"/><arg type="o"/><arg type="s"/>
  <arg type="s"/></signal>
</interface>
<interface name="org.freedesktop.systemd1.Unit">
 <property name="LoadState" type="s" access="read"/>
</interface>
<interface name="org.freedesktop.PolicyKit1.Authority">
 <method name="CheckAuthorization"><arg type="(sa{sv})" direction="in"/>
  <arg type="s" direction="in"/><arg type="a{ss}" direction="in"/>
  <arg type="u" direction="in"/><arg type="s" direction="in"/>
  <arg type="(bba{ss})" direction="out"/></method>
</interface></node>"""
SYSTEMD = "/org/freedesktop/systemd1"
POLKIT = "/org/freedesktop/PolicyKit1/Authority"
UNIT = SYSTEMD + "/unit/suspend_2etarget"
JOB = SYSTEMD + "/job/%d"
jobs = 0


def log(*words):
    with open(sys.argv[1], "a") as f:
        print("%.3f" % time.time(), *words, file=f)


def allowed(action):
    """allow_any of the policy that logind brings."""
    root = xml.etree.ElementTree.parse(POLICY).getroot()
    for a in root.iter("action"):
        if a.get("id") == action:
            return a.find("defaults/allow_any").text == "yes"
    return False


def call(bus, sender, path, interface, method, args, invocation):
    if method == "Subscribe":
        invocation.return_value(None)
    elif method == "CheckAuthorization":
        yes = allowed(args[1])
        log("polkit", args[1], yes)
        invocation.return_value(GLib.Variant("((bba{ss}))", ((yes, False, {}),)))
    else:
        global jobs
        jobs += 1
        log("start", args[0])
        invocation.return_value(GLib.Variant("(o)", (JOB % jobs,)))
        GLib.timeout_add(int(sys.argv[2]), done, bus, args[0], jobs)


def done(bus, unit, job):
    log("done", unit)
    bus.emit_signal(None, SYSTEMD, "org.freedesktop.systemd1.Manager",
                    "JobRemoved",
                    GLib.Variant("(uoss)", (job, JOB % job, unit, "done")))


bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
manager, unit, polkit = Gio.DBusNodeInfo.new_for_xml(XML).interfaces
bus.register_object(SYSTEMD, manager, call, None, None)
bus.register_object(UNIT, unit, None, lambda *_: GLib.Variant("s", "loaded"), None)
bus.register_object(POLKIT, polkit, call, None, None)
for name in "org.freedesktop.systemd1", "org.freedesktop.PolicyKit1":
    Gio.bus_own_name_on_connection(bus, name, 0, None, None)
log("ready", os.getpid())
GLib.MainLoop().run()
