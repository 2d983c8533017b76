#!/usr/bin/env python3
"""Serves a folder by ranges on a free port, which it prints; the bytes of each answer go to a log, one number a line.

    range_log.py FOLDER LOG
"""
import http.server, os, re, sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = os.path.join(sys.argv[1], os.path.basename(self.path.split("?")[0]))
        if not os.path.isfile(path):
            self.send_error(404)
            return
        size = os.path.getsize(path)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) or re.fullmatch("()()", "")
        start, end = int(asked[1] or 0), min(int(asked[2] or size - 1), size - 1)
        with open(path, "rb") as file:
            file.seek(start)
            body = file.read(end + 1 - start)
        self.send_response(206 if asked[1] else 200)
        self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{size:x}"')
        self.end_headers()
        self.wfile.write(body)
        with open(sys.argv[2], "a") as log:
            log.write(f"{len(body)}\n")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
