"""GET /metrics: what Prometheus reads, and that it counts what happened."""

import re
import unittest

from running_server import RunningServer

LINE = re.compile(r'^([a-z_]+)(\{(?:[a-z]+="[^"\\]*",?)+\})? ([0-9.e+-]+)$')


def values_of(server):
    reply = server.get("/metrics")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4"
    values, typed = {}, {}
    for line in reply.body.decode("ascii").splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in typed, name
            typed[name] = kind
        elif not line.startswith("# HELP "):
            name, labels, value = LINE.match(line).groups()
            family = re.sub("_(bucket|sum|count)$", "", name)
            assert typed.get(name, typed.get(family)), line
            assert (name, labels) not in values, line
            values[name, labels] = float(value)
    return values


class MetricsTest(unittest.TestCase):
    def test_a37_metrics_count_what_happened(self):
        with RunningServer() as server:
            server.embed(["a", "b"])
            server.embed(["word " * 400, "c"])
            server.post({"texts": ["d"]}, headers={"Accept": "application/octet-stream"})
            server.post({"texts": [1]})
            server.post({"inputs": "e", "truncate": False, "dimensions": 100000})
            server.post({"model": "other", "input": "x"}, path="/api/embed")
            server.get("/v1/models/one-that-a-client-made-up")
            server.get("/nonesuch-%22%0a")
            values = values_of(server)

        def requests(route, status):
            return values.pop(("embedd_requests_total", '{route="%s",status="%d"}' % (route, status)))

        self.assertEqual(requests("/embed", 200), 3)
        self.assertEqual(requests("/embed", 400), 1)
        self.assertEqual(requests("/embed", 422), 1)
        self.assertEqual(requests("/api/embed", 404), 1)
        self.assertEqual(requests("/v1/models/", 404), 1)
        self.assertEqual(requests("other", 404), 1)
        self.assertFalse([key for key in values if key[0] == "embedd_requests_total"])

        self.assertEqual(values["embedd_up", None], 1)
        self.assertEqual(values["embedd_texts_total", None], 5)
        self.assertEqual(values["embedd_texts_truncated_total", None], 1)
        self.assertEqual(values["embedd_replaced_codepoints_total", None], 0)
        self.assertGreater(values["embedd_tokens_total", None], 128)
        self.assertEqual(values["embedd_queue_requests", None], 0)
        self.assertEqual(values["embedd_queue_tokens", None], 0)
        self.assertEqual(values["embedd_request_seconds_count", None], 3)
        self.assertEqual(values["embedd_prepare_seconds_count", None], 3)
        self.assertEqual(values["embedd_batch_tokens_count", None], values["embedd_batches_total", None])
        self.assertEqual(values["embedd_batch_tokens_sum", None], values["embedd_tokens_total", None])
        self.assertGreater(values["process_resident_memory_bytes", None], 1e6)

    def test_buckets_grow(self):
        with RunningServer() as server:
            for i in range(20):
                server.embed(["word " * (i * 5)])
            values = values_of(server)
        for name in ("embedd_request_seconds", "embedd_prepare_seconds", "embedd_batch_tokens"):
            counts = [v for (family, _), v in values.items() if family == name + "_bucket"]
            self.assertEqual(len(counts), 21)
            self.assertEqual(counts, sorted(counts))
            self.assertEqual(counts[-1], values[name + "_count", None])
        self.assertEqual(values["embedd_batch_tokens_bucket", '{le="+Inf"}'], 20)
        self.assertLess(values["embedd_batch_tokens_bucket", '{le="8"}'], 20)

    def test_halves_of_surrogate_pairs_are_counted(self):
        with RunningServer() as server:
            for body in (r'{"texts":["cut \ud83d","\ude00\ud83d\ude00 whole"]}', r'{"input":"\ud800\ud800"}',
                         r'{"texts":["\ufffd is one of its own"]}'):
                self.assertEqual(server.post(body, path="/embed" if "texts" in body else "/v1/embeddings").status, 200)
            self.assertEqual(values_of(server)["embedd_replaced_codepoints_total", None], 4)


if __name__ == "__main__":
    unittest.main()
