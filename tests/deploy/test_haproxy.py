"""deploy/haproxy/haproxy.cfg as it is, but for the ports, before three servers: one is killed under load, and comes back.
Needs haproxy; run by tools/test-deploy."""

import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "http"))
from running_server import RunningServer, SLOWER, bits, wait_until  # noqa: E402

FRONT, SERVERS = 8430, (8431, 8432, 8433)  # in the configuration
N_CLIENTS = 16
WORDS = "the small grey cat sat upon a mat and dog looked on at every bird".split()


def free_ports(n):
    """Ports to bind one by one: also for a server that is started again."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def texts_of(seed):
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=generator.randint(1, 120)))
            for _ in range(generator.choice([1, 1, 2, 40]))]


class Server(RunningServer):
    def __init__(self, port):
        super().__init__(env={"EMBEDD_DRAIN_MS": str(5000 * SLOWER)}, port=port)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.collector.join(5)


class Clients:
    """N_CLIENTS that never stop asking while the block runs, each over one connection that is never made again."""

    def __init__(self, port, golden):
        self.port, self.golden = port, golden
        self.failures, self.n_done, self.ended = [], [0] * N_CLIENTS, threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(i,)) for i in range(N_CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def ask(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60 * SLOWER)
        generator = random.Random(number)
        try:
            while not self.ended.is_set():
                seed = generator.randrange(len(self.golden))
                connection.request("POST", "/embed", json.dumps({"texts": texts_of(seed)}),
                                   {"Host": "embeddings.example"})
                response = connection.getresponse()
                body = response.read()
                assert response.status == 200, (response.status, body[:200])
                assert [bits(v) for v in json.loads(body)["vectors"]] == self.golden[seed], "other bits"
                assert not response.will_close
                self.n_done[number] += 1
        except Exception as failure:
            self.failures.append((number, repr(failure)))
        connection.close()

    def wait_for(self, n_more):
        n = sum(self.n_done) + n_more
        return wait_until(lambda: self.failures or sum(self.n_done) >= n, 60 * SLOWER)


class HaproxyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.stats = os.path.join(cls.folder.name, "stats")
        cls.front, *cls.ports = free_ports(4)
        with open(os.path.join(ROOT, "deploy", "haproxy", "haproxy.cfg")) as file:
            text = file.read()
        for given, used in zip((FRONT, *SERVERS), (cls.front, *cls.ports)):
            text, n = re.subn(r"(127\.0\.0\.1):%d\b" % given, r"\1:%d" % used, re.sub("#.*", "", text))
            assert n == 1, given
        cls.file = os.path.join(cls.folder.name, "haproxy.cfg")
        with open(cls.file, "w") as file:
            file.write(text)
        with open(os.path.join(cls.folder.name, "stats.cfg"), "w") as file:  # for the test only
            file.write("global\n    stats socket %s\n" % cls.stats)
        cls.servers = [Server(port) for port in cls.ports]
        cls.golden = [[bits(v) for v in cls.servers[0].embed(texts_of(seed))] for seed in range(50)]
        cls.haproxy = subprocess.Popen(["haproxy", "-db", "-f", cls.file, "-f", os.path.join(cls.folder.name, "stats.cfg")],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.haproxy.terminate()
        cls.haproxy.wait(20)
        for server in cls.servers:
            server.stop()
        cls.folder.cleanup()

    def rows(self):
        """What HAProxy says of each server, by name."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.stats)
            connection.sendall(b"show stat\n")
            lines = connection.makefile().read().lstrip("# ").splitlines()
        names = lines[0].split(",")
        rows = [dict(zip(names, line.split(","))) for line in lines[1:] if line]
        return {row["svname"]: row for row in rows if row["pxname"] == "embedds"}

    def status(self, name):
        try:
            return self.rows()[name]["status"]
        except OSError:  # not there yet
            return ""

    def served(self, name):
        return int(self.rows()[name]["hrsp_2xx"])

    def setUp(self):
        self.assertTrue(wait_until(lambda: all(self.status(name) == "UP" for name in ("one", "two", "three")), 10 * SLOWER))

    def test_debian_s_haproxy_finds_no_fault(self):
        checked = subprocess.run(["haproxy", "-c", "-f", self.file], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertNotIn("WARNING", checked.stderr)

    def test_one_is_killed_under_load_and_comes_back(self):
        for index, name in enumerate(("one", "two", "three")):
            with Clients(self.front, self.golden) as clients:
                self.assertTrue(clients.wait_for(100))
                self.servers[index].kill()
                self.assertTrue(wait_until(lambda: self.status(name) == "DOWN", 5 * SLOWER))
                self.assertTrue(clients.wait_for(200))
                before = self.served(name)
                self.servers[index] = Server(self.ports[index])
                self.assertTrue(wait_until(lambda: self.status(name) == "UP", 5 * SLOWER))
                self.assertTrue(wait_until(lambda: self.served(name) > before + 20, 20 * SLOWER))
            self.assertEqual(clients.failures, [])
            self.assertGreater(min(clients.n_done), 0)
        self.assertGreater(int(self.rows()["BACKEND"]["wretr"]), 0)  # it did cost tries, and only tries

    def test_one_that_drains_costs_no_request(self):
        with Clients(self.front, self.golden) as clients:
            self.assertTrue(clients.wait_for(100))
            self.servers[1].stop(signal.SIGTERM)
            self.assertTrue(clients.wait_for(200))
            self.servers[1] = Server(self.ports[1])
            self.assertTrue(wait_until(lambda: self.status("two") == "UP", 5 * SLOWER))
        self.assertEqual(clients.failures, [])

    def test_a_web_page_is_refused_there_too(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.front, timeout=60)
        connection.request("POST", "/embed", '{"text":"a"}', {"Origin": "https://evil.example"})
        self.assertEqual(connection.getresponse().status, 403)
        connection.close()


if __name__ == "__main__":
    unittest.main()
