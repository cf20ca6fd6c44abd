#!/usr/bin/python3
"""A network's sign-in page and the page of known content behind it, as one
small HTTP server on each address given.

    portal.py FILE ADDRESS...    while FILE exists the network is closed: every
                                 request is sent to http://signin.lab/; else
                                 an empty page. A line for each request.
"""
import http.server
import os
import sys
import threading

flag = sys.argv[1]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        closed = os.path.exists(flag)
        print("closed" if closed else "open", self.client_address[0],
              self.headers["Host"], self.path, flush=True)
        self.send_response(302 if closed else 204)
        if closed:
            self.send_header("Location", "http://signin.lab/?to=" + self.path)
        self.end_headers()

    def log_message(self, *args):
        pass


servers = [http.server.HTTPServer((a, 80), Page) for a in sys.argv[2:]]
for s in servers:
    threading.Thread(target=s.serve_forever).start()
print("ready", flush=True)
