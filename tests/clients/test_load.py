"""Many clients, one server, the real all-MiniLM-L6-v2: nobody is refused, delayed or answered differently.

Run by tools/test-clients; tests/http/test_concurrency.py has the short form on a tiny model. Python's standard library
only. Times are taken while nothing else runs on the machine, or they say little."""
import base64
import json
import multiprocessing
import os
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from running_server import RunningServer, bits  # noqa: E402

MODEL = "all-MiniLM-L6-v2"
N_CLIENTS, N_REQUESTS = 64, 50
N_CONNECTIONS = 1000
N_BULK = 2048
SHORT = "A man is playing a guitar on the stage."
HEALTH_S = 0.05
N_TRIES = 3  # of a time: another program on the machine makes it longer, nothing makes it shorter


def read_rows():
    path = os.path.join(os.environ["EMBEDD_TEST_DATA"], "golden", "real", MODEL + ".jsonl")
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def percentile(times, part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def milliseconds(times):
    return "p50 %.1f, p99 %.1f, most %.1f ms" % tuple(1e3 * percentile(times, part) for part in (0.5, 0.99, 1))


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class HealthWatch:
    """Asks GET /health from a process of its own while the block runs; the times it took."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.stop = multiprocessing.Event()
        self.times = multiprocessing.Queue()
        self.process = multiprocessing.Process(target=self.watch)
        self.process.start()
        return self

    def watch(self):
        times = []
        while not self.stop.is_set():
            began = time.monotonic()
            status = self.server.get("/health").status
            times.append(time.monotonic() - began if status == 200 else float("inf"))
            time.sleep(0.02)
        self.times.put(times)

    def __exit__(self, *exception):
        self.stop.set()
        self.seconds = self.times.get()
        self.process.join()


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = read_rows()
        cls.server = RunningServer(model=os.path.join(os.environ["EMBEDD_TEST_MODELS"], MODEL))
        # Each text alone, close to the reference's vector; these bits must never change.
        cls.golden = []
        for row in cls.rows:
            vector = cls.server.embed([row["text"]])[0]
            assert max(abs(a - b) for a, b in zip(vector, row["vector"], strict=True)) < 1e-5, row["name"]
            cls.golden.append(bits(vector))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    # Every client's way of asking: the same bits.

    def embed_own(self, texts, connection):
        return [bits(v) for v in self.server.embed(texts, connection=connection)]

    def embed_ollama(self, texts, connection):
        reply = self.server.post({"model": MODEL, "input": texts}, "/api/embed", connection=connection)
        assert reply.status == 200, reply.body
        return [bits(v) for v in reply.json["embeddings"]]

    def embed_openai(self, texts, connection):
        body = {"model": MODEL, "input": texts, "encoding_format": "base64"}
        reply = self.server.post(body, "/v1/embeddings", connection=connection)
        assert reply.status == 200, reply.body
        return [base64.b64decode(item["embedding"]) for item in reply.json["data"]]

    def embed_tei(self, texts, connection):
        reply = self.server.post({"inputs": texts}, connection=connection)
        assert reply.status == 200, reply.body
        return [bits(v) for v in reply.json]

    def test_a28_64_clients_get_the_golden_bits(self):
        shorter = [1 / len(row["ids"]) for row in self.rows]  # more often, as among real texts
        ways = [self.embed_own, self.embed_ollama, self.embed_openai, self.embed_tei]
        failures, n_texts = [], [0] * N_CLIENTS

        def client(number):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)  # whoever asks does not slow what is asked
            generator, embed = random.Random(number), ways[number % len(ways)]
            try:
                connection = self.server.connect()
                for _ in range(N_REQUESTS):
                    chosen = generator.choices(range(len(self.rows)), shorter, k=generator.choice([1, 1, 2, 5]))
                    vectors = embed([self.rows[i]["text"] for i in chosen], connection)
                    assert vectors == [self.golden[i] for i in chosen], "other bits"
                    n_texts[number] += len(chosen)
                connection.close()
            except Exception as failure:
                failures.append((number, repr(failure)))

        began = time.monotonic()
        with HealthWatch(self.server) as health:
            threads = [threading.Thread(target=client, args=(number,)) for number in range(N_CLIENTS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        say("%d clients, %d requests, %d texts in %.1f s, %d failures; /health %s" % (
            N_CLIENTS, N_CLIENTS * N_REQUESTS, sum(n_texts), time.monotonic() - began, len(failures),
            milliseconds(health.seconds)))
        self.assertEqual(failures, [])
        self.assertLess(percentile(health.seconds, 0.9), HEALTH_S)  # 64 clients need the cores, too

    def test_a29_1000_connections_at_once(self):
        body = json.dumps({"texts": [SHORT]}).encode()
        golden = bits(self.server.embed([SHORT])[0])
        answered = {200: 0, 429: 0}
        for reply in self.server.at_once(body, N_CONNECTIONS):
            status = int(reply.split(None, 2)[1])
            answered[status] += 1
            head, _, rest = reply.partition(b"\r\n\r\n")
            if status == 200:
                self.assertEqual(bits(json.loads(rest)["vectors"][0]), golden)
            else:
                self.assertIn(b"\r\nRetry-After: ", head)
        say("%d connections at once: %d are served, %d told to come again" % (
            N_CONNECTIONS, answered[200], answered[429]))
        self.assertEqual(sum(answered.values()), N_CONNECTIONS)
        self.assertGreater(answered[200], N_CONNECTIONS // 4)

    def test_a32_one_text_beside_2048(self):
        texts = [row["text"] for row in self.rows if 10 < len(row["ids"]) < 128]
        bulk = json.dumps({"texts": [texts[i % len(texts)] for i in range(N_BULK)]})
        body = json.dumps({"texts": [SHORT]})
        connection = self.server.connect()
        sizes = []

        def ask():
            began = time.monotonic()
            self.assertEqual(self.server.post(body, connection=connection).status, 200)
            took = time.monotonic() - began
            time.sleep(0.01)
            return took

        for _ in range(N_TRIES):
            idle, busy = [ask() for _ in range(300)], []
            thread = threading.Thread(target=lambda: sizes.append(len(self.server.post(bulk).body)))  # not parsed here
            with HealthWatch(self.server) as health:
                thread.start()
                time.sleep(0.3)
                while thread.is_alive():
                    busy.append(ask())
                thread.join()
            say("one text: idle %s; beside %d texts: %s (%d times); /health %s" % (
                milliseconds(idle), N_BULK, milliseconds(busy), len(busy), milliseconds(health.seconds)))
            self.assertGreater(sizes[-1], N_BULK * 384 * 8)
            self.assertGreater(len(busy), 100)
            if (percentile(busy, 0.99) <= 4 * percentile(idle, 0.99) and
                    percentile(health.seconds, 0.99) < HEALTH_S):
                connection.close()
                return
        self.fail("one text is late")


if __name__ == "__main__":
    unittest.main()
