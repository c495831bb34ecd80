"""Fifteen batches of long chunks, as a document splitter sends them, through HTTP with real weights.

Every vector of 133 has length 1, and a text has the same bits alone, in any batch, under load, at any number of threads
and at each CPU level within itself. EMBEDD_TEST_BATCHES names another folder of batches. Sanitizer builds use the
small model and the first text of each batch."""
import concurrent.futures
import glob
import json
import math
import os
import sys
import unittest

from running_server import SANITIZED, RunningServer, StartError, bits

BATCHES = os.environ.get("EMBEDD_TEST_BATCHES", os.path.join(os.environ["EMBEDD_TEST_DATA"], "batches"))
LARGE = ("all-mpnet-base-v2", 768)
SMALL = ("all-MiniLM-L6-v2", 384)
LEVELS = ("ref", "avx2", "avx512", "neon")
EXIT_CPU = 6  # the machine lacks the level


def read_batches():
    batches = []
    for path in sorted(glob.glob(os.path.join(BATCHES, "batch-*.json"))):
        with open(path, encoding="utf-8") as f:
            batches.append(json.load(f)["texts"])
    return batches


def folder(model):
    return os.path.join(os.environ["EMBEDD_TEST_MODELS"], model[0])


class Batches(unittest.TestCase):
    def setUp(self):
        self.batches = read_batches()
        self.assertEqual((len(self.batches), sum(map(len, self.batches))), (15, 133), "batches in " + BATCHES)
        self.bits = {}  # text -> the bytes of its vector

    def embed(self, server, texts, dimensions):
        """One request; its vectors are well-formed and have the bits that their texts had before."""
        for text, vector in zip(texts, server.embed(texts)):
            self.assertEqual(len(vector), dimensions)
            self.assertAlmostEqual(math.hypot(*vector), 1, delta=1e-6)
            self.assertEqual(self.bits.setdefault(text, bits(vector)), bits(vector), "the bits changed: " + text[:80])
        return len(texts)

    def embed_at_once(self, server, requests, dimensions, clients=8):
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            return sum(pool.map(lambda texts: self.embed(server, texts, dimensions), requests))

    def test_fifteen_batches(self):
        model, batches = LARGE, self.batches
        if SANITIZED:
            model, batches = SMALL, [[text[:400] for text in batch[:1]] for batch in batches]
        total = sum(map(len, batches))
        with RunningServer("--threads", "2", model=folder(model)) as server:
            done = sum(self.embed(server, batch, model[1]) for batch in batches)
            self.assertEqual(done, total, "one after the other")
            self.assertEqual(self.embed_at_once(server, batches, model[1]), total, "eight at a time")
        with RunningServer("--threads", "1", model=folder(model)) as server:
            mixed = [batch[-1] for batch in batches[::3]]  # other mates, another order, no second thread
            self.embed(server, mixed, model[1])
            self.embed(server, mixed[2:3], model[1])

    def test_every_level_agrees_with_itself(self):
        levels = []
        for level in LEVELS:
            self.bits = {}
            batches = self.batches
            if SANITIZED or level == "ref":  # the plain loops are slow
                n_letters = 100 if SANITIZED else 400
                batches = [[text[:n_letters] for text in batch[:1]] for batch in batches[::5]]
            try:
                with RunningServer("--threads", "2", model=folder(SMALL), env={"EMBEDD_CPU": level}) as server:
                    self.assertEqual(server.get("/info").json["cpu_level"], level)
                    self.embed_at_once(server, batches, SMALL[1])
            except StartError as e:
                self.assertEqual(e.code, EXIT_CPU, e)
                continue
            with RunningServer("--threads", "1", model=folder(SMALL), env={"EMBEDD_CPU": level}) as server:
                for batch in batches[::2]:
                    self.embed(server, batch[::-1], SMALL[1])
                self.embed(server, batches[0][:1], SMALL[1])
            levels.append(level)
        print("levels of this machine:", ", ".join(levels), file=sys.stderr)
        self.assertIn("ref", levels)


if __name__ == "__main__":
    unittest.main(verbosity=2)
