"""embedd similarity and embedd info."""
import json
import os
import unittest

from run_program import GOLDEN, MODEL, ProgramTest

TEXTS = ["a cat", "日本語のテキスト", "a text that is much longer than the others and is cut"]


class SimilarityTest(ProgramTest):
    def similarity(self, *arguments, **more):
        return self.run_program("similarity", "-m", MODEL, *arguments, **more)

    def test_json_is_the_cosine_of_the_vectors(self):
        answer = json.loads(self.similarity("--json", *TEXTS).stdout)
        output = self.run_program("embed", "-m", MODEL, *TEXTS).stdout
        vectors = json.loads(output)["vectors"]
        self.assertEqual(answer["texts"], TEXTS)
        for i, row in enumerate(answer["similarities"]):
            self.assertAlmostEqual(row[i], 1, places=6)
            for j, similarity in enumerate(row):
                self.assertEqual(similarity, answer["similarities"][j][i])
                self.assertAlmostEqual(similarity, sum(x * y for x, y in zip(vectors[i], vectors[j])),
                                       places=6)

    def test_table_is_aligned(self):
        lines = self.similarity(*TEXTS).stdout.splitlines()
        self.assertEqual(lines[0].split(), ["1", "2", "3"])
        widths = {len(line) + sum("\u3000" < c < "\ufb00" for c in line) for line in lines}
        self.assertEqual(len(widths), 1, "every line has the width of the first on a terminal")
        self.assertEqual(lines[1].split()[0], "1")
        self.assertIn("a text that is much longer than the o...", lines[3])
        values = [[float(x) for x in line.split()[-3:]] for line in lines[1:]]
        answer = json.loads(self.similarity("--json", *TEXTS).stdout)["similarities"]
        self.assertEqual(values, [[round(x, 3) for x in row] for row in answer])

    def test_a_text_cannot_steer_the_terminal(self):
        output = self.similarity("red \x1b[31m", "tab\tand\nbreak\u202e").stdout
        for character in "\x1b\t\u202e":
            self.assertNotIn(character, output)
        self.assertEqual(len(output.splitlines()), 3)

    def test_lines_of_a_file_and_of_standard_input(self):
        expected = self.similarity("--json", *TEXTS).stdout
        path = self.write("texts.txt", "\n".join(TEXTS))
        self.assertEqual(self.similarity("--json", "--file", path).stdout, expected)
        self.assertEqual(self.similarity("--json", stdin="\n".join(TEXTS)).stdout, expected)

    def test_a_long_text_is_cut_and_told(self):
        self.assertIn("text 2 was cut: it has 802 tokens, the model reads 128",
                      self.similarity("a", "word " * 400).stderr)
        self.assertIn("text 2: the text has 802 tokens",
                      self.similarity("a", "word " * 400, "--no-truncate", code=1).stderr)

    def test_how_many(self):
        for texts in ([], ["a"]):
            self.assertIn("two texts or more", self.similarity(*texts, code=2).stderr)
        self.similarity(stdin="x\n" * 256)
        self.assertIn("at most 256 texts", self.similarity(stdin="x\n" * 257, code=2).stderr)
        self.assertIn("at most 256 texts", self.similarity(*["x"] * 257, code=2).stderr)

    def test_bytes_that_are_no_text(self):
        self.assertIn("text 2: the text is not valid UTF-8",
                      self.similarity("a", b"\xff", code=1).stderr)


class InfoTest(ProgramTest):
    def test_card(self):
        card = self.run_program("info", "-m", MODEL).stdout
        for line in ("architecture  bert, 2 layers of 64", "vector        64 numbers",
                     "reads         128 tokens", "pooling       mean", "computes      f32 on "):
            self.assertIn(line, card)
        self.assertNotIn("prompt", card, "prompts without text are none")

    def test_prompts_are_explained(self):
        card = self.run_program("info", "-m", os.path.join(GOLDEN, "bert-prompts")).stdout
        self.assertIn('query: "query: "', card)
        self.assertIn('The prompt "query" is put before each text', card)

    def test_json(self):
        model = os.path.join(GOLDEN, "bert-prompts")
        answer = json.loads(self.run_program("info", "-m", model, "--json", "--cpu", "ref",
                                             "--threads", "1").stdout)
        expected = {"model_id": model, "folder": model, "architecture": "bert", "pooling": "mean",
                    "dtype": "f32", "cpu_level": "ref", "dim": 64, "max_tokens": 128,
                    "n_layers": 2, "hidden_size": 64, "threads": 1, "default_prompt": "query"}
        for name, value in expected.items():
            self.assertEqual(answer[name], value, name)
        self.assertEqual(answer["prompts"]["passage"], "passage: ")
        self.assertIs(answer["normalized"], True)

    def test_variables_reach_the_model(self):
        answer = json.loads(self.run_program("info", "--json", variables={
            "EMBEDD_MODEL": MODEL, "EMBEDD_CPU": "ref", "EMBEDD_THREADS": "1"}).stdout)
        self.assertEqual((answer["cpu_level"], answer["threads"]), ("ref", 1))


if __name__ == "__main__":
    unittest.main()
