#!/usr/bin/env python3
"""An HTTP server for tests that answers well and badly, as the path says:

    /ok  /echo  /status/404  /binary  /gzip  /text     an answer
    /flaky/NAME/2        503 with Retry-After, two times, then 200
    /delay/300           200 after so many milliseconds
    /held?FOLDER         makes `spawned` there, and answers when there is no `hold`
    /hang  /drip         no answer; one that never ends
    /huge  /endless      longer than is taken, its length told or not
    /close  /half  /noise    no answer; one that breaks off; no HTTP
    /redirect/3  /to?URL     302, three times and then /ok; 302 to that address
    /log                 the requests so far, as a JSON list

usage: http_server.py [--tls FOLDER]

Prints its port and serves until its standard input ends. With --tls it makes a certificate for
localhost in FOLDER/cert.pem, signed by nobody but itself, and speaks https.
"""

import gzip
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOG = []
SEEN = {}
LOCK = threading.Lock()
HUGE = 5 * 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """One request; `serve_<first part of the path>` answers it."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass

    def answer(self, status, body=b"", kind="text/plain", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value, status=200):
        self.answer(status, json.dumps(value).encode(), "application/json")

    def handle_one(self):
        size = int(self.headers.get("Content-Length") or 0)
        request = {"method": self.command, "path": self.path, "headers": dict(self.headers),
                   "body": self.rfile.read(size).decode()}
        path, _, query = self.path.partition("?")
        name, *words = path.strip("/").split("/")
        if name != "log":
            with LOCK:
                LOG.append(request)
        try:
            getattr(self, f"serve_{name}")(request, query, *words)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_one

    def serve_ok(self, _request, _query):
        self.answer_json({"state": "done", "rows": [{"id": 7, "a/b": "c"}], "no": False})

    def serve_text(self, _request, _query):
        self.answer(200, "first line\nsecond line: grüße\n".encode())

    def serve_echo(self, request, _query, *_words):
        self.answer_json(request)

    def serve_status(self, _request, _query, status):
        self.answer(int(status), f"why {status}\nsecond line\n".encode())

    def serve_binary(self, _request, _query):
        self.answer(200, bytes(range(256)), "application/octet-stream")

    def serve_gzip(self, _request, _query):
        self.answer(200, gzip.compress(b'{"packed": true}'), "application/json",
                    Content_Encoding="gzip")

    def serve_flaky(self, _request, _query, name, times):
        with LOCK:
            SEEN[name] = SEEN.get(name, 0) + 1
            bad = SEEN[name] <= int(times)
        if bad:
            self.answer(503, b"not now", Retry_After="1")
        else:
            self.answer_json({"tries": SEEN[name]})

    def serve_delay(self, _request, _query, milliseconds):
        time.sleep(int(milliseconds) / 1000)  # the server's own slowness
        self.answer_json({"late": True})

    def serve_held(self, _request, folder):
        (Path(folder) / "spawned").write_text("x\n", encoding="utf-8")
        while (Path(folder) / "hold").exists():
            time.sleep(0.01)
        self.answer_json({"held": True})

    def serve_hang(self, _request, _query):
        self.close_connection = True
        self.rfile.read(1)  # until the client goes

    def serve_drip(self, _request, _query):
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"drop\n")
            time.sleep(0.05)

    def serve_huge(self, _request, _query):
        self.answer(200, b"x" * HUGE)

    def serve_endless(self, _request, _query):
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"x" * 65536)

    def serve_close(self, _request, _query):
        self.close_connection = True

    def serve_half(self, _request, _query):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"only this")

    def serve_noise(self, _request, _query):
        self.close_connection = True
        self.wfile.write(b"220 mail.example.org ESMTP\r\n")

    def serve_redirect(self, _request, _query, left):
        target = "/ok" if left == "0" else f"/redirect/{int(left) - 1}"
        self.answer(302, b"", Location=target)

    def serve_to(self, _request, query):
        self.answer(302, b"", Location=urllib.parse.unquote(query))

    def serve_log(self, _request, _query):
        with LOCK:
            self.answer_json(list(LOG))


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context


class Server(ThreadingHTTPServer):
    """Clients that go in the middle are what some tests are about."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    if sys.argv[1:2] == ["--tls"]:
        server.socket = make_certificate(sys.argv[2]).wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
