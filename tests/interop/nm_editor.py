#!/usr/bin/python3
"""nm_editor.py GTK NAME-FILE PROFILE: our page as an editor uses it.

GTK is 3.0 or 4.0. Imports PROFILE, opens the page on a display, looks whether
every key of a profile has a field, edits, and reads back what is to be saved.
Prints what is wrong; exit code 1 then.
"""
import ctypes
import gc
import os
import sys

import gi

gi.require_version("Gtk", sys.argv[1])
gi.require_version("NM", "1.0")
from gi.repository import GLib, Gtk, NM  # noqa: E402

GTK3 = sys.argv[1] == "3.0"
wrong = []


def check(what, holds):
    if not holds:
        wrong.append(what)


def inside(widget):
    """The widget and all in it."""
    yield widget
    if GTK3:
        below = widget.get_children() if isinstance(widget, Gtk.Container) else []
    else:
        below, child = [], widget.get_first_child()
        while child:
            below.append(child)
            child = child.get_next_sibling()
    for child in below:
        yield from inside(child)


def settle():
    context = GLib.MainContext.default()
    while context.pending():
        context.iteration(False)


def profile_keys(plugin_path):
    """What profile_key() of the plugin says."""
    library = ctypes.CDLL(plugin_path)
    library.profile_key.restype = ctypes.c_char_p
    section = ctypes.c_char_p()
    i = 0
    while key := library.profile_key(ctypes.c_size_t(i), ctypes.byref(section)):
        yield f"{section.value.decode()}-{key.decode()}"
        i += 1


def saved(editor):
    connection = NM.SimpleConnection.new()
    editor.update_connection(connection)
    return connection.get_setting_vpn()


def refused(editor):
    try:
        saved(editor)
        return ""
    except GLib.Error as error:
        return error.message


def window_of(widget):
    if GTK3:
        window = Gtk.Window()
        window.add(widget)
        window.show()
    else:
        window = Gtk.Window()
        window.set_child(widget)
        window.present()
    settle()
    return window


def main():
    check("no display", Gtk.init_check() if not GTK3 else Gtk.init_check([])[0])
    info = NM.VpnPluginInfo.new_from_file(sys.argv[2])
    plugin = info.load_editor_plugin()
    editor = plugin.get_editor(plugin.import_(sys.argv[3]))
    changes = []
    editor.connect("changed", lambda *_: changes.append(1))
    page = editor.get_widget()
    window = window_of(page)
    for w in list(inside(page)):
        if isinstance(w, Gtk.Expander):
            w.set_expanded(True)
    settle()
    fields = {w.get_tooltip_text(): w for w in inside(page)
              if isinstance(w, Gtk.Entry) and w.get_tooltip_text()}

    for key in profile_keys(info.get_plugin()):
        check(f"no field for {key}", key in fields)
    check("the profile's gateway is not there",
          fields["gateway-address"].get_text() == "203.0.113.1")
    before = saved(editor)
    check("saved as another service", before.get_service_type()
          == "org.freedesktop.NetworkManager.vpn-connect")
    check("not persistent", before.get_persistent())

    fields["gateway-address"].set_text("vpn.example.org")
    fields["tunnel-mtu"].set_text("1380")
    settle()
    check("a change is not told", changes)
    after = saved(editor)
    check("the change is not saved",
          after.get_data_item("gateway-address") == "vpn.example.org")
    check("the fold is not saved", after.get_data_item("tunnel-mtu") == "1380")
    fields["tunnel-mtu"].set_text("77")
    message = refused(editor)
    check(f"a wrong MTU: '{message}'", message.startswith("[tunnel] mtu"))
    fields["tunnel-mtu"].set_text("")
    check("an empty field is saved",
          saved(editor).get_data_item("tunnel-mtu") is None)

    fields["identity-auth"].set_text("psk")
    settle()
    check("the certificate is shown with a key",
          not fields["identity-certificate"].get_mapped())
    check("a hidden value is saved",
          saved(editor).get_data_item("identity-user") is None)
    window.destroy()
    settle()


main()
# Ours have ended by now; how the interpreter takes GTK down is not the matter.
gc.collect()
settle()
print("\n".join(wrong), flush=True)
os._exit(bool(wrong))
