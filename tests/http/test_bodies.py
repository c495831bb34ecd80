"""Bodies that are no request, through HTTP (A47). What JSON is and is not: tests/unit/test_json_reader.c."""

import json
import unittest

from running_server import RunningServer

MARK = "Zx9secretZx9"  # what a client sends must not come back


class BodyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = RunningServer()
        cls.connection = cls.server.connect()

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.server.stop()
        for line in cls.server.errors:
            assert MARK not in line, line

    def check(self, body, status, code, index=None):
        """On one connection: a refusal does not cost it."""
        reply = self.server.post(body, connection=self.connection)
        self.assertEqual((reply.status, reply.code), (status, code), str(body)[:200])
        self.assertEqual(reply.json["error"]["index"], index, str(body)[:200])
        self.assertEqual(set(reply.json), {"error"})
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertTrue(reply.body.isascii())
        self.assertNotIn(MARK.encode(), reply.body)
        self.assertEqual(len(self.server.embed(["ping"], connection=self.connection)), 1)

    def test_a47_not_json(self):
        for body in (b"", b" ", b"{", b'{"texts":["a"', b'{"texts":["a"]}]', b'{"texts":["a"],}',
                     b"{'texts':['a']}", b'{"texts":["a"]} ' + MARK.encode(), b"NaN",
                     b'{"texts":[NaN]}', b'{"texts":["a\tb"]}', b'{"texts":["\\x"]}', b"\x00",
                     b"texts=a", b"[" * 100000, b'{"a":' * 100000, MARK.encode(), b"[1,2",
                     b'{"texts":["a"]}\x00', b'{"n":01,"texts":[]}', b'{"n":1.,"texts":[]}'):
            self.check(body, 400, "invalid_json")

    def test_a47_wrong_types(self):
        for item in (1, None, True, ["a"], {"text": "a"}, 1.5):
            for index in (0, 3):
                texts = ["a"] * 5
                texts[index] = item
                self.check({"texts": texts}, 400, "invalid_type", index)
        for texts in ("a", 1, True, {"0": "a"}, MARK):
            self.check({"texts": texts}, 400, "invalid_type")
        for body in ([["a"]], "a", 5, True, None):
            self.check(json.dumps(body), 400, "invalid_type")
        for field, value in (("normalize", "yes"), ("truncate", 0), ("pooling", ["mean"]),
                             ("prompt", 5), ("prompt_name", True), ("batch_size", MARK)):
            self.check({"texts": ["a"], field: value}, 400, "invalid_type")

    def test_a47_wrong_values(self):
        self.check({}, 400, "missing_field")
        self.check({MARK: 1}, 400, "missing_field")
        self.check({"texts": ["a"], "text": MARK}, 400, "invalid_value")
        self.check({"texts": ["a"], "pooling": MARK}, 400, "unknown_pooling")
        self.check({"texts": ["a"], "prompt_name": MARK}, 400, "unknown_prompt")
        self.check({"texts": ["a"], "batch_size": -3}, 400, "invalid_value")

    def test_a47_unknown_fields_are_ignored(self):
        body = {"texts": ["ping"], "model": MARK, "options": {"temperature": 0.5, "x": [[{}]]},
                "user": None, "TEXTS": 5}
        reply = self.server.post(body)
        self.assertEqual(reply.status, 200)
        self.assertNotIn(MARK.encode(), reply.body)

    def test_empty_list_says_as_much_as_any(self):
        reply = self.server.post({"texts": []})
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json["vectors"], [])
        self.assertEqual(reply.json["dim"], 64)
        self.assertEqual(reply.json["usage"], {"tokens": 0})


if __name__ == "__main__":
    unittest.main()
