"""The built program as a server on a free loopback port, for the tests: start, ask, stop."""
import http.client
import json
import os
import signal
import subprocess
import tempfile
import threading

PROGRAM = os.environ["EMBEDD_PROGRAM"]
DATA = os.environ["EMBEDD_TEST_DATA"]
MODELS = os.environ["EMBEDD_TEST_MODELS"]
SAN = os.environ.get("EMBEDD_SAN", "")
START_SECONDS = 120  # generous: sanitizer builds repack weights slowly


class StartError(Exception):
    """The server ended before it was ready; `code` is its exit code."""

    def __init__(self, code, log):
        super().__init__(f"exit code {code}: {log}")
        self.code, self.log = code, log


class ServerProcess:
    """with ServerProcess(folder, "--threads", "2") as server: server.post("/embed", {"texts": ["a"]})"""

    def __init__(self, model, *options, **environment):
        self.log_file = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "-m", model, "--port", "0", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.log_file, text=True, env={**os.environ, **environment})
        alarm = threading.Timer(START_SECONDS, self.process.kill)
        alarm.start()
        try:
            self.ready = self.read_ready()
        finally:
            alarm.cancel()
        self.port = self.ready["port"]

    def read_ready(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if event.get("event") == "ready":
                return event
        self.process.stdout.close()
        code = self.process.wait()
        raise StartError(code, self.log())

    def log(self):
        self.log_file.seek(0)
        return self.log_file.read()

    def connect(self, timeout=300):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        """(status, parsed body); a body that is not bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=b""):
        return self.ask("POST", path, body)

    def stop(self, how=signal.SIGTERM):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        code = self.stop()
        log = self.log()
        self.log_file.close()
        if kind is None and code != 0:
            raise AssertionError(f"the server ended with exit code {code}: {log}")
        if kind is not None:
            print(log)
