"""embedd list, and names given to -m: embedd's own store and the Hugging Face cache."""
import json
import os
import shutil
import unittest

from run_program import MODEL, ProgramTest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class ListTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.store = os.path.join(self.folder, ".local/share/embedd/models")
        self.cache = os.path.join(self.folder, ".cache/huggingface/hub")

    def pulled(self, name, store=None):
        folder = os.path.join(store or self.store, name)
        shutil.copytree(MODEL, folder)
        return folder

    def cached(self, name, cache=None, commit=COMMIT, main=COMMIT):
        """A snapshot as huggingface_hub lays it out: links to blobs."""
        entry = os.path.join(cache or self.cache, "models--" + name.replace("/", "--"))
        snapshot = os.path.join(entry, "snapshots", commit)
        blobs = os.path.join(entry, "blobs")
        os.makedirs(blobs, exist_ok=True)
        for root, _, files in os.walk(MODEL):
            for file in files:
                relative = os.path.relpath(os.path.join(root, file), MODEL)
                blob = os.path.join(blobs, relative.replace("/", "_"))
                shutil.copy(os.path.join(root, file), blob)
                link = os.path.join(snapshot, relative)
                os.makedirs(os.path.dirname(link), exist_ok=True)
                os.symlink(os.path.relpath(blob, os.path.dirname(link)), link)
        if main:
            os.makedirs(os.path.join(entry, "refs"), exist_ok=True)
            with open(os.path.join(entry, "refs", "main"), "w") as file:
                file.write(main)
        return snapshot

    def models(self, variables=None):
        output = self.run_program("list", "--json", variables=variables).stdout
        return {(model["name"], model["source"]): model for model in json.loads(output)["models"]}

    def found(self, name, code=0, variables=None):
        result = self.run_program("info", "-m", name, "--json", code=code, variables=variables)
        return json.loads(result.stdout)["folder"] if code == 0 else result.stderr

    def test_nothing_yet(self):
        result = self.run_program("list")
        self.assertEqual(result.stdout, "")
        self.assertIn("embedd pull", result.stderr)
        self.assertEqual(self.run_program("list", "--names").stdout, "")
        self.assertEqual(self.models(), {})

    def test_both_places(self):
        pulled = self.pulled("sentence-transformers/tiny")
        snapshot = self.cached("acme/tiny")
        models = self.models()
        self.assertEqual(set(models), {("sentence-transformers/tiny", "embedd"),
                                       ("acme/tiny", "huggingface")})
        self.assertEqual(models["sentence-transformers/tiny", "embedd"]["folder"], pulled)
        self.assertEqual(models["acme/tiny", "huggingface"]["folder"], snapshot)
        size = sum(os.path.getsize(os.path.join(root, file))
                   for root, _, files in os.walk(MODEL) for file in files)
        for model in models.values():
            self.assertEqual(model["bytes"], size)
        lines = self.run_program("list").stdout.splitlines()
        self.assertEqual([line.split() for line in lines],
                         [["NAME", "SIZE", "FROM"],
                          ["acme/tiny", "%.1f" % (size / 1000), "kB", "huggingface"],
                          ["sentence-transformers/tiny", "%.1f" % (size / 1000), "kB", "embedd"]])
        self.assertEqual(self.run_program("list", "--names").stdout,
                         "acme/tiny\nsentence-transformers/tiny\n")

    def test_names(self):
        pulled = self.pulled("sentence-transformers/tiny")
        self.cached("sentence-transformers/tiny")
        snapshot = self.cached("acme/other")
        bare = self.cached("bert-tiny")
        self.assertEqual(self.found("sentence-transformers/tiny"), pulled)
        self.assertEqual(self.found("tiny"), pulled)
        self.assertEqual(self.found("acme/other"), snapshot)
        self.assertEqual(self.found("bert-tiny"), bare)
        shutil.rmtree(pulled)
        self.assertIn("snapshots", self.found("tiny"))

    def test_a_folder_wins(self):
        self.pulled("acme/tiny")
        shutil.copytree(MODEL, os.path.join(self.folder, "acme/tiny"))
        self.assertEqual(self.found("acme/tiny"), "acme/tiny")

    def test_variables_say_where(self):
        elsewhere = os.path.join(self.folder, "elsewhere")
        pulled = self.pulled("acme/pulled", store=elsewhere)
        self.assertEqual(self.found("acme/pulled", variables={"EMBEDD_MODELS": elsewhere}), pulled)
        self.assertEqual(self.found("acme/pulled", variables={"EMBEDD_MODELS": "~/elsewhere"}), pulled)
        data = self.pulled("acme/data", store=os.path.join(self.folder, "data/embedd/models"))
        self.assertEqual(self.found("acme/data", variables={
            "XDG_DATA_HOME": os.path.join(self.folder, "data")}), data)
        snapshot = self.cached("acme/cached", cache=os.path.join(elsewhere, "hub"))
        for variables in ({"HF_HOME": elsewhere}, {"HF_HUB_CACHE": elsewhere + "/hub"},
                          {"HUGGINGFACE_HUB_CACHE": elsewhere + "/hub"},
                          {"HF_HUB_CACHE": elsewhere + "/hub", "HF_HOME": "/nowhere"}):
            self.assertEqual(self.found("acme/cached", variables=variables), snapshot)
        caches = self.cached("acme/caches", cache=os.path.join(self.folder, "c/huggingface/hub"))
        self.assertEqual(self.found("acme/caches", variables={
            "XDG_CACHE_HOME": os.path.join(self.folder, "c")}), caches)

    def test_snapshots(self):
        other = "f" * 40
        self.cached("acme/two", commit=other)
        main = self.cached("acme/two")
        self.assertEqual(self.found("acme/two"), main, "refs/main chooses")
        alone = self.cached("acme/one", main=None)
        self.assertEqual(self.found("acme/one"), alone, "without refs/main there is but one")
        kept = self.cached("acme/old", commit=other, main=COMMIT)
        self.assertEqual(self.found("acme/old"), kept, "refs/main leads to nothing")
        self.cached("acme/bad", commit=other, main="../../../../etc")
        self.assertIn(other, self.found("acme/bad"), "refs/main is no commit")

    def test_what_is_no_model_is_not_listed(self):
        for name, keep in (("acme/weights", "model.safetensors"), ("acme/config", "config.json")):
            folder = os.path.join(self.store, name)
            os.makedirs(folder)
            shutil.copy(os.path.join(MODEL, keep), folder)
        self.pulled("acme/.tiny.partial")
        snapshot = self.cached("acme/half")
        os.remove(os.path.join(snapshot, "model.safetensors"))
        dangling = self.cached("acme/dangling")
        os.remove(os.path.realpath(os.path.join(dangling, "model.safetensors")))
        os.makedirs(os.path.join(self.cache, "datasets--acme--x"))
        self.write(".local/share/embedd/models/file", "")
        self.assertEqual(self.models(), {})
        for name in ("acme/weights", "acme/config", "acme/half", "acme/dangling"):
            self.assertIn("embedd pull " + name, self.found(name, code=3))

    def test_names_never_leave_the_store(self):
        shutil.copytree(MODEL, os.path.join(self.folder, ".local/share/embedd/secret"))
        for name in ("../secret", "x/../../secret", "acme/..", ".hidden", "a/b/c", "-x/y",
                     "acme--x", "acme/x--y", "a b", "x" * 97, "acme/", "/acme"):
            self.assertIn("no such folder", self.found(name, code=3), name)

    def test_without_a_home(self):
        environment = {"HOME": ""}
        self.assertEqual(self.models(environment), {})
        self.assertIn("$HOME is not set", self.found("acme/tiny", code=3, variables=environment))


if __name__ == "__main__":
    unittest.main()
