"""What our own replies have beside JSON: bytes, request ids, timings."""

import re
import unittest

from running_server import RunningServer, bits, golden_rows

ROW = next(row for row in golden_rows() if row["name"] == "en_short")
BYTES = {"Accept": "application/octet-stream"}


class RepliesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = RunningServer().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_bytes_are_the_same_floats(self):
        texts = [ROW["text"], "", "b", "word " * 400]
        own = b"".join(bits(v) for v in self.server.embed(texts))
        for field in ("texts", "inputs"):
            reply = self.server.post({field: texts}, headers=BYTES)
            self.assertEqual((reply.status, reply.headers["Content-Type"]),
                             (200, "application/octet-stream"))
            self.assertEqual(reply.body, own)
            self.assertEqual(int(reply.headers["X-Embedd-Dimensions"]) * 4 * len(texts), len(own))
            self.assertEqual(reply.headers["X-Embedd-Truncated"], "1")
            self.assertGreater(int(reply.headers["X-Embedd-Tokens"]), 128)
        self.assertEqual(self.server.post({"texts": []}, headers=BYTES).body, b"")

    def test_an_error_is_json_for_whoever_wanted_bytes(self):
        reply = self.server.post({"texts": [1]}, headers=BYTES)
        self.assertEqual((reply.status, reply.code), (400, "invalid_type"))
        self.assertEqual(reply.headers["Content-Type"], "application/json")

    def test_anything_else_accepted_is_json(self):
        for accept in ("*/*", "application/json", "text/html,*/*;q=0.8"):
            self.assertEqual(len(self.server.post({"texts": ["a"]}, headers={"Accept": accept})
                                 .json["vectors"]), 1)

    def test_request_ids(self):
        for given in ("abc-1", "A" * 64, "0af7651916cd43dd:8448/eb=+@_."):
            reply = self.server.post({"texts": ["a"]}, headers={"X-Request-Id": given})
            self.assertEqual(reply.headers["X-Request-Id"], given)
        made = set()
        for given in (None, "", "A" * 65, "with blank", "quote\"", "\xe9"):
            headers = {} if given is None else {"X-Request-Id": given.encode("latin-1")}
            for path in ("/health", "/nonesuch"):
                made.add(self.server.get(path, headers=headers).headers["X-Request-Id"])
        self.assertEqual(len(made), 12)
        for one in made:
            self.assertRegex(one, "^[0-9a-f]{16}$")

    def test_the_log_names_the_request(self):
        with RunningServer() as server:
            server.post({"texts": [1]}, headers={"X-Request-Id": "find-me"})
            server.stop()
            self.assertIn("request find-me", "".join(server.errors))

    def test_server_timing(self):
        reply = self.server.post({"texts": ["a", "b"]})
        parts = re.findall(r"(\w+);dur=(\d+\.\d+)", reply.headers["Server-Timing"])
        self.assertEqual([name for name, _ in parts], ["prepare", "compute", "reply", "total"])
        times = dict((name, float(value)) for name, value in parts)
        self.assertAlmostEqual(times["prepare"] + times["compute"] + times["reply"], times["total"],
                               delta=0.01)
        self.assertGreater(times["compute"], 0)
        self.assertIsNone(self.server.get("/health").headers["Server-Timing"])


if __name__ == "__main__":
    unittest.main()
