"""Models that score pairs and models that make sparse weights, as TEI's, Cohere's and Jina's clients
ask them; and vectors of tokens."""

import json
import math
import os
import threading
import unittest

from running_server import GOLDEN, RunningServer, ServerTest, bits, golden_rows

HEADS = os.path.join(os.path.dirname(GOLDEN), "heads")


def rows(name):
    with open(os.path.join(HEADS, name, "expected.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def head_server(name):
    return RunningServer(model=os.path.join(HEADS, name)).__enter__()


class RerankTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = head_server("bert-reranker")
        cls.queries = {}
        for row in rows("bert-reranker"):
            cls.queries.setdefault(row["query"], []).append((row["text"], row["scores"][0]))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def rerank(self, query, texts, path="/rerank", **fields):
        reply = self.server.post({"query": query, "texts": texts, **fields}, path)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json

    def test_scores_are_the_reference_s(self):
        for query, pairs in self.queries.items():
            texts = [text for text, _ in pairs]
            for raw in (True, False):
                ranks = self.rerank(query, texts, raw_scores=raw)
                self.assertEqual(sorted(r["index"] for r in ranks), list(range(len(texts))))
                self.assertEqual([r["score"] for r in ranks], sorted((r["score"] for r in ranks), reverse=True))
                for rank in ranks:
                    self.assertEqual(set(rank), {"index", "score"})
                    expected = pairs[rank["index"]][1]
                    self.assertAlmostEqual(rank["score"], expected if raw else sigmoid(expected), delta=1e-5)

    def test_bits_do_not_depend_on_company(self):
        query, pairs = next(iter(self.queries.items()))
        texts = [text for text, _ in pairs]
        alone = [self.rerank(query, [text], raw_scores=True)[0]["score"] for text in texts]
        together = {r["index"]: r["score"] for r in self.rerank(query, texts * 20, raw_scores=True)}
        self.assertEqual([together[i] for i in range(len(texts) * 20)], alone * 20)
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.rerank(query, texts, raw_scores=True)))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for ranks in results:
            self.assertEqual({r["index"]: r["score"] for r in ranks}, dict(enumerate(alone)))
        self.assertEqual(len(results), 8)

    def test_equal_scores_keep_their_order(self):
        self.assertEqual([r["index"] for r in self.rerank("q", ["same"] * 5)], [0, 1, 2, 3, 4])

    def test_texts_come_back_if_asked(self):
        texts = ["a \"quoted\" text", "", "\U0001F600 \u0000"]
        for rank in self.rerank("q", texts, return_text=True):
            self.assertEqual(rank["text"], texts[rank["index"]])

    def test_documents_are_cohere_s(self):
        query, pairs = next(iter(self.queries.items()))
        texts = [text for text, _ in pairs]
        ranks = self.rerank(query, texts)
        for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
            body = {"model": "bert-reranker", "query": query, "documents": texts}
            reply = self.server.post(body, path)
            self.assertEqual(reply.status, 200, reply.body)
            self.assertEqual(reply.json["results"],
                             [{"index": r["index"], "relevance_score": r["score"]} for r in ranks])
            self.assertEqual(reply.json["model"], "bert-reranker")
            self.assertEqual(reply.json["usage"]["total_tokens"],
                             sum(len(row["ids"]) for row in rows("bert-reranker")[:len(texts)]))
            body.update(documents=[{"text": text, "id": 7} for text in texts], top_n=2, return_documents=True)
            results = self.server.post(body, path).json["results"]
            self.assertEqual([r["index"] for r in results], [r["index"] for r in ranks[:2]])
            for result in results:
                self.assertEqual(result["document"], {"text": texts[result["index"]]})
        self.assertEqual(self.server.post({"query": "q", "texts": ["a"]}, "/v1/rerank").json["results"][0]["index"], 0)

    def test_what_is_cut_is_told_or_refused(self):
        long = "word " * 500
        reply = self.server.post({"query": "q", "documents": ["a", long]}, "/v1/rerank").json
        self.assertEqual([(t["index"], t["tokens_used"]) for t in reply["truncated"]], [(1, 64)])
        reply = self.server.post({"query": "q", "texts": ["a", long], "truncate": False}, "/rerank")
        self.assertEqual((reply.status, reply.json["error_type"]), (422, "Validation"))

    def test_bad_requests(self):
        for body, status, kind in (
                ({"query": "q", "texts": []}, 400, "Empty"), ({"texts": ["a"]}, 400, "Empty"),
                ({"query": 1, "texts": ["a"]}, 400, "Validation"), ({"query": "q", "texts": "a"}, 400, "Validation"),
                ({"query": "q", "texts": ["a"], "documents": ["a"]}, 422, "Validation"),
                ({"query": "q", "texts": ["a"], "raw_scores": 1}, 400, "Validation")):
            reply = self.server.post(body, "/rerank")
            self.assertEqual((reply.status, reply.json["error_type"]), (status, kind), body)
        for documents in ("a", [1], [{}], [{"text": 1}], [None], [["a"]], {"text": "a"}):
            reply = self.server.post({"query": "q", "documents": documents}, "/v1/rerank")
            self.assertEqual(reply.status, 400, documents)
            self.assertIn("message", reply.json)
        self.assertEqual(self.server.post({"query": "q", "documents": ["a"], "top_n": 0}, "/v1/rerank").status, 400)
        self.assertEqual(self.server.post({"query": "q", "documents": ["a"], "model": "other"}, "/v1/rerank").status,
                         404)
        self.assertEqual(self.server.post({"query": "q" * 4096, "texts": ["a"] * 4000}, "/rerank").status, 413)

    def test_vectors_are_refused(self):
        for path, body, status in (("/embed", {"texts": ["a"]}, 400), ("/embed", {"inputs": ["a"]}, 424),
                                   ("/embed_all", {"inputs": "a"}, 424), ("/embed_sparse", {"inputs": "a"}, 424),
                                   ("/v1/embeddings", {"input": "a", "model": "bert-reranker"}, 400),
                                   ("/api/embed", {"input": "a", "model": "bert-reranker"}, 400)):
            self.assertEqual(self.server.post(body, path).status, status, path)
        reply = self.server.post({"inputs": "a"}, "/embed")
        self.assertEqual(reply.json["error_type"], "Backend")

    def test_info_tells(self):
        self.assertEqual(self.server.get("/info").json["model_type"],
                         {"reranker": {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}})


