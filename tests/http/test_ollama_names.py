"""embedd serve with a model of Ollama's store, by its name and in place."""

import math
import os
import shutil
import tempfile
import unittest

from running_server import GOLDEN, RunningServer, golden_rows

STORE = os.path.join(GOLDEN, "ollama-store")


def serve(name):
    return RunningServer(model=name, env={"OLLAMA_MODELS": STORE})


class OllamaNamesTest(unittest.TestCase):
    def check(self, name, file):
        rows = golden_rows("gguf", file)
        with serve(name) as server:
            self.assertEqual(server.ready["model"], name)
            self.assertEqual(server.get("/info").json["model_id"], name)
            vectors = server.embed([row["text"] for row in rows])
        for row, vector in zip(rows, vectors, strict=True):
            worst = max(abs(a - b) for a, b in zip(vector, row["vector_dequant"], strict=True))
            self.assertLess(worst, 1e-5, row["name"])

    def test_golden_vectors(self):
        self.check("ollama:tiny-nomic", "nomic-bert-f16.expected.jsonl")
        self.check("ollama:tiny-nomic:q8_0", "nomic-bert-q8_0.expected.jsonl")
        self.check("ollama:acme/tiny-bert", "bert-q8_0.expected.jsonl")

    def test_raw_is_raw_where_ollama_s_is(self):
        for name, raw in (("ollama:tiny-nomic", True), ("ollama:acme/tiny-bert", False)):
            with serve(name) as server:
                self.assertEqual(server.get("/info").json["normalized"], not raw)
                unit, = server.embed(["a short text"])
                own, = server.embed(["a short text"], normalize=False)
            length = math.sqrt(math.fsum(x * x for x in own))
            self.assertAlmostEqual(math.sqrt(math.fsum(x * x for x in unit)), 1, 5)
            self.assertEqual(abs(length - 1) > 1e-3, raw, (name, length))
            for a, b in zip(unit, own, strict=True):
                self.assertAlmostEqual(a * length, b, 4)

    def test_the_blob_may_vanish_while_it_is_served(self):
        with tempfile.TemporaryDirectory() as folder:
            store = os.path.join(folder, "store")
            shutil.copytree(STORE, store)
            with RunningServer(model="ollama:tiny-nomic", env={"OLLAMA_MODELS": store}) as server:
                before = server.embed(["a text, and another one"])
                shutil.rmtree(store)
                self.assertEqual(server.embed(["a text, and another one"]), before)


if __name__ == "__main__":
    unittest.main()
