"""The routes of Ollama, OpenAI and TEI, as their clients use them. All give the same vectors, bit for bit."""

import base64
import math
import struct
import unittest

from running_server import RunningServer, ServerTest, bits, golden_rows

NAME = "bert-mean-norm"
ROW = next(row for row in golden_rows(NAME) if row["name"] == "en_short")
LONG = "word " * 400


class OllamaTest(ServerTest):
    def embed(self, status=200, path="/api/embed", **fields):
        reply = self.server.post(fields, path=path)
        self.assertEqual(reply.status, status, reply.body[:300])
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        return reply.json

    def refused(self, status, **fields):
        answer = self.embed(status, **fields)
        self.assertEqual(list(answer), ["error"])
        return answer["error"]

    def test_embed_has_the_vectors_of_our_own_route(self):
        own = self.server.embed([ROW["text"], "", "b"])
        answer = self.embed(model=NAME, input=[ROW["text"], "", "b"])
        self.assertEqual([bits(v) for v in answer["embeddings"]], [bits(v) for v in own])
        self.assertEqual(answer["model"], NAME)
        self.assertGreater(answer["total_duration"], 0)
        self.assertGreater(answer["prompt_eval_count"], 6)
        self.assertEqual(answer["truncated"], [])

    def test_one_string(self):
        self.assertEqual(len(self.embed(model=NAME, input=ROW["text"])["embeddings"]), 1)

    def test_no_input_loads_the_model(self):
        for fields in ({}, {"input": ""}, {"input": []}, {"input": None}):
            self.assertEqual(self.embed(model=NAME, **fields), {"model": NAME, "embeddings": []})

    def test_names(self):
        for name in (NAME, NAME + ":latest", NAME.upper(), "library/" + NAME, NAME + "-embed"):
            self.assertEqual(self.embed(model=name, input="a")["model"], name)
        for name in ("", "bert", NAME + ":v2", NAME + "x", "x" + NAME, NAME + ":"):
            if name != NAME + ":":
                self.assertIn("not found", self.refused(404, model=name, input="a"))

    def test_dimensions_are_cut_and_normalized_again(self):
        whole = self.embed(model=NAME, input=ROW["text"])["embeddings"][0]
        short = self.embed(model=NAME, input=ROW["text"], dimensions=8)["embeddings"][0]
        length = math.hypot(*whole[:8])
        self.assertEqual(len(short), 8)
        for a, b in zip(short, whole):
            self.assertAlmostEqual(a, b / length, delta=1e-6)
        for dimensions in (0, len(whole), 100000):
            answer = self.embed(model=NAME, input=ROW["text"], dimensions=dimensions)
            self.assertEqual(bits(answer["embeddings"][0]), bits(whole))

    def test_keep_alive_in_all_its_forms(self):
        for keep_alive in (0, -1, 300, "5m", "1.5h", "-1", None):
            self.embed(model=NAME, input="a", keep_alive=keep_alive)

    def test_options_num_ctx_cuts(self):
        answer = self.embed(model=NAME, input=LONG, options={"num_ctx": 16, "temperature": [0, {}]})
        self.assertEqual(answer["prompt_eval_count"], 16)
        self.assertEqual(answer["truncated"][0]["tokens_used"], 16)
        self.refused(400, model=NAME, input="a", options={"num_ctx": "16"})
        for num_ctx in (1, 2):  # no room for a word between the special tokens, or for them
            reply = self.server.post({"model": NAME, "input": "a", "options": {"num_ctx": num_ctx}}, path="/api/embed")
            self.assertEqual(reply.status, 400 if num_ctx == 1 else 200, reply.body[:300])
        self.assertEqual(self.refused(400, model=NAME, input="a", options={"num_ctx": 1}),
                         "input after truncation exceeds maximum context length")

    def test_a_text_that_is_too_long(self):
        self.assertEqual(len(self.embed(model=NAME, input=LONG)["truncated"]), 1)
        self.assertEqual(self.refused(400, model=NAME, input=["a", LONG], truncate=False),
                         "the input length exceeds the context length")

    def test_wrong_types(self):
        for value in (1, {"a": 1}, True, ["a", 1], [[1, 2]]):
            self.assertEqual(self.refused(400, model=NAME, input=value), "invalid input type")
        self.refused(400, model=7, input="a")
        reply = self.server.post(b"{", path="/api/embed")
        self.assertEqual((reply.status, list(reply.json)), (400, ["error"]))
        reply = self.server.post(b"", path="/api/embed")
        self.assertEqual((reply.status, reply.json), (400, {"error": "missing request body"}))

    def test_the_old_route(self):
        own = self.server.embed([ROW["text"]])[0]
        answer = self.embed(path="/api/embeddings", model=NAME, prompt=ROW["text"])
        self.assertEqual(list(answer), ["embedding"])
        self.assertEqual(bits(answer["embedding"]), bits(own))
        self.assertEqual(self.embed(path="/api/embeddings", model=NAME, prompt=""), {"embedding": []})

    def test_the_old_route_leaves_nomic_as_it_is(self):
        with RunningServer(model="nomic-bert") as server:
            fields = {"model": "nomic-bert", "prompt": ROW["text"]}
            raw = server.post(fields, path="/api/embeddings").json["embedding"]
            expected = server.embed([ROW["text"]], normalize=False)[0]
            self.assertEqual(bits(raw), bits(expected))
            self.assertGreater(abs(math.hypot(*raw) - 1), 0.01)

    def test_lists_and_facts(self):
        for path, field in (("/api/tags", "models"), ("/api/ps", "models")):
            models = self.server.get(path).json[field]
            self.assertEqual([m["name"] for m in models], [NAME + ":latest"])
            self.assertEqual(models[0]["details"]["embedding_length"], len(self.server.embed(["a"])[0]))
            self.assertEqual(models[0]["capabilities"], ["embedding"])
        self.assertRegex(self.server.get("/api/version").json["version"], r"^\d+\.\d+\.\d+$")
        shown = self.server.post({"model": NAME}, path="/api/show").json
        self.assertEqual(shown["model_info"]["general.architecture"], "bert")
        self.assertEqual(shown["model_info"]["bert.embedding_length"], len(self.server.embed(["a"])[0]))
        self.assertEqual(self.server.post({"name": "other"}, path="/api/show").status, 404)
        self.assertEqual(self.server.post({}, path="/api/show").status, 400)

    def test_pull_of_what_is_here(self):
        lines = self.server.post({"name": NAME}, path="/api/pull").body.decode().splitlines()
        self.assertEqual(lines[-1], '{"status":"success"}')
        one = self.server.post({"model": NAME, "stream": False}, path="/api/pull")
        self.assertEqual(one.json, {"status": "success"})
        self.assertEqual(self.server.post({"model": "other"}, path="/api/pull").status, 404)

    def test_nothing_is_deleted(self):
        reply = self.server.request("DELETE", "/api/delete", '{"model":"%s"}' % NAME)
        self.assertEqual((reply.status, list(reply.json)), (403, ["error"]))
        self.assertEqual(self.server.post({"model": NAME}, path="/api/delete").status, 405)
        self.assertEqual(self.server.request("DELETE", "/api/embed").status, 405)
        self.assertEqual(len(self.embed(model=NAME, input="a")["embeddings"]), 1)

    def test_somebody_is_there(self):
        reply = self.server.get("/")
        self.assertEqual((reply.status, reply.body), (200, b"Ollama is running"))
        self.assertTrue(reply.headers["Content-Type"].startswith("text/plain"))
        for path in ("/", "/api/version", "/api/tags"):
            self.assertEqual(self.server.request("HEAD", path).status, 200)


