"""Many clients at once, clients that go away, and overload."""

import contextlib
import ctypes
import json
import os
import random
import resource
import socket
import struct
import threading
import time
import unittest

from running_server import RunningServer, SANITIZED, SLOWER, ServerTest, bits, wait_until

WORDS = "the small grey cat sat upon a mat and dog looked on at every bird".split()


def text_of(seed, n_words):
    generator = random.Random(seed)
    return " ".join(generator.choice(WORDS) for _ in range(n_words))


def run_threads(targets):
    """Runs them all; the first exception is raised here."""
    failures = []

    def guarded(target):
        try:
            target()
        except BaseException as failure:  # shown by the main thread
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class StoppedThread:
    """One thread of a server does nothing while the block runs; the others do not notice: where it
    would stop with a lock in its hand, it goes on and is stopped a little later."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
    ANY_THREAD = 0x40000000

    def __init__(self, server, thread):
        self.server = server
        self.thread = thread
        self.library = ctypes.CDLL(None, use_errno=True)

    def trace(self, request):
        if self.library.ptrace(request, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def others_go_on(self):
        """A request comes as far as the queue, and the next one is answered."""
        with contextlib.closing(self.server.connect()) as waiting, \
             contextlib.closing(self.server.connect(0.3 * SLOWER)) as connection:
            waiting.request("POST", "/embed", '{"texts": ["a probe"]}')
            time.sleep(0.05 * SLOWER)
            try:
                return self.server.get("/health", connection=connection).body != b""
            except TimeoutError:
                return False

    def __enter__(self):
        for _ in range(20):
            self.trace(self.SEIZE)
            self.trace(self.INTERRUPT)
            os.waitpid(self.thread, self.ANY_THREAD)
            if self.others_go_on():
                return
            self.trace(self.DETACH)
            time.sleep(0.003)
        raise AssertionError("the thread always stops with a lock")

    def __exit__(self, *exception):
        self.trace(self.DETACH)


class ConcurrencyTest(ServerTest):
    def setUp(self):
        self.server.embed(["warm", "up"])
        self.assertTrue(wait_until(self.idle))
        self.files = self.server.open_files()
        self.threads = self.server.threads()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.server.get("/health").status, 200)
        self.assertTrue(wait_until(lambda: self.server.open_files() <= self.files),
                        (self.server.open_files(), self.files))
        self.assertEqual(self.server.threads(), self.threads)

    def idle(self):
        return self.server.get("/info").json["queue"] == {"requests": 0, "tokens": 0}

    def test_a28_64_clients_get_the_golden_bits(self):
        texts = [text_of(i, 1 + i * 3 % 130) for i in range(200)]
        golden = [bits(vector) for vector in self.server.embed(texts)]

        def client(seed):
            generator = random.Random(seed)
            connection = self.server.connect()
            for _ in range(50 if not SANITIZED else 10):
                chosen = [generator.randrange(200) for _ in range(generator.choice([1, 1, 2, 5]))]
                vectors = self.server.embed([texts[i] for i in chosen], connection=connection)
                assert [bits(vector) for vector in vectors] == [golden[i] for i in chosen]
            connection.close()

        run_threads([lambda seed=seed: client(seed) for seed in range(64)])

    def test_a29_1000_connections_at_once(self):
        n_clients = 1000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n_clients + 200), hard))
        body = b'{"texts":["%s"]}' % b'","'.join([text_of(1, 60).encode()] * 8)
        answered = {200: 0, 429: 0}
        for reply in self.server.at_once(body, n_clients):
            status = int(reply.split()[1])
            answered[status] += 1
            if status == 429:
                self.assertIn(b"\r\nRetry-After: ", reply)
                self.assertIn(b"\r\nx-should-retry: true\r\n", reply)
        self.assertEqual(sum(answered.values()), n_clients)
        self.assertGreater(answered[200], 100)

    def test_a29_a_full_queue_is_429(self):
        with RunningServer("--queue-tokens", "500") as server:
            n_refused = [0]

            def client(seed):
                for _ in range(20):
                    reply = server.post({"texts": [text_of(seed, 120)] * 3})
                    assert reply.status in (200, 429), reply.status
                    if reply.status == 429:
                        assert reply.code == "overloaded"
                        assert int(reply.headers["Retry-After"]) >= 1
                        n_refused[0] += 1

            run_threads([lambda seed=seed: client(seed) for seed in range(16)])
            self.assertGreater(n_refused[0], 0)
            # alone, a request larger than the queue is served
            self.assertEqual(len(server.embed([text_of(0, 100)] * 50)), 50)

    def test_a30_clients_that_go_away(self):
        before = self.server.memory()
        generator = random.Random(5)
        body = b'{"texts":["%s"]}' % b'","'.join([text_of(2, 100).encode()] * 200)
        request = (b"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" %
                   (len(body), body))
        for i in range(1000 if not SANITIZED else 100):
            connection = socket.create_connection(("127.0.0.1", self.server.port))
            if i % 2:  # RST instead of FIN
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sent = generator.choice([0, 10, 60, len(request) // 2, len(request), len(request)])
            connection.sendall(request[:sent])
            if generator.random() < 0.3:
                time.sleep(generator.random() * 0.01)
            connection.close()
        self.assertTrue(wait_until(self.idle, 5 * SLOWER))
        busy = self.server.cpu_seconds()
        time.sleep(0.5)
        self.assertLess(self.server.cpu_seconds() - busy, 0.25)
        if not SANITIZED:
            self.assertLess(self.server.memory() - before, 64 << 20)

    def test_a30_queued_work_of_a_client_that_has_gone_is_dropped(self):
        with RunningServer(model="mpnet") as server:
            body = b'{"texts":["%s"]}' % b'","'.join([text_of(3, 190).encode()] * 4000)
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: localhost\r\n"
                               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["tokens"] > 0, 20 * SLOWER, 0.005))
            connection.close()
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["requests"] == 0, 2 * SLOWER, 0.005))
            self.assertLess(server.get("/info").json["done"]["texts"], 4000)

    def test_a31_many_requests_on_one_connection(self):
        connection = self.server.connect()
        golden = bits(self.server.embed(["ping"])[0])
        for _ in range(10000 if not SANITIZED else 500):
            vector = self.server.embed(["ping"], connection=connection)[0]
        self.assertEqual(bits(vector), golden)
        connection.close()

    def test_a31_many_connections(self):
        for _ in range(10000 if not SANITIZED else 500):
            self.assertEqual(self.server.get("/health").status, 200)

    def test_a32_health_while_all_is_busy(self):
        stop = threading.Event()

        def load(texts):
            while not stop.is_set():
                self.server.embed(texts)

        def ask():
            times = []
            try:
                for _ in range(100 if not SANITIZED else 20):
                    began = time.monotonic()
                    reply = self.server.get("/health")
                    times.append(time.monotonic() - began)
                    assert reply.status == 200 and reply.json["ready"], reply.body
                    time.sleep(0.005)
            finally:
                stop.set()
            times.sort()
            assert times[len(times) * 9 // 10] < 0.05 * SLOWER, times[-10:]

        run_threads([lambda: load([text_of(4, 120)] * 4096), lambda: load([text_of(5, 30)] * 10),
                     lambda: load([text_of(6, 3)]), ask])

    def test_small_requests_do_not_wait_for_a_large_one(self):
        stop = threading.Event()
        times = []

        def bulk():
            while not stop.is_set():
                self.server.embed([text_of(7, 120)] * 3000)

        def small():
            connection = self.server.connect()
            try:
                for _ in range(30):
                    began = time.monotonic()
                    self.server.embed(["one short sentence"], connection=connection)
                    times.append(time.monotonic() - began)
            finally:
                stop.set()
                connection.close()

        run_threads([bulk, small])
        self.assertLess(sorted(times)[15], 0.05 * SLOWER, times)  # a batch takes 0.1 to 0.2

    def texts_while_greedy(self, server, headers):
        """24 large requests of one client wait: how many texts are computed, of all, until a batch
        of ten with these headers is; and its vectors."""
        body = json.dumps({"texts": [text_of(10, 100)] * 60})
        request = ("POST /embed HTTP/1.1\r\nHost: localhost\r\nUser-Agent: greedy\r\n"
                   "Content-Length: %d\r\n\r\n%s" % (len(body), body)).encode()
        greedy = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(24)]
        try:
            for connection in greedy:
                connection.sendall(request)
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["requests"] == 24, 20 * SLOWER, 0.001))
            before = server.get("/info").json["done"]["texts"]
            reply = server.post({"texts": [text_of(i, 100) for i in range(10)]}, headers=headers)
            after = server.get("/info").json["done"]["texts"]
        finally:
            for connection in greedy:
                connection.close()
        self.assertEqual(reply.status, 200)
        self.assertTrue(wait_until(
            lambda: server.get("/info").json["queue"]["requests"] == 0, 20 * SLOWER))
        return after - before, reply.json["vectors"]

    def test_a_greedy_client_does_not_starve_another(self):
        with RunningServer(model="mpnet") as server:
            golden = server.embed([text_of(i, 100) for i in range(10)])
            n_alike, vectors = self.texts_while_greedy(server, {"User-Agent": "greedy"})
            self.assertEqual(vectors, golden)
            for other in {"User-Agent": "other"}, {"User-Agent": "greedy", "X-Client-Id": "b"}:
                n_other, vectors = self.texts_while_greedy(server, other)
                self.assertEqual(vectors, golden)
                self.assertLess(n_other, n_alike / 2)

    def test_a29_a_full_queue_refuses_who_filled_it(self):
        with RunningServer("--queue-tokens", "1000", model="mpnet") as server:
            n_refused = [0]
            stop = threading.Event()

            def greedy():
                while not stop.is_set():
                    n_refused[0] += server.post({"texts": [text_of(11, 150)] * 3}).status == 429

            def other():
                try:
                    for i in range(20):
                        reply = server.post({"texts": [text_of(i, 50)] * 10},
                                            headers={"Authorization": "Bearer other"})
                        assert reply.status == 200, reply.body
                finally:
                    stop.set()

            run_threads([greedy] * 6 + [other])
            self.assertGreater(n_refused[0], 0)

    def test_a33_a_batch_that_takes_too_long_shows(self):
        with RunningServer(model="mpnet", env={"EMBEDD_STUCK_MS": "1"}) as server:
            seen = set()
            stop = threading.Event()

            def load():
                while not stop.is_set():
                    server.embed([text_of(8, 190)] * 200)

            def ask():
                until = time.monotonic() + 20 * SLOWER
                try:
                    while "stuck" not in seen and time.monotonic() < until:
                        reply = server.get("/health")
                        seen.add(reply.json["status"])
                        assert reply.json["ready"] == (reply.status == 200)
                        assert (reply.status == 503) == (reply.json["status"] == "stuck")
                finally:
                    stop.set()

            run_threads([load, ask])
            self.assertIn("stuck", seen)
            self.assertTrue(wait_until(lambda: server.get("/health").status == 200))

    def test_a33_a_worker_that_stops(self):
        """The computing thread stops in a batch for longer than others' deadline."""
        with RunningServer("--threads", "1", "--deadline", str(3 * SLOWER), model="mpnet",
                           env={"EMBEDD_STUCK_MS": str(1000 * SLOWER)}) as server:
            texts = [text_of(8, 190)] * 300
            before = server.thread_work()
            golden = server.embed(texts)
            worker = max(before, key=lambda thread: server.thread_work()[thread] - before[thread])
            replies = []

            def ask():
                replies.append(server.post({"texts": texts}))

            clients = [threading.Thread(target=ask) for _ in range(4)]
            clients[0].start()
            self.assertTrue(wait_until(lambda: server.get("/health").json["queue"]["requests"] == 1,
                                       20 * SLOWER, 0.001))
            with StoppedThread(server, worker):
                for client in clients[1:]:
                    client.start()
                stopped = time.monotonic()
                self.assertTrue(wait_until(lambda: server.get("/health").status == 503, 10 * SLOWER))
                self.assertLess(time.monotonic() - stopped, 2.5 * SLOWER)
                self.assertEqual(server.get("/health").json["status"], "stuck")
                self.assertTrue(wait_until(lambda: len(replies) >= 3, 10 * SLOWER))
                self.assertEqual([reply.status for reply in replies], [504] * 3)
            self.assertTrue(wait_until(lambda: server.get("/health").status == 200, 10 * SLOWER))
            for client in clients:
                client.join()
            self.assertEqual(len(replies), 4)
            self.assertEqual(server.embed(texts), golden)

    def test_a_deadline_is_504(self):
        with RunningServer("--deadline", "1", "--queue-tokens", "100000000", model="mpnet") as server:
            replies = []

            def client():
                replies.append(server.post({"texts": [text_of(9, 190)] * 4000}))

            run_threads([client] * 6)
            self.assertEqual({reply.status for reply in replies} - {200, 504}, set())
            late = [reply for reply in replies if reply.status == 504]
            self.assertTrue(late)
            self.assertEqual(late[0].code, "deadline_exceeded")
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["requests"] == 0, 5))

    def test_memory_does_not_grow(self):
        connection = self.server.connect()
        bodies = [[text_of(i, 1 + i % 60)] * (1 + i % 3) for i in range(100)]

        def some(n):
            for i in range(n):
                self.server.embed(bodies[i % 100], connection=connection)

        some(1000)
        before = self.server.memory()
        some(4000 if not SANITIZED else 500)
        if not SANITIZED:
            self.assertLess(self.server.memory() - before, 2 << 20)
        connection.close()


if __name__ == "__main__":
    unittest.main()
