"""A hub on loopback, for the tests of `embedd pull`: the layout of huggingface.co, and its faults.

It answers what huggingface.co answers: a listing with sizes and checksums, a redirect to storage for
large files (there on another host), X-Error-Code with refusals. What it was asked is kept in `asked`.
"""
import hashlib
import http.server
import json
import os
import threading

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 100_000  # bytes: from here on a file counts as stored with Git LFS


def git_blob_name(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class SmallHub:
    """`files` maps names to bytes. Use as a context manager; `url` is the endpoint."""

    def __init__(self, files, name="acme/tiny", commit=COMMIT):
        self.files = dict(files)
        self.name = name
        self.commit = commit
        self.asked = []  # (path, headers) in order
        self.statuses = {}  # path's end -> list of (status, headers), used up one by one
        self.cut = {}  # file -> list of byte counts after which the connection ends
        self.held = {}  # file -> (byte count, event): what follows is sent after the event
        self.wrong = {}  # file -> bytes that are sent instead
        self.ignore_range = False
        self.listing_changes = None  # a function that changes the listing
        self.storage = None  # another SmallHub's url: large files are redirected there
        self.redirect = None  # (path's end, target) of one more redirect

    def __enter__(self):
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_GET(self):
                hub.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that goes away in the middle is part of the tests

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def asked_for(self, end):
        return [(path, headers) for path, headers in self.asked if path.split("?")[0].endswith(end)]

    def listing(self):
        siblings = []
        for name, data in self.files.items():
            sibling = {"rfilename": name, "size": len(data), "blobId": git_blob_name(data)}
            if len(data) >= LARGE:
                sibling["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
                                  "pointerSize": 134}
                sibling["blobId"] = "1" * 40  # of the pointer, not of the file
            siblings.append(sibling)
        listing = {"_id": "x", "id": self.name, "sha": self.commit, "private": False,
                   "gated": False, "siblings": siblings}
        if self.listing_changes:
            self.listing_changes(listing)
        return json.dumps(listing).encode()

    def answer(self, request):
        self.asked.append((request.path, dict(request.headers)))
        path = request.path.split("?")[0]
        for end, answers in self.statuses.items():
            if path.endswith(end) and answers:
                status, headers = answers.pop(0)
                self.send(request, status, headers, b"no")
                return
        if self.redirect and path.endswith(self.redirect[0]):
            self.send(request, 302, {"Location": self.redirect[1]}, b"elsewhere")
        elif path in ("/api/models/%s/revision/%s" % (self.name, revision)
                      for revision in ("main", self.commit, "refs%2Fpr%2F1")):
            self.send(request, 200, {"Content-Type": "application/json"}, self.listing())
        elif path.startswith("/api/models/"):
            self.send(request, 401, {"X-Error-Code": "RepoNotFound",
                                     "X-Error-Message": "Invalid username or password."}, b"no")
        else:
            self.answer_file(request, path)

    def answer_file(self, request, path):
        resolve = "/%s/resolve/%s/" % (self.name, self.commit)
        cached = "/api/resolve-cache/models/%s/%s/" % (self.name, self.commit)
        if path.startswith(resolve):
            name = path[len(resolve):]
            if name not in self.files:
                self.send(request, 404, {"X-Error-Code": "EntryNotFound"}, b"no")
            elif len(self.files[name]) < LARGE:
                self.send(request, 307, {"Location": cached + name + "?etag=%22x%22"}, b"moved")
            elif self.storage:
                self.send(request, 302, {"Location": self.storage + "/storage/" + name}, b"found")
            else:
                self.send_file(request, name)
        elif path.startswith(cached) and path[len(cached):] in self.files:
            self.send_file(request, path[len(cached):])
        elif path.startswith("/storage/") and path[len("/storage/"):] in self.files:
            self.send_file(request, path[len("/storage/"):])
        else:
            self.send(request, 404, {}, b"no")

    def send(self, request, status, headers, body):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def send_file(self, request, name):
        data = self.wrong.get(name, self.files[name])
        begin = 0
        asked = request.headers.get("Range")
        if asked and not self.ignore_range:
            begin = int(asked[len("bytes="):].rstrip("-"))
            if begin >= len(data):
                self.send(request, 416, {"Content-Range": "bytes */%d" % len(data)}, b"")
                return
        body = data[begin:]
        request.send_response(206 if begin else 200)
        if begin:
            request.send_header("Content-Range", "bytes %d-%d/%d" % (begin, len(data) - 1, len(data)))
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.cut.get(name):
            body = body[:self.cut[name].pop(0)]
            request.close_connection = True
        if name in self.held:
            n_bytes, event = self.held[name]
            request.wfile.write(body[:n_bytes])
            event.wait(60)
            body = body[n_bytes:]
        request.wfile.write(body)


def read_folder(folder):
    """All files below `folder` as a map from name to bytes."""
    files = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, folder).replace(os.sep, "/")] = file.read()
    return files