class OpenAITest(ServerTest):
    def post(self, status=200, **fields):
        reply = self.server.post(fields, path="/v1/embeddings")
        self.assertEqual(reply.status, status, reply.body[:300])
        if status != 200:
            self.assertEqual(set(reply.json["error"]), {"message", "type", "param", "code"})
        return reply.json

    def test_floats_and_base64_are_the_same_bits(self):
        texts = [ROW["text"], "", "b"]
        own = [bits(v) for v in self.server.embed(texts)]
        floats = self.post(model=NAME, input=texts)
        self.assertEqual([bits(d["embedding"]) for d in floats["data"]], own)
        self.assertEqual([d["index"] for d in floats["data"]], [0, 1, 2])
        self.assertEqual(floats["usage"]["prompt_tokens"], floats["usage"]["total_tokens"])
        packed = self.post(model=NAME, input=texts, encoding_format="base64")
        self.assertEqual([base64.b64decode(d["embedding"], validate=True) for d in packed["data"]], own)

    def test_base64_of_every_length(self):
        for dimensions in (1, 2, 3, 4, 5, 6, 7):
            fields = {"model": NAME, "input": "a", "dimensions": dimensions}
            data = base64.b64decode(self.post(encoding_format="base64", **fields)["data"][0]["embedding"],
                                    validate=True)
            self.assertEqual(data, bits(self.post(**fields)["data"][0]["embedding"]))
            self.assertEqual(len(struct.unpack("<%df" % dimensions, data)), dimensions)

    def test_refusals(self):
        self.assertEqual(self.post(404, model="other", input="a")["error"]["code"], "model_not_found")
        for ids in ([1, 2], [[1, 2]], [[]]):
            message = self.post(400, model=NAME, input=ids)["error"]["message"]
            for remedy in ("token ids", "check_embedding_ctx_length=False", "--token-input accept"):
                self.assertIn(remedy, message)
        for value in ([], None, 7, {"a": 1}):
            self.post(400, model=NAME, input=value)
        self.post(400, model=NAME, input="a", encoding_format="hex")
        self.post(400, model=NAME, input="a", dimensions=0)
        self.post(400, model=NAME, input="a", dimensions=100000)
        self.post(413, model=NAME, input=["a"] * 2049)
        self.assertEqual(len(self.post(model=NAME, input=["a"] * 2048)["data"]), 2048)

    def test_models(self):
        models = self.server.get("/v1/models").json
        self.assertEqual([m["id"] for m in models["data"]], [NAME])
        self.assertEqual(self.server.get("/v1/models/" + NAME).json["id"], NAME)
        self.assertEqual(self.server.get("/v1/models/other").status, 404)


