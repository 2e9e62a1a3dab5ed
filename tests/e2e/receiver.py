#!/usr/bin/env python3
"""A receiver of webhooks for the tests: receiver.py PORTFILE LOG SECRETFILE [CERT KEY]. Each event whose signature and time are right
is a line of LOG. What it does is the first word of LOG.mode: ok, fail (500), redirect, hang."""
import hashlib
import hmac
import http.server
import json
import os
import ssl
import sys
import time
from datetime import datetime, timezone

port_file, log, secret_file = sys.argv[1:4]


def mode():
    try:
        return open(log + ".mode").read().split()[0]
    except OSError:
        return "ok"


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if mode() == "hang":
            time.sleep(60)
        if mode() == "redirect":
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.end_headers()
            return
        status = 500 if mode() == "fail" else self.judge(body)
        self.send_response(status)
        self.end_headers()

    def judge(self, body):
        secret = open(secret_file, "rb").read().rstrip(b"\r\n")
        wanted = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        event = json.loads(body)
        age = datetime.now(timezone.utc) - datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        if not hmac.compare_digest(wanted, self.headers.get("X-Mailreeve-Signature", "")):
            return 403
        if abs(age.total_seconds()) > 60 or self.headers["Content-Type"] != "application/json":
            return 400
        event["path"] = self.path
        with open(log, "a") as out:
            out.write(json.dumps(event) + "\n")
        return 204

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".new", "w") as out:
    out.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
