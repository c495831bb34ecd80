"""What our own replies have beside JSON: bytes, request ids, timings."""

import re
import struct
import unittest

from running_server import RunningServer, ServerTest, bits, golden_rows

ROW = next(row for row in golden_rows() if row["name"] == "en_short")
BYTES = {"Accept": "application/octet-stream"}


class RepliesTest(ServerTest):
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

    def test_quantized_bytes(self):
        texts = [ROW["text"], "", "b", "word " * 400]
        for fields in ({}, {"dimensions": 21, "normalize": False}):
            vectors = self.server.embed(texts, **fields)
            n = len(vectors[0])
            replies = {name: self.server.post({"texts": texts, "encoding": name, **fields}, headers=BYTES)
                       for name in ("float32", "int8", "ubinary", "binary")}
            self.assertEqual({reply.status for reply in replies.values()}, {200})
            self.assertEqual(replies["float32"].body, b"".join(map(bits, vectors)))
            size = (n + 7) // 8  # packed as numpy.packbits does it, row by row
            ubinary = [int("".join(str(int(x > 0)) for x in v).ljust(8 * size, "0"), 2).to_bytes(size, "big")
                       for v in vectors]
            self.assertEqual(replies["ubinary"].body, b"".join(ubinary))
            self.assertEqual(replies["binary"].body,
                             struct.pack("%db" % (size * len(texts)), *(b - 128 for v in ubinary for b in v)))
            for i, vector in enumerate(vectors):
                scale, *numbers = struct.unpack_from("<f%db" % n, replies["int8"].body, i * (n + 4))
                self.assertEqual(max(map(abs, numbers)), 127)
                for number, x in zip(numbers, vector):
                    self.assertLessEqual(abs(number * scale - x), scale * 0.5001)
            self.assertEqual(len(replies["int8"].body), (n + 4) * len(texts))

    def test_an_encoding_that_cannot_be(self):
        for encoding, headers in (("int4", BYTES), (8, BYTES), ("int8", {}), ("binary", {})):
            reply = self.server.post({"texts": ["a"], "encoding": encoding}, headers=headers)
            self.assertEqual(reply.status, 400, encoding)
        for encoding in (None, "float32"):
            self.assertEqual(self.server.post({"texts": ["a"], "encoding": encoding}).status, 200)

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
