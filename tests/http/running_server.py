"""A server for the tests of this folder: started, asked, stopped. Python's standard library only."""

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

PROGRAM = os.environ["EMBEDD_PROGRAM"]
GOLDEN = os.path.join(os.environ["EMBEDD_TEST_DATA"], "golden")
SANITIZED = bool(os.environ.get("EMBEDD_SAN"))
SLOWER = 10 if SANITIZED else 1  # times are this much longer under a sanitizer


def model_folder(name="bert-mean-norm"):
    return os.path.join(GOLDEN, name)


def golden_rows(name="bert-mean-norm", file="expected.jsonl"):
    with open(os.path.join(model_folder(name), file), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def bits(vector):
    """The float32 numbers of a vector, as bytes."""
    return struct.pack("<%df" % len(vector), *vector)


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]


class StartError(AssertionError):
    """The server ended before it was ready."""

    def __init__(self, code, errors):
        super().__init__("no ready line; exit code %d\n%s" % (code, errors))
        self.code = code


class RunningServer:
    """`with RunningServer() as server:`; `model` is one, or a list of them; `env` replaces variables,
    None removes one; `before` is a program that starts it."""

    def __init__(self, *arguments, model="bert-mean-norm", port=0, before=(), env=None,
                 **popen):
        self.environment = dict(os.environ)
        for name in list(self.environment):
            if name.startswith("EMBEDD_") and name != "EMBEDD_CPU":
                del self.environment[name]
        self.environment["EMBEDD_CACHE"] = "off"
        self.environment.update(env or {})
        self.command = [*before, PROGRAM, "serve", "--port", str(port), *arguments]
        for name in [model] if isinstance(model, str) else model:  # several, or none
            is_name = os.path.isabs(name) or ":" in name  # "ollama:NAME"
            self.command += ["-m", name if is_name else model_folder(name)]
        self.errors = []
        self.collector = None
        popen.setdefault("stderr", subprocess.PIPE)
        popen.setdefault("stdin", subprocess.DEVNULL)
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, env=self.environment,
                                        **popen)
        if popen["stderr"] == subprocess.PIPE:
            self.collector = threading.Thread(target=self._collect_errors, daemon=True)
            self.collector.start()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.process.stdout.close()
            if self.collector:
                self.collector.join(5)
            raise StartError(self.process.returncode, "".join(self.errors))
        self.ready = json.loads(line)
        self.port = self.ready["port"]
        self.pid = self.process.pid

    def _collect_errors(self):
        with self.process.stderr as lines:
            for line in lines:
                self.errors.append(line.decode("utf-8", "replace"))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self, number=signal.SIGTERM, limit_s=20):
        """The exit code. A sanitizer's report makes it one that is not 0."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
            if self.collector:
                self.collector.join(5)
        if code != 0:
            raise AssertionError("exit code %d\n%s" % (code, "".join(self.errors[-200:])))
        return code

    # ---- asking ---------------------------------------------------------------------------------

    def connect(self, timeout=300):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, connection=None):
        own = connection is None
        connection = connection or self.connect()
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        reply = Reply(response.status, response.headers, response.read())
        if own:
            connection.close()
        return reply

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, body, path="/embed", **options):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        return self.request("POST", path, body, **options)

    def embed(self, texts, connection=None, **fields):
        """The vectors, or an AssertionError."""
        reply = self.post({"texts": texts, **fields}, connection=connection)
        if reply.status != 200:
            raise AssertionError("%d %s" % (reply.status, reply.body[:300]))
        vectors = reply.json["vectors"]
        if len(vectors) != len(texts):
            raise AssertionError("%d vectors for %d texts" % (len(vectors), len(texts)))
        return vectors

    def raw(self, data, timeout=10.0, pieces=None, pause=0.0):
        """Sends bytes as they are and reads until the server closes or is silent for `timeout`.
        Returns (bytes, closed)."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.settimeout(timeout)
            received = b""
            try:
                if pieces:
                    for at in range(0, len(data), pieces):
                        connection.sendall(data[at:at + pieces])
                        time.sleep(pause)
                else:
                    connection.sendall(data)
                while True:
                    piece = connection.recv(1 << 20)
                    if not piece:
                        return received, True
                    received += piece
            except socket.timeout:
                return received, False
            except (ConnectionResetError, BrokenPipeError):
                return received, True

    def at_once(self, body, n, timeout=120):
        """The whole replies, as bytes, to the same request on n connections that are open together;
        one that is reset is an exception."""
        request = (b"POST /embed HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        sockets = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(n)]
        for connection in sockets:
            connection.sendall(request)
        for connection in sockets:
            connection.settimeout(timeout)
            reply = b""
            while piece := connection.recv(1 << 16):
                reply += piece
            connection.close()
            yield reply

    # ---- looking --------------------------------------------------------------------------------

    def open_files(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def threads(self):
        return len(os.listdir("/proc/%d/task" % self.pid))

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.pid) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def work_seconds(self):
        """As cpu_seconds, to the nanosecond; of the threads that live."""
        return sum(self.thread_work().values()) / 1e9

    def thread_work(self):
        """Nanoseconds on a core, by thread."""
        work = {}
        for thread in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/schedstat" % (self.pid, thread)) as file:
                work[int(thread)] = int(file.read().split()[0])
        return work

    def memory(self, *names):
        """Bytes, of lines of /proc/PID/status: anonymous memory and swap by default."""
        names = names or ("RssAnon", "VmSwap")
        total = 0
        with open("/proc/%d/status" % self.pid) as file:
            for line in file:
                name, _, value = line.partition(":")
                if name in names:
                    total += int(value.split()[0]) * 1024
        return total


def wait_until(condition, limit_s=10.0, tick_s=0.02):
    """True as soon as the condition holds, False if it does not within the limit."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(tick_s)
    return bool(condition())


class ServerTest(unittest.TestCase):
    """One server for all tests of a class; `arguments` and `options` are RunningServer's."""

    arguments, options = (), {}

    @classmethod
    def setUpClass(cls):
        cls.server = RunningServer(*cls.arguments, **cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()


class SteadyServerTest(ServerTest):
    """After every case: the same process, ready, with the same bits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ping = bits(cls.server.embed(["ping"])[0])

    def tearDown(self):
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.server.get("/health").status, 200)
        self.assertEqual(bits(self.server.embed(["ping"])[0]), self.ping)
