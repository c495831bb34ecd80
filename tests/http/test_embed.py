"""POST /embed on real input: texts, lengths, options, and what the reply says."""

import json
import math
import time
import unittest

from running_server import RunningServer, SANITIZED, SLOWER, SteadyServerTest, bits, golden_rows


class EmbedTest(SteadyServerTest):
    def vectors(self, texts, **fields):
        return [bits(vector) for vector in self.server.embed(texts, **fields)]

    def test_golden_vectors(self):
        rows = golden_rows()
        vectors = self.server.embed([row["text"] for row in rows])
        for row, vector in zip(rows, vectors):
            worst = max(abs(a - b) for a, b in zip(vector, row["vector"]))
            self.assertLess(worst, 1e-5, row["name"])

    def test_reply_names_model_dimension_and_tokens(self):
        reply = self.server.post({"texts": ["a cat", "a dog"]})
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(set(reply.json), {"vectors", "model", "dim", "usage", "truncated"})
        self.assertEqual(reply.json["dim"], 64)
        self.assertEqual([len(v) for v in reply.json["vectors"]], [64, 64])
        self.assertGreaterEqual(reply.json["usage"]["tokens"], 8)
        self.assertEqual(reply.json["truncated"], [])

    def test_text_is_a_list_of_one(self):
        reply = self.server.post({"text": "ping"})
        self.assertEqual(len(reply.json["vectors"]), 1)
        self.assertEqual(bits(reply.json["vectors"][0]), self.ping)

    def test_numbers_are_shortest_and_floats(self):
        body = self.server.post({"texts": ["a cat", "a dog", "ping"]}).body.decode()
        for number in body[body.index("[[") + 2:body.index("]]")].replace("],[", ",").split(","):
            self.assertTrue("." in number or "e" in number, number)
            self.assertLessEqual(len(number), 15)
            self.assertTrue(math.isfinite(float(number)))

    def test_normalize_off_and_on(self):
        with RunningServer(model="bert") as server:
            for normalize in (False, True):
                chosen = [row for row in golden_rows("bert") if row["normalize"] == normalize]
                self.assertTrue(chosen)
                vectors = server.embed([row["text"] for row in chosen], normalize=normalize)
                for row, vector in zip(chosen, vectors):
                    scale = max(1.0, math.sqrt(sum(x * x for x in row["vector"])))
                    worst = max(abs(a - b) for a, b in zip(vector, row["vector"]))
                    self.assertLess(worst / scale, 1e-5, row["name"])

    def test_pooling_by_name(self):
        modes = ("cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken")
        vectors = {mode: self.vectors(["a small grey cat"], pooling=mode)[0] for mode in modes}
        self.assertEqual(vectors["mean"], self.vectors(["a small grey cat"])[0])
        # divided by the root of the length instead of the length: the same direction
        self.assertGreaterEqual(len(set(vectors.values())), 5)
        reply = self.server.post({"texts": ["a"], "pooling": "median"})
        self.assertEqual((reply.status, reply.code), (400, "unknown_pooling"))
        for mode in modes:
            self.assertIn(mode, reply.json["error"]["message"])

    def test_prompts(self):
        with RunningServer(model="bert-prompts") as server:
            rows = golden_rows("bert-prompts", "expected_prompts.jsonl")
            for row in rows:
                fields = {"normalize": row["normalize"]}
                if row["prompt_name"] is not None:
                    fields["prompt_name"] = row["prompt_name"]
                else:
                    fields["prompt"] = row["prompt"]
                vector = server.embed([row["text"]], **fields)[0]
                worst = max(abs(a - b) for a, b in zip(vector, row["vector"]))
                scale = max(1.0, math.sqrt(sum(x * x for x in row["vector"])))
                self.assertLess(worst / scale, 1e-5, (row["prompt_name"], row["text"]))
            reply = server.post({"texts": ["a"], "prompt_name": "nonesuch\u00e9"})
            self.assertEqual((reply.status, reply.code), (400, "unknown_prompt"))
            self.assertNotIn(b"nonesuch", reply.body)
            # a long prompt before each of many texts is as large a body
            reply = server.post({"texts": ["a"] * 4096, "prompt": "p" * 4096})
            self.assertEqual((reply.status, reply.code), (413, "body_too_large"))

    def test_batch_size_is_a_hint(self):
        alone = self.vectors(["a", "b", "c"])
        self.assertEqual(self.vectors(["a", "b", "c"], batch_size=1), alone)
        self.assertEqual(self.vectors(["a", "b", "c"], batch_size=1000), alone)
        reply = self.server.post({"texts": ["a"], "batch_size": 0})
        self.assertEqual((reply.status, reply.code), (400, "invalid_value"))

    def test_any_content_type(self):
        for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            reply = self.server.post({"texts": ["ping"]}, headers={"Content-Type": content_type})
            self.assertEqual(reply.status, 200)

    def test_a01_nothing_and_blanks(self):
        self.assertEqual(self.vectors([]), [])
        empty = self.vectors([""])[0]
        self.assertEqual(self.vectors([" ", "\n\t", "\ufeff"]), [empty] * 3)

    def test_a02_nul_inside(self):
        body = b'{"texts":["abc\\u0000def"]}'
        self.assertEqual(bits(self.server.post(body).json["vectors"][0]),
                         self.vectors(["abcdef"])[0])
        self.assertNotEqual(self.vectors(["abcdef"]), self.vectors(["abc"]))

    def test_a03_surrogates(self):
        body = b'{"texts":["\\ud83d","ok \\ud800 bad","\\udc4d\\ud83d","\\ud83d\\udc4d"]}'
        reply = self.server.post(body)
        self.assertEqual(reply.status, 200)
        read = [bits(vector) for vector in reply.json["vectors"]]
        self.assertEqual(read, self.vectors(["\ufffd", "ok \ufffd bad", "\ufffd\ufffd", "\U0001f44d"]))

    def test_a04_invalid_utf8(self):
        for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98"):
            reply = self.server.post(b'{"texts":["' + bad + b'"]}')
            self.assertEqual((reply.status, reply.code), (400, "invalid_utf8"))
            self.assertTrue(reply.body.isascii())
            self.assertEqual(reply.headers["Content-Type"], "application/json")

    def test_a15_too_long_and_truncation_off(self):
        texts = ["a", "b", "a cat " * 500, "c", "a dog " * 500]
        before = self.server.get("/info").json["done"]["texts"]
        reply = self.server.post({"texts": texts, "truncate": False})
        self.assertEqual((reply.status, reply.code), (422, "input_too_long"))
        error = reply.json["error"]
        self.assertEqual(error["index"], 2)
        self.assertEqual(error["limit"], 128)
        self.assertGreater(error["tokens"], 500)
        self.assertNotIn("vectors", reply.json)
        self.assertEqual(self.server.get("/info").json["done"]["texts"], before)

    def test_a16_truncation_is_reported(self):
        prose = "the small grey cat sat upon a mat, and the dog looked on. " * 3200
        self.assertGreater(len(prose), 180000)
        reply = self.server.post({"texts": ["short", prose, "short", prose]})
        self.assertEqual(reply.status, 200)
        report = reply.json["truncated"]
        self.assertEqual([item["index"] for item in report], [1, 3])
        for item in report:
            self.assertEqual(item["tokens_used"], 128)
            self.assertGreaterEqual(item["tokens_total"], 30000)
        self.assertEqual(bits(reply.json["vectors"][0]), self.vectors(["short"])[0])

    def test_a17_sizes_of_a_body(self):
        limit = self.server.get("/info").json["limits"]["body_bytes"]
        self.assertEqual(limit, 8 << 20)
        self.assertEqual(self.server.post({"texts": ["ab" * (1 << 19)]}).status, 200)
        frame = len('{"texts":[""]}')
        exact = '{"texts":["' + "x" * (limit - frame) + '"]}'
        self.assertEqual(len(exact), limit)
        self.assertEqual(self.server.post(exact).status, 200)
        reply = self.server.post(exact + " ")
        self.assertEqual((reply.status, reply.code), (413, "body_too_large"))

        # the same in chunks, whose sum is not announced
        connection = self.server.connect()
        connection.request("POST", "/embed", iter([exact[:limit // 2].encode(),
                                                   exact[limit // 2:].encode() + b" "]),
                           encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        response = connection.getresponse()
        self.assertEqual(response.status, 413)
        self.assertEqual(json.loads(response.read())["error"]["code"], "body_too_large")
        self.assertEqual(self.server.get("/health", connection=connection).status, 200)
        connection.close()

    def test_a17_a_huge_announcement_is_refused_at_once(self):
        before = self.server.memory()
        for length in (1 << 63, (1 << 64) - 1, 1 << 40):
            began = time.monotonic()
            data, closed = self.server.raw(
                b"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n{" % length)
            self.assertIn(b" 413 ", data.split(b"\r\n")[0])
            self.assertTrue(closed)
            self.assertLess(time.monotonic() - began, 2 * SLOWER)
        self.assertLess(self.server.memory() - before, 4 << 20)

    def test_a18_many_texts(self):
        texts = ["number %d" % i for i in range(4096)]
        vectors = self.vectors(texts)
        for i in (0, 1, 999, 2048, 4095):
            self.assertEqual(self.vectors([texts[i]])[0], vectors[i])
        self.assertEqual(self.vectors(texts[:1000]), vectors[:1000])
        reply = self.server.post({"texts": texts + ["one more"]})
        self.assertEqual((reply.status, reply.code), (413, "batch_too_large"))
        self.assertIn("maximum batch size is 4096", reply.json["error"]["message"])

    def test_a19_memory_stays_bounded(self):
        sentence = "the small grey cat sat upon a mat, and the dog looked on. "
        self.vectors([(sentence * 6)[:300] + str(i) for i in range(550)])
        self.vectors([sentence * 40] * 64)
        if not SANITIZED:
            weights = self.server.get("/info").json["weight_bytes"]
            self.assertLess(self.server.memory("VmHWM"), weights + (256 << 20))

    def test_a20_a21_one_text_one_vector(self):
        words = ["cat", "dog", "mat", "grey", "small", "upon", "looked", "the"]
        texts = [" ".join(words[(i * k + k) % 8] for k in range(1 + i * 7 % 90)) for i in range(60)]
        texts += texts[:10]
        alone = [self.vectors([text])[0] for text in texts]
        self.assertEqual(self.vectors(texts), alone)
        self.assertEqual(self.vectors(texts[::-1]), alone[::-1])
        with RunningServer("--threads", "1") as other:
            self.assertEqual([bits(vector) for vector in other.embed(texts)], alone)

    def test_a47_a_body_of_tiny_values_takes_no_memory(self):
        before = self.server.memory()
        body = b'{"x":[' + b"{}," * 2700000 + b'{}],"texts":[]}'
        self.assertEqual(self.server.post(body).status, 200)
        if not SANITIZED:
            self.assertLess(self.server.memory("VmHWM") - before, 200 << 20)


if __name__ == "__main__":
    unittest.main()