class ClassifierTest(unittest.TestCase):
    def test_several_labels_are_no_ranking(self):
        with RunningServer(model=os.path.join(HEADS, "roberta-classifier")) as server:
            reply = server.post({"query": "q", "texts": ["a"]}, "/rerank")
            self.assertEqual((reply.status, reply.json), (424, {"error": "model is not a re-ranker model",
                                                               "error_type": "Backend"}))
            self.assertEqual(server.get("/info").json["model_type"]["classifier"]["label2id"],
                             {"contradiction": 0, "neutral": 1, "entailment": 2})


class SparseTest(unittest.TestCase):
    def test_weights_are_the_reference_s(self):
        for name in ("bert-splade", "distilbert-splade"):
            with RunningServer(model=os.path.join(HEADS, name)) as server:
                expected = rows(name)
                texts = [row["text"] for row in expected]
                reply = server.post({"inputs": texts}, "/embed_sparse")
                self.assertEqual(reply.status, 200, reply.body)
                for row, weights in zip(expected, reply.json, strict=True):
                    reference = dict(map(tuple, row["weights"]))
                    got = {w["index"]: w["value"] for w in weights}
                    for token in set(reference) | set(got):
                        self.assertAlmostEqual(got.get(token, 0), reference.get(token, 0), delta=1e-5)
                    self.assertEqual([w["index"] for w in weights], sorted(got))
                    self.assertEqual(server.post({"inputs": row["text"]}, "/embed_sparse").json, [weights])
                self.assertEqual(server.get("/info").json["model_type"], {"embedding": {"pooling": "splade"}})
                self.assertEqual(server.post({"inputs": "a"}, "/embed").status, 424)
                self.assertEqual(server.post({}, "/embed_sparse").status, 400)
                self.assertEqual(server.post({"inputs": ["a"] * 9999}, "/embed_sparse").status, 413)


class TokensTest(ServerTest):
    def test_their_mean_is_the_vector(self):
        texts = [row["text"] for row in golden_rows()[:20]]
        reply = self.server.post({"inputs": texts}, "/embed_all")
        self.assertEqual(reply.status, 200, reply.body)
        vectors = self.server.embed(texts, normalize=False)
        for tokens, row in zip(reply.json, golden_rows()):
            self.assertEqual(len(tokens), len(row["ids"]))
            mean = [sum(column) / len(tokens) for column in zip(*tokens)]
            length = math.sqrt(sum(x * x for x in mean))
            own = self.server.embed([row["text"]])[0]
            self.assertLess(max(abs(x / length - y) for x, y in zip(mean, own)), 1e-5)
        self.assertEqual(len(vectors), len(texts))
        alone = self.server.post({"inputs": texts[3]}, "/embed_all").json
        self.assertEqual([bits(v) for v in alone[0]], [bits(v) for v in reply.json[3]])

    def test_limits_and_errors(self):
        self.assertEqual(self.server.post({"inputs": []}, "/embed_all").json, [])
        self.assertEqual(self.server.post({"inputs": ["word " * 200] * 2000}, "/embed_all").status, 413)
        self.assertEqual(self.server.post({"inputs": ["word " * 200], "truncate": False}, "/embed_all").status, 422)
        self.assertEqual(self.server.post({"query": "q", "texts": ["a"]}, "/rerank").status, 424)
        self.assertEqual(self.server.post({"query": "q", "documents": ["a"]}, "/v1/rerank").status, 400)
        self.assertEqual(self.server.post({"inputs": "a"}, "/embed_sparse").status, 424)


if __name__ == "__main__":
    unittest.main()
