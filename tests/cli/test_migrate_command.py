"""embedd migrate: vectors made in a known way, and what it says about them."""
import json
import os
import unittest

from run_program import GOLDEN, MODEL, ProgramTest

STORE = os.path.join(GOLDEN, "ollama-store")
ARROW = os.path.join(os.environ["EMBEDD_TEST_DATA"], "arrow")
TEXTS = ["a cat", "the invoice was paid twice", "Der Hund schläft.", "日本語のテキスト", "x = 1;",
         "one more text", "and another one", "short", "the last but one", "the end"]


class MigrateTest(ProgramTest):
    """The models of the machine: three folders of embedd's own, and Ollama's store."""

    def setUp(self):
        super().setUp()
        models = os.path.join(self.folder, "models", "acme")
        os.makedirs(models)
        for name in ("bert", "bert-prompts", "nomic-bert"):
            os.symlink(os.path.join(GOLDEN, name), os.path.join(models, name))

    def environment(self, variables=None):
        return super().environment({"OLLAMA_MODELS": STORE,
                                    "EMBEDD_MODELS": os.path.join(self.folder, "models"),
                                    **(variables or {})})

    def write_table(self, *arguments, texts=TEXTS):
        """A table whose vectors embedd embed makes with these arguments."""
        self.write("texts.txt", "\n".join(texts))
        self.run_program("embed", "--file", "texts.txt", "--out", "old.jsonl", *arguments)
        return [json.loads(line) for line in self.read("old.jsonl").splitlines()]

    def migrate(self, *arguments, **more):
        output = self.run_program("migrate", "--json", "old.jsonl", *arguments, **more).stdout
        return json.loads(output)

    def expect_best(self, answer, **fields):
        for name, value in fields.items():
            self.assertEqual(answer["matches"][0][name], value, answer["matches"][0])

    def test_normalized_vectors_of_a_local_model(self):
        self.write_table("-m", "acme/bert")
        answer = self.migrate()
        self.assertEqual((answer["records"], answer["dim"], answer["vectors"], answer["verdict"],
                          answer["reindex"]), (10, 64, "normalized", "same", False))
        self.assertEqual(answer["models"], 6)
        self.expect_best(answer, model="acme/bert", prompt_name=None, pooling="own", same=10)
        output = self.run_program("migrate", "old.jsonl").stdout
        for line in ("10 records of 64 numbers looked at", "vectors   of length 1\n",
                     "result    no new index: acme/bert computes the same vectors\n",
                     "use       -m acme/bert\n"):
            self.assertIn(line, output)

    def test_raw_vectors_as_ollama_gives_them(self):
        self.write_table("-m", "ollama:tiny-nomic", "--no-normalize")
        answer = self.migrate()
        self.assertEqual((answer["vectors"], answer["verdict"]), ("raw", "same"))
        self.expect_best(answer, prompt_name=None, length_ratio=[1, 1])
        self.assertIn("nomic", answer["matches"][0]["model"])
        output = self.run_program("migrate", "old.jsonl").stdout
        self.assertRegex(output, r"vectors   raw, of length \d.\d+ to \d")
        self.assertIn('--no-normalize; in requests "normalize": false', output)

    def test_the_prompt_is_found(self):
        self.write_table("-m", "acme/bert-prompts", "--prompt-name", "passage")
        self.expect_best(self.migrate(), model="acme/bert-prompts", prompt_name="passage", same=10)
        self.assertIn("use       -m acme/bert-prompts --prompt-name passage\n",
                      self.run_program("migrate", "old.jsonl").stdout)

    def test_no_prompt_where_the_model_has_one_by_default(self):
        self.write_table("-m", "acme/bert-prompts", "--prompt", "")
        output = self.run_program("migrate", "old.jsonl", "-m", "acme/bert-prompts").stdout
        self.assertIn('use       -m acme/bert-prompts --prompt ""\n', output)

    def test_another_pooling_is_found(self):
        self.write_table("-m", "acme/bert", "--pooling", "cls")
        self.expect_best(self.migrate(), model="acme/bert", pooling="cls", same=10)
        self.assertIn("--pooling cls", self.run_program("migrate", "old.jsonl").stdout)

    def test_shorter_vectors(self):
        self.write_table("-m", "acme/nomic-bert", "--dimensions", "32")
        answer = self.migrate("-m", "acme/nomic-bert")
        self.expect_best(answer, cut="layer_norm", dim=64, same=10)
        self.assertEqual(answer["dim"], 32)
        self.assertIn("--dimensions 32", self.run_program("migrate", "old.jsonl").stdout)

    def test_another_precision_is_close(self):
        self.write_table("-m", "acme/bert", "--dtype", "int8")
        answer = self.migrate()
        self.assertEqual((answer["verdict"], answer["reindex"]), ("close", False))
        self.expect_best(answer, model="acme/bert", close=10)
        self.assertIn("the same vectors but for precision",
                      self.run_program("migrate", "old.jsonl").stdout)

    def test_a_text_that_changed_since(self):
        rows = self.write_table("-m", "acme/bert")
        rows[3]["text"] = "something else altogether, and longer than before"
        self.write("old.jsonl", "\n".join(map(json.dumps, rows)))
        answer = self.migrate(code=1)
        self.assertEqual((answer["verdict"], answer["reindex"]), ("most", True))
        self.expect_best(answer, model="acme/bert", close=9, compared=10)
        self.assertIn("9 of 10 vectors are those of acme/bert",
                      self.run_program("migrate", "old.jsonl", code=1).stdout)

    def test_vectors_of_no_model_here(self):
        rows = self.write_table("-m", "acme/bert")
        for i, row in enumerate(rows):
            row["vector"] = [((7 * i + 13 * j) % 29 - 14) / 50 for j in range(64)]
        self.write("old.jsonl", "\n".join(map(json.dumps, rows)))
        answer = self.migrate(code=1)
        self.assertEqual((answer["verdict"], answer["reindex"]), ("none", True))
        self.assertIn("result    a new index: no model here computes these vectors",
                      self.run_program("migrate", "old.jsonl", code=1).stdout)

    def test_vectors_longer_than_any_models(self):
        self.write("old.jsonl", json.dumps({"text": "a", "vector": [0.5] * 65}))
        output = self.run_program("migrate", "old.jsonl", code=1).stdout
        self.assertIn("left out  acme/bert: its vectors have 64 numbers", output)

    def test_models_that_make_no_vectors(self):
        heads = os.path.join(os.environ["EMBEDD_TEST_DATA"], "heads")
        for name in ("bert-reranker", "bert-splade"):
            os.symlink(os.path.join(heads, name), os.path.join(self.folder, "models/acme", name))
        self.write_table("-m", "acme/bert")
        self.expect_best(self.migrate(), model="acme/bert", same=10)
        output = self.run_program("migrate", "old.jsonl").stdout
        for name in ("bert-reranker", "bert-splade"):
            self.assertIn("left out  acme/%s: it does not make vectors\n" % name, output)

    def test_a_text_that_is_cut_does_not_count(self):
        self.write_table("-m", "acme/bert", texts=["word " * 400, *TEXTS])
        answer = self.migrate("-m", "acme/bert")
        self.assertEqual((answer["records"], answer["verdict"]), (11, "same"))
        self.expect_best(answer, compared=10)

    def test_sample(self):
        self.write_table("-m", "acme/bert")
        self.assertEqual(self.migrate("--sample", "4", "-m", "acme/bert")["records"], 4)

    def test_arrow_of_lancedb(self):
        answer = json.loads(self.run_program("migrate", "--json",
                                             os.path.join(ARROW, "lancedb.arrow")).stdout)
        self.assertEqual((answer["records"], answer["vectors"], answer["verdict"]),
                         (24, "normalized", "same"))
        self.expect_best(answer, model="acme/bert", same=24)

    def test_arrow_stream_with_other_columns_and_rows_without_text(self):
        answer = json.loads(self.run_program(
            "migrate", "--json", "--field", "body", "--vector-field", "embedding",
            os.path.join(ARROW, "stream.arrow"), "-m", MODEL[:-len("-mean-norm")]).stdout)
        self.assertEqual((answer["records"], answer["vectors"], answer["verdict"]),
                         (19, "raw", "same"))

    def test_arrow_half_floats(self):
        answer = json.loads(self.run_program("migrate", "--json", "-m", "acme/bert",
                                             os.path.join(ARROW, "half.arrow")).stdout)
        self.assertEqual((answer["records"], answer["verdict"]), (19, "same"))
        low, high = answer["matches"][0]["length_ratio"]
        self.assertAlmostEqual(low, 1, places=3)
        self.assertAlmostEqual(high, 1, places=3)

    def test_arrow_that_is_not_read(self):
        for name, sentence in (("compressed", "its buffers are compressed; write it without"),
                               ("views", "export a table with the text and the vector only"),
                               ("whole-numbers", "vector does not hold lists of floats"),
                               ("empty", "there is no record in it"),
                               ("stream", "no column text, but kind, nothing, raw, nested, body, "
                                          "embedding; --field names another")):
            result = self.run_program("migrate", os.path.join(ARROW, name + ".arrow"), code=1)
            self.assertIn(sentence, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_arrow_cut_anywhere(self):
        with open(os.path.join(ARROW, "half.arrow"), "rb") as file:
            whole = file.read()
        for n in range(9, len(whole) - 600, 331):
            path = self.write("cut.arrow", whole[:n])
            result = self.run_program("migrate", path, "-m", "acme/bert", code=None)
            self.assertIn(result.returncode, (0, 1), n)

    def test_mistakes(self):
        self.assertIn("say which file", self.run_program("migrate", code=2).stderr)
        self.run_program("migrate", "missing.jsonl", code=1)
        rows = [{"text": "a", "vector": [1, 2]}, {"text": "b", "vector": [1, 2, 3]}]
        path = self.write("two.jsonl", "\n".join(map(json.dumps, rows)))
        self.assertIn("record 2 has 3 numbers, the first has 2",
                      self.run_program("migrate", path, code=1).stderr)
        nothing = {"EMBEDD_MODELS": self.folder, "OLLAMA_MODELS": self.folder}
        path = self.write("one.jsonl", json.dumps(rows[0]))
        self.assertIn("no model on this machine",
                      self.run_program("migrate", path, code=3, variables=nothing).stderr)


if __name__ == "__main__":
    unittest.main()