class TokenInputTest(ServerTest):
    """OpenAI's input as ids of the model's own tokenizer."""

    arguments = ("--token-input", "accept")

    def post(self, ids, status=200, **fields):
        reply = self.server.post({"input": ids, **fields}, path="/v1/embeddings")
        self.assertEqual(reply.status, status, reply.body[:300])
        return reply.json

    def vectors(self, ids, **fields):
        return [bits(item["embedding"]) for item in self.post(ids, **fields)["data"]]

    def test_ids_of_a_text_give_its_vector(self):
        rows = [row for row in golden_rows() if "vector" in row]
        expected = [bits(v) for v in self.server.embed([row["text"] for row in rows])]
        self.assertEqual(self.vectors([row["ids"] for row in rows]), expected)
        self.assertEqual(self.vectors([row["ids"][1:-1] for row in rows]), expected, "without special tokens")
        self.assertEqual(self.vectors(rows[-1]["ids"]), expected[-1:], "one list is one text")
        self.assertEqual(self.vectors(ROW["ids"][1:-1]), [bits(self.server.embed([ROW["text"]])[0])])
        self.assertEqual(self.vectors([[]]), [bits(v) for v in self.server.embed([""])])

    def test_half_of_the_special_tokens_is_none(self):
        cls, *own, sep = ROW["ids"]
        ids = [[cls] + own, own + [sep], [cls], [sep]]
        used = self.post(ids)["usage"]["prompt_tokens"]
        self.assertEqual(used, sum(len(i) + 2 for i in ids))
        self.assertEqual(self.post([cls, sep])["usage"]["prompt_tokens"], 2)

    def test_what_is_too_long_is_cut_as_a_text_is(self):
        tokens = self.server.post({"inputs": LONG}, path="/tokenize").json[0]
        ids = [token["id"] for token in tokens]
        answer = self.post([ids, ids[1:-1], ids[:5]])
        self.assertEqual([t["index"] for t in answer["truncated"]], [0, 1])
        self.assertEqual([bits(d["embedding"]) for d in answer["data"]][:2], [bits(self.server.embed([LONG])[0])] * 2)
        text = self.server.post({"input": LONG}, path="/v1/embeddings").json
        self.assertEqual(answer["truncated"][0], text["truncated"][0])

    def test_ids_of_another_tokenizer(self):
        message = self.post([[5], [6, 100277, 7]], 400)["error"]["message"]
        self.assertTrue(message.startswith("input 1: item 1 is no token id of this model"), message)
        self.assertIn("check_embedding_ctx_length=False", message)

    def test_what_is_no_id(self):
        for ids in ([-1], [[1.5]], [[1], 2], [1, [2]], [1, "a"], [[1], "a"], [["a"]], [[[1]]], [2 ** 31],
                    [2 ** 70], [True], [None], ["a", 1], [], {"a": 1}, 7):
            self.assertEqual(self.post(ids, 400)["error"]["type"], "invalid_request_error", ids)
        self.post([[1]] * 2049, 413)
        self.assertEqual(len(self.post([[1]] * 2048)["data"]), 2048)

    def test_texts_as_ever(self):
        self.assertEqual(self.vectors(["a", "b"]), [bits(v) for v in self.server.embed(["a", "b"])])
        reply = self.server.post({"texts": [[1]]})
        self.assertEqual((reply.status, reply.code), (400, "invalid_type"))
        self.assertEqual(self.server.post({"input": [[1]]}, path="/api/embed").status, 400)


