"""embedd verify: the vectors beside a model, in a file, of plain C, and Ollama's own."""
import json
import os
import shutil
import unittest

from run_program import GOLDEN, MODEL, ProgramTest

STORE = os.path.join(GOLDEN, "ollama-store")
OLLAMA_TEXT = "why is the sky blue?"


def rows_of(*path):
    with open(os.path.join(GOLDEN, *path), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class VerifyTest(ProgramTest):
    def environment(self, variables=None):
        return super().environment({"OLLAMA_MODELS": STORE, **(variables or {})})

    def verify(self, model, *arguments, **more):
        output = self.run_program("verify", "-m", model, "--json", *arguments, **more).stdout
        return json.loads(output)

    def write_rows(self, rows):
        return self.write("rows.jsonl", "\n".join(json.dumps(row) for row in rows))

    def model_without_expected(self):
        folder = os.path.join(self.folder, "model")
        shutil.copytree(MODEL, folder, ignore=shutil.ignore_patterns("expected*"))
        return folder

    def test_expected_vectors_beside_the_model(self):
        for name in ("bert", "bert-prompts", "mpnet", "nomic-bert", "roberta", "xlm-roberta"):
            answer = self.verify(os.path.join(GOLDEN, name))
            expected = os.path.join(GOLDEN, name, "expected.jsonl")
            self.assertEqual((answer["expected"], answer["same"]), (expected, True))
            self.assertEqual(answer["vectors"], len(rows_of(name, "expected.jsonl")))
            self.assertGreater(answer["min_cosine"], 0.9999999)
            self.assertLess(answer["max_difference"], 1e-5)
            self.assertEqual(answer["required_cosine"], 0.999999)

    def test_vectors_with_prompts(self):
        for name in ("bert-prompts", "bert-prompts-excluded", "nomic-bert"):
            folder = os.path.join(GOLDEN, name)
            answer = self.verify(folder, os.path.join(folder, "expected_prompts.jsonl"))
            self.assertLess(answer["max_difference"], 1e-5)

    def test_shorter_vectors(self):
        rows = [row for row in rows_of("nomic-bert", "expected_matryoshka.jsonl")
                if row["dimensions"] < 64]
        self.assertEqual({row["layer_norm"] for row in rows}, {True, False})
        answer = self.verify(os.path.join(GOLDEN, "nomic-bert"), self.write_rows(rows))
        self.assertEqual(answer["vectors"], len(rows))
        self.assertLess(answer["max_difference"], 1e-5)

    def test_gguf_file(self):
        model = os.path.join(GOLDEN, "gguf", "nomic-bert-q8_0.gguf")
        answer = self.verify(model)
        self.assertEqual(answer["required_cosine"], 0.999, "llama.cpp rounds activations, too")
        self.assertTrue(answer["expected"].endswith("nomic-bert-q8_0.expected.jsonl"))
        exact = self.verify(model, answer["expected"], "--vector-field", "vector_dequant",
                            "--min-cosine", "0.9999999")
        self.assertLess(exact["max_difference"], 1e-5)

    def test_without_expected_vectors_plain_c_decides(self):
        model = self.model_without_expected()
        for dtype, required in (("f32", 0.999999), ("bf16", 0.9995), ("int8", 0.998)):
            answer = self.verify(model, "--dtype", dtype)
            self.assertEqual((answer["dtype"], answer["expected"], answer["required_cosine"]),
                             (dtype, None, required))
            self.assertGreaterEqual(answer["vectors"], 4)
            self.assertGreaterEqual(answer["min_cosine"], required)
        self.assertIn("the plain C kernels", self.run_program("verify", "-m", model).stdout)

    def test_lines_for_a_person(self):
        output = self.run_program("verify", "-m", MODEL).stdout
        for line in ("compared with       %s/expected.jsonl, 88 vectors" % MODEL,
                     "least cosine        1.0000000, of ", "mean cosine         1.0000000",
                     "result              the same vectors"):
            self.assertIn(line, output)

    def test_a_wrong_vector_is_found(self):
        rows = rows_of("bert-mean-norm", "expected.jsonl")
        row, other = [row for row in rows if row["name"] in ("en_short", "en_question")]
        right = sum(x * y for x, y in zip(row["vector"], other["vector"]))
        row["vector"] = other["vector"]
        answer = self.verify(MODEL, self.write_rows(rows), code=1)
        self.assertEqual((answer["same"], answer["worst_text"]), (False, row["text"]))
        self.assertAlmostEqual(answer["min_cosine"], right, places=6)
        self.assertLess(answer["min_cosine"], 0.999)
        output = self.run_program("verify", "-m", MODEL, "rows.jsonl", code=1).stdout
        self.assertIn("OTHER vectors", output)
        self.verify(MODEL, "rows.jsonl", "--min-cosine", "%.6f" % (answer["min_cosine"] - 1e-5))

    def test_a_raw_vector_is_compared_raw(self):
        rows = [row for row in rows_of("bert", "expected.jsonl") if not row["normalize"]]
        self.assertGreater(sum(x * x for x in rows[0]["vector"]), 4)
        self.assertLess(self.verify(os.path.join(GOLDEN, "bert"),
                                    self.write_rows(rows))["max_difference"], 1e-5)

    def test_what_embed_wrote(self):
        self.write("texts.txt", "one text\nund noch einer")
        self.run_program("embed", "-m", MODEL, "--file", "texts.txt", "--out", "expected.jsonl",
                         "--format", "jsonl")
        self.assertEqual(self.verify(MODEL, "expected.jsonl")["max_difference"], 0)
        renamed = [{"body": row["text"], "v": row["vector"]} for row in
                   map(json.loads, self.read("expected.jsonl").splitlines())]
        self.assertEqual(self.verify(MODEL, self.write_rows(renamed), "--field", "body",
                                     "--vector-field", "v")["vectors"], 2)

    def test_vectors_of_ollamas_tests(self):
        """integration/testdata/embed.json: {"MODEL": [numbers], ...} of one text, some raw."""
        raw = json.loads(self.run_program("embed", "-m", "ollama:tiny-nomic", "--no-normalize",
                                          OLLAMA_TEXT).stdout)["vectors"][0]
        others = {"other:latest": [1.0] * 64, "large": [0.5] * 1024}
        text = json.dumps({**others, "tiny-nomic:latest": raw}, indent=2)
        path = self.write("embed.json", text)
        answer = self.verify("ollama:tiny-nomic", path)
        self.assertEqual((answer["expected_name"], answer["vectors"], answer["worst_text"]),
                         ("tiny-nomic:latest", 1, OLLAMA_TEXT))
        self.assertLess(answer["max_difference"], 1e-6)
        self.assertIn("there tiny-nomic:latest",
                      self.run_program("verify", "-m", "ollama:tiny-nomic", path).stdout)
        # On one line it is the same file; without the model's own vector, another is nearest.
        one_line = self.write("line.json", json.dumps({"tiny-nomic:latest": raw}))
        self.assertIs(self.verify("ollama:tiny-nomic", one_line)["same"], True)
        answer = self.verify("ollama:tiny-nomic", self.write("x.json", json.dumps(others)), code=1)
        self.assertEqual(answer["expected_name"], "other:latest")
        wide = self.write("wide.json", '{\n"large": [1, 2, 3]\n}')
        self.assertIn("none of its 1 vectors has the model's 64 numbers",
                      self.run_program("verify", "-m", MODEL, wide, code=1).stderr)

    def test_files_that_are_something_else(self):
        cases = (("", "there is no record in it"), ("[1, 2]", "broken.jsonl:1: is not a JSON object"),
                 ("no json", "broken.jsonl:1: "),
                 ('{"text": "a"}', "there is no field vector; --vector-field names another"),
                 ('{"text": "a", "vector": []}', "vector is not a list of numbers"),
                 ('{"text": "a", "vector": [1, "x"]}', "not a number"),
                 ('{"text": "a", "vector": [1e999]}', "not finite"),
                 ('{"text": "a", "vector": %s}' % ([1] * 65), "has 65 numbers, the model's 64"),
                 ('{"text": 1, "vector": [1]}', "text"))
        for content, sentence in cases:
            path = self.write("broken.jsonl", content)
            result = self.run_program("verify", "-m", MODEL, path, code=1)
            self.assertIn(sentence, result.stderr, content)
            self.assertEqual(result.stdout, "")
        self.run_program("verify", "-m", MODEL, "missing.jsonl", code=1)

    def test_options(self):
        self.assertIn("needs a model", self.run_program("verify", code=2).stderr)
        for cosine in ("0", "1.5", "x", "-1", ""):
            self.assertIn("--min-cosine: a number above 0",
                          self.run_program("verify", "-m", MODEL, "--min-cosine", cosine,
                                           code=2).stderr)


if __name__ == "__main__":
    unittest.main()
