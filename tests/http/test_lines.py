"""POST /embed with Accept: application/x-ndjson: a line for each text, sent when it is computed."""

import http.client
import json
import socket
import threading
import time
import unittest

from running_server import RunningServer, SANITIZED, SLOWER, ServerTest, bits, golden_rows, wait_until

LINES = {"Accept": "application/x-ndjson"}
MANY = 1 if SANITIZED else 3  # long requests are so much longer


class LinesTest(ServerTest):
    def lines(self, body, server=None, connection=None):
        reply = (server or self.server).post(body, headers=LINES, connection=connection)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/x-ndjson")
        return [json.loads(line) for line in reply.body.splitlines()]

    def check(self, texts, lines):
        *rows, last = lines
        own = self.server.post({"texts": texts}).json
        self.assertEqual([row["index"] for row in rows], list(range(len(texts))))
        self.assertEqual([bits(row["vector"]) for row in rows], [bits(v) for v in own["vectors"]])
        self.assertEqual(last, {"done": True, "model": own["model"], "dim": own["dim"], "usage": own["usage"],
                                "truncated": own["truncated"]})
        self.assertEqual([{"index": r["index"], "tokens_used": r["tokens_used"], "tokens_total": r["tokens_total"]}
                          for r in rows if r["tokens_used"] < r["tokens_total"]], own["truncated"])
        self.assertEqual(sum(row["tokens_used"] for row in rows), own["usage"]["tokens"])

    def test_the_vectors_are_the_same_bits(self):
        texts = [row["text"] for row in golden_rows()] * MANY
        for field in ("texts", "inputs"):
            self.check(texts, self.lines({field: texts}))
        self.check(["one"], self.lines({"text": "one"}))
        self.check([], self.lines({"texts": []}))

    def test_one_connection_many_times(self):
        connection = self.server.connect()
        for n in (1, 100 * MANY, 2, 150 * MANY):
            texts = ["text %d" % i for i in range(n)]
            self.check(texts, self.lines({"texts": texts}, connection=connection))
        connection.close()

    def test_many_clients_at_once(self):
        texts = ["%d %s" % (i, "word " * (i % 40)) for i in range(60 * MANY)]
        done = []

        def ask():
            self.check(texts, self.lines({"texts": texts}))
            done.append(True)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(done), 12)

    def test_a_refusal_has_a_status(self):
        for body, status in (({"texts": [1]}, 400), ({}, 400), ({"texts": ["a"], "encoding": "int8"}, 400),
                             ({"texts": ["a", "word " * 500], "truncate": False}, 422)):
            reply = self.server.post(body, headers=LINES)
            self.assertEqual(reply.status, status)
            self.assertEqual(reply.headers["Content-Type"], "application/json")
            self.assertIn("message", reply.json["error"])

    def start(self, texts):
        connection = socket.create_connection(("127.0.0.1", self.server.port))
        body = json.dumps({"texts": texts}).encode()
        connection.sendall(b"POST /embed HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return connection

    def test_lines_come_before_the_end(self):
        with self.start(["%d %s" % (i, "word " * 120) for i in range(200 * MANY)]) as connection:
            connection.settimeout(60 * SLOWER)
            first = connection.recv(4096)
            self.assertIn(b"200 OK", first)
            busy = self.server.get("/info").json["queue"]["requests"]
            received = first
            while not received.endswith(b"\r\n0\r\n\r\n"):
                piece = connection.recv(1 << 20)
                self.assertTrue(piece)
                received += piece
            self.assertIn(b'"done":true', received)
        self.assertEqual(busy, 1)

    def test_a_client_that_goes_away(self):
        for n_read in (0, 1, 4096, 30000):
            connection = self.start(["%d %s" % (i, "word " * 120) for i in range(100 * MANY)])
            while n_read > 0:
                piece = connection.recv(n_read)
                self.assertTrue(piece)
                n_read -= len(piece)
            connection.close()
        self.assertTrue(wait_until(lambda: self.server.get("/info").json["queue"]["requests"] == 0, 20 * SLOWER))
        self.check(["still there"], self.lines({"texts": ["still there"]}))

    def test_a_drain_ends_the_lines(self):
        texts = ["%d %s" % (i, "word " * 120) for i in range(400 * MANY)]
        with RunningServer(env={"EMBEDD_DRAIN_MS": "100"}) as server:
            got = []

            def ask():
                connection = server.connect()
                try:
                    got.append(server.post({"texts": texts}, headers=LINES, connection=connection))
                except (OSError, http.client.HTTPException) as error:
                    got.append(error)
                connection.close()

            thread = threading.Thread(target=ask)
            thread.start()
            wait_until(lambda: server.get("/info").json["queue"]["requests"] == 1, 20 * SLOWER)
            time.sleep(0.2)
            server.stop(limit_s=30 * SLOWER)
            thread.join(30 * SLOWER)
            self.assertEqual(len(got), 1)


if __name__ == "__main__":
    unittest.main()
