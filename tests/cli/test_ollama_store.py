"""Models of Ollama's store and GGUF files, used in place: list, info, embed, serve."""
import json
import os
import shutil
import unittest

from run_program import GOLDEN, ProgramTest

STORE = os.path.join(GOLDEN, "ollama-store")
FILE = os.path.join(GOLDEN, "gguf", "nomic-bert-q8_0.gguf")


class OllamaStoreTest(ProgramTest):
    def environment(self, variables=None):
        return super().environment({"OLLAMA_MODELS": STORE, **(variables or {})})

    def models(self, variables=None):
        output = self.run_program("list", "--json", variables=variables).stdout
        return {model["name"]: model for model in json.loads(output)["models"]}

    def card(self, name):
        return json.loads(self.run_program("info", "-m", name, "--json").stdout)

    def vectors(self, name, stdin="a short text\nanother one\n"):
        output = self.run_program("embed", "-m", name, stdin=stdin).stdout
        return json.loads(output)["vectors"]

    def copy_store(self):
        store = os.path.join(self.folder, "store")
        shutil.copytree(STORE, store)
        return store

    def test_list(self):
        models = self.models()
        self.assertEqual(set(models), {"ollama:tiny-nomic:latest", "ollama:tiny-nomic:q8_0",
                                       "ollama:acme/tiny-bert:latest"})
        for model in models.values():
            self.assertEqual(model["source"], "ollama")
            self.assertTrue(model["folder"].startswith(STORE + "/blobs/sha256-"), model)
        # Ollama's own number: all layers, the licence and the parameters with them.
        self.assertEqual(models["ollama:tiny-nomic:latest"]["bytes"], 465728 + 47 + 15)

    def test_the_default_place(self):
        store = os.path.join(self.folder, ".ollama/models")
        shutil.copytree(STORE, store)
        self.assertEqual(len(self.models({"OLLAMA_MODELS": ""})), 3)
        self.assertEqual(self.models({"OLLAMA_MODELS": "/nowhere"}), {})

    def test_names(self):
        latest = self.card("ollama:tiny-nomic")["folder"]
        for name in ("ollama:tiny-nomic:latest", "ollama:library/tiny-nomic", "tiny-nomic",
                     "ollama:registry.ollama.ai/library/tiny-nomic:latest", "ollama:Tiny-Nomic:LATEST",
                     "tiny-nomic:latest"):
            self.assertEqual(self.card(name)["folder"], latest, name)
        self.assertNotEqual(self.card("ollama:tiny-nomic:q8_0")["folder"], latest)
        self.assertEqual(self.card("ollama:acme/tiny-bert")["architecture"], "bert")

    def test_no_such_name(self):
        def fails(name):
            return self.run_program("info", "-m", name, code=3).stderr

        self.assertIn("ollama pull nosuch", fails("ollama:nosuch"))
        self.assertIn("ollama pull tiny-bert", fails("ollama:tiny-bert"))
        broken = fails("ollama:broken")
        self.assertIn("sha256-", broken)
        self.assertIn("is missing", broken)
        for name in ("ollama:../../secret", "ollama:a/../b", "ollama:.hidden", "ollama:", "ollama:a:b/c",
                     "ollama:a/b/c/d", "ollama:x:..", "ollama:" + "x" * 81):
            result = self.run_program("info", "-m", name, code=2)
            self.assertIn("is no name of Ollama's", result.stderr, name)

    def test_vectors_are_the_file_s(self):
        self.assertEqual(self.vectors("ollama:tiny-nomic:q8_0"), self.vectors(FILE))

    def test_vectors_are_the_expected_ones(self):
        with open(FILE.replace(".gguf", ".expected.jsonl"), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        rows = [row for row in rows if "\n" not in row["text"] and "\r" not in row["text"]
                and "\0" not in row["text"]]
        vectors = self.vectors("ollama:tiny-nomic:q8_0", "".join(row["text"] + "\n" for row in rows))
        self.assertGreater(len(rows), 20)
        for row, vector in zip(rows, vectors, strict=True):
            for a, b in zip(vector, row["vector_dequant"], strict=True):
                self.assertLess(abs(a - b), 1e-5, row["name"])

    def test_nothing_is_written(self):
        store = self.copy_store()
        os.remove(os.path.join(store, "manifests/registry.ollama.ai/library/broken/latest"))
        before = sorted((root, files) for root, _, files in os.walk(store))
        self.run_program("embed", "-m", "ollama:tiny-nomic", stdin="x\n",
                         variables={"OLLAMA_MODELS": store})
        self.run_program("list", variables={"OLLAMA_MODELS": store})
        self.assertEqual(sorted((root, files) for root, _, files in os.walk(store)), before)

    def test_what_cannot_embed_is_not_listed(self):
        store = self.copy_store()
        self.write("store/manifests/registry.ollama.ai/library/odd/latest", "{}")
        self.write("store/manifests/registry.ollama.ai/library/none/latest", "no JSON")
        self.write("store/manifests/registry.ollama.ai/library/deep/er/latest", "{}")
        self.write("store/manifests/registry.ollama.ai/file", "{}")
        blob = "sha256-" + "0" * 64
        self.write("store/blobs/" + blob, "GGUF, or so it says")
        self.write("store/manifests/registry.ollama.ai/library/cut/latest", json.dumps({"layers": [
            {"mediaType": "application/vnd.ollama.image.model", "digest": blob, "size": 19}]}))
        self.assertEqual(set(self.models({"OLLAMA_MODELS": store})), set(self.models()))
        for name, words in (("odd", "no layer holds a GGUF model"), ("none", "latest: "),
                            ("cut", blob)):
            stderr = self.run_program("info", "-m", "ollama:" + name, code=4,
                                      variables={"OLLAMA_MODELS": store}).stderr
            self.assertIn(words, stderr)

    def test_files(self):
        self.assertEqual(self.card(FILE)["dim"], 64)
        other = self.write("model.bin", "not a model")
        self.assertIn("neither a folder nor a GGUF file",
                      self.run_program("info", "-m", other, code=4).stderr)
        os.symlink(FILE, os.path.join(self.folder, "link"))
        self.assertEqual(self.card("link")["dim"], 64)


if __name__ == "__main__":
    unittest.main()