class TeiTest(unittest.TestCase):
    def test_inputs_get_a_bare_list(self):
        with RunningServer() as server:
            own = [bits(v) for v in server.embed(["a", "b"])]
            self.assertEqual([bits(v) for v in server.post({"inputs": ["a", "b"]}).json], own)
            self.assertEqual([bits(v) for v in server.post({"inputs": "a"}).json], own[:1])
            raw = server.post({"inputs": "a", "normalize": False}).json[0]
            self.assertEqual(bits(raw), bits(server.embed(["a"], normalize=False)[0]))
            self.assertEqual(len(server.post({"inputs": "a", "dimensions": 5}).json[0]), 5)
            for fields in ({"inputs": "a", "dimensions": 100000}, {"inputs": "a", "prompt_name": "none"},
                           {"inputs": LONG, "truncate": False}):
                reply = server.post(fields)
                self.assertEqual((reply.status, reply.json["error_type"]), (422, "Validation"), fields)
            self.assertEqual(server.post({"inputs": "a", "truncation_direction": "Left"}).status, 400)
            info = server.get("/info").json
            self.assertEqual(info["model_type"], {"embedding": {"pooling": "mean"}})
            self.assertEqual(info["max_input_length"], info["max_tokens"])


class SimilarityTest(unittest.TestCase):
    def test_one_sentence_with_each_of_a_list(self):
        sentences = ["a dog", "a cat", "the small grey cat sat upon a mat"]
        with RunningServer() as server:
            source, *others = server.embed(["a cat"] + sentences)
            expected = [math.fsum(a * b for a, b in zip(source, other)) for other in others]
            inputs = {"source_sentence": "a cat", "sentences": sentences}
            for body in ({"inputs": inputs}, {"inputs": dict(reversed(inputs.items()))},
                         {"parameters": {"truncate": True}, "inputs": inputs}):
                answer = server.post(body, path="/similarity").json
                self.assertEqual(len(answer), 3)
                for a, b in zip(answer, expected):
                    self.assertAlmostEqual(a, b, delta=1e-6)
            for body in ({}, {"inputs": {"sentences": ["a"]}}, {"inputs": {"source_sentence": "a"}},
                         {"inputs": {"source_sentence": "a", "sentences": []}}):
                reply = server.post(body, path="/similarity")
                self.assertEqual((reply.status, reply.json["error_type"]), (400, "Empty"), body)
            for value in ("a", ["a"], 1, {"source_sentence": 1, "sentences": ["a"]}):
                self.assertEqual(server.post({"inputs": value}, path="/similarity").status, 400)
            inputs = {"source_sentence": LONG, "sentences": ["a"]}
            reply = server.post({"inputs": inputs, "parameters": {"truncate": False}}, path="/similarity")
            self.assertEqual((reply.status, reply.json["error_type"]), (422, "Validation"))


if __name__ == "__main__":
    unittest.main()
