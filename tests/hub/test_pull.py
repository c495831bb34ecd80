"""embedd pull against a small hub on loopback."""
import fcntl
import os
import resource
import signal
import socket
import subprocess
import tempfile
import unittest

from small_hub import COMMIT, SmallHub, git_blob_name, read_folder

PROGRAM = os.environ["EMBEDD_PROGRAM"]
MODEL = os.path.join(os.environ["EMBEDD_TEST_DATA"], "golden", "bert-mean-norm")
WEIGHTS = "model.safetensors"
NEEDED = {"1_Pooling/config.json", "2_Normalize/config.json", "config.json", "config_sentence_transformers.json",
          "model.safetensors", "modules.json", "sentence_bert_config.json", "tokenizer.json",
          "tokenizer_config.json", "README.md"}


def limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


class PullTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = read_folder(MODEL)
        cls.files["README.md"] = b"# tiny\n"
        # What other programs need and embedd does not.
        for name in ("pytorch_model.bin", "onnx/model.onnx", "openvino/openvino_model.xml",
                     "tf_model.h5", ".gitattributes", "expected.jsonl", "1_Pooling/notes.txt",
                     "train script with blanks.py", "adapter_model.safetensors"):
            cls.files[name] = b"not needed"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = folder.name
        self.store = os.path.join(self.home, "store")
        self.place = os.path.join(self.store, "acme", "tiny")
        self.partial = os.path.join(self.store, "acme", ".tiny.partial")

    def hub(self, **changes):
        hub = SmallHub({**self.files, **changes})
        hub.__enter__()
        self.addCleanup(hub.__exit__)
        return hub

    def pull(self, hub, name="acme/tiny", code=0, preexec_fn=None, **variables):
        environment = {"PATH": os.environ["PATH"], "HOME": self.home, "EMBEDD_MODELS": self.store,
                       "HF_ENDPOINT": hub.url if hub else "http://127.0.0.1:9", **variables}
        for kept in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if kept in os.environ:
                environment[kept] = os.environ[kept]
        result = subprocess.run([PROGRAM, "pull", name], env=environment, capture_output=True,
                                text=True, timeout=60, preexec_fn=preexec_fn)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def expect_model(self):
        pulled = read_folder(self.place)
        self.assertEqual(pulled.pop(".revision"), COMMIT.encode() + b"\n")
        self.assertEqual(set(pulled), NEEDED)
        for name, data in pulled.items():
            self.assertEqual(data, self.files[name], name)
        self.assertFalse(os.path.exists(self.partial))

    def expect_nothing(self):
        self.assertFalse(os.path.exists(self.place))

    # ---- what goes well

    def test_needed_files_are_pulled_and_the_model_embeds(self):
        hub = self.hub()
        result = self.pull(hub)
        self.expect_model()
        self.assertIn("acme/tiny is here: %s (10 files" % self.place, result.stdout)
        self.assertIn("model.safetensors 577.4 kB", result.stderr)
        self.assertNotIn("\r", result.stderr)
        self.assertEqual(hub.asked[0][0], "/api/models/acme/tiny/revision/main?blobs=true")
        embedded = subprocess.run(
            [PROGRAM, "embed", "-m", "acme/tiny", "a cat"], capture_output=True, text=True,
            env={**os.environ, "HOME": self.home, "EMBEDD_MODELS": self.store})
        self.assertEqual(embedded.returncode, 0, embedded.stderr)

    def test_names_as_ollama_has_them(self):
        self.pull(self.hub(), "hf.co/acme/tiny:latest")
        self.expect_model()
        result = self.pull(None, "https://huggingface.co/acme/tiny")
        self.assertIn("already here: " + self.place, result.stdout)
        self.pull(None, "acme/tiny:q8_0", code=2)

    def test_files_are_asked_for_at_the_listed_commit(self):
        hub = self.hub()
        self.pull(hub)
        for path, _ in hub.asked_for("config.json"):
            self.assertIn(COMMIT, path)

    def test_a_name_without_owner_is_of_sentence_transformers(self):
        hub = self.hub()
        hub.name = "sentence-transformers/tiny"
        self.pull(hub, "tiny")
        self.assertTrue(os.path.isfile(
            os.path.join(self.store, "sentence-transformers", "tiny", WEIGHTS)))

    def test_shards_come_with_their_index_where_there_is_no_single_file(self):
        shards = {"model-00001-of-00002.safetensors": b"a" * 10,
                  "model-00002-of-00002.safetensors": b"b" * 10,
                  "model.safetensors.index.json": b"{}"}
        hub = self.hub(**shards)
        del hub.files[WEIGHTS]
        self.pull(hub)
        self.assertTrue(set(shards) <= set(read_folder(self.place)))

    def test_one_weight_file_is_preferred_to_shards(self):
        self.pull(self.hub(**{"model-00001-of-00001.safetensors": b"a",
                              "model.safetensors.index.json": b"{}"}))
        self.expect_model()

    def test_no_progress_keeps_quiet(self):
        result = self.pull(self.hub(), EMBEDD_PROGRESS="0")
        self.assertEqual(result.stderr, "")

    # ---- interruptions

    def test_a_cut_connection_goes_on_where_it_ended(self):
        hub = self.hub()
        size = len(self.files[WEIGHTS])
        hub.cut[WEIGHTS] = [size // 2]
        result = self.pull(hub)
        self.expect_model()
        ranges = [headers.get("Range") for _, headers in hub.asked_for(WEIGHTS)]
        self.assertEqual(ranges, [None, "bytes=%d-" % (size // 2)])
        self.assertIn("trying again", result.stderr)

    def test_the_next_run_goes_on_where_the_last_one_ended(self):
        hub = self.hub()
        half = len(self.files[WEIGHTS]) // 2
        hub.cut[WEIGHTS] = [half] + [0] * 10
        self.pull(hub, code=1)
        self.expect_nothing()
        self.assertEqual(os.path.getsize(os.path.join(self.partial, WEIGHTS + ".part")), half)
        again = self.hub()
        self.pull(again)
        self.expect_model()
        self.assertEqual([headers.get("Range") for _, headers in again.asked_for(WEIGHTS)],
                         ["bytes=%d-" % half])
        self.assertEqual(again.asked_for("tokenizer.json"), [], "whole files are not asked for again")

    def test_a_server_without_ranges_begins_again(self):
        hub = self.hub()
        hub.cut[WEIGHTS] = [1000]
        hub.ignore_range = True
        self.pull(hub)
        self.expect_model()

    def test_a_longer_part_is_thrown_away(self):
        os.makedirs(self.partial)
        with open(os.path.join(self.partial, WEIGHTS + ".part"), "wb") as file:
            file.write(b"x" * (len(self.files[WEIGHTS]) + 1))
        self.pull(self.hub())
        self.expect_model()

    def test_a_part_of_other_bytes_is_thrown_away(self):
        os.makedirs(self.partial)
        with open(os.path.join(self.partial, WEIGHTS + ".part"), "wb") as file:
            file.write(b"x" * 1000)
        hub = self.hub()
        self.pull(hub)
        self.expect_model()
        self.assertEqual([headers.get("Range") for _, headers in hub.asked_for(WEIGHTS)],
                         ["bytes=1000-", None])

    def test_a_busy_hub_is_asked_again(self):
        hub = self.hub()
        hub.statuses["/revision/main"] = [(503, {}), (429, {"Retry-After": "1"})]
        result = self.pull(hub)
        self.expect_model()
        self.assertIn("HTTP 503; trying again in 0.3 s", result.stderr)
        self.assertIn("HTTP 429; trying again in 1.0 s", result.stderr)

    def test_a_hub_that_stays_broken_is_given_up(self):
        hub = self.hub()
        hub.statuses["/revision/main"] = [(500, {})] * 20
        result = self.pull(hub, code=1)
        self.assertEqual(len(hub.asked), 5)
        self.assertIn("HTTP 500", result.stderr)

    def test_nobody_listens(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            result = self.pull(None, code=1,
                               HF_ENDPOINT="http://127.0.0.1:%d" % taken.getsockname()[1])
        self.assertIn("embedd: http://127.0.0.1:", result.stderr)
        self.expect_nothing()

    # ---- wrong bytes

    def test_wrong_weights_are_refused(self):
        hub = self.hub()
        hub.wrong[WEIGHTS] = b"y" * len(self.files[WEIGHTS])
        result = self.pull(hub, code=4)
        self.assertIn("model.safetensors: the bytes that came do not have the hub's checksum",
                      result.stderr)
        self.expect_nothing()
        self.assertFalse(os.path.exists(os.path.join(self.partial, WEIGHTS)))
        self.pull(self.hub())
        self.expect_model()

    def test_a_wrong_small_file_is_refused(self):
        hub = self.hub()
        hub.wrong["config.json"] = self.files["config.json"].replace(b"64", b"65", 1)
        self.pull(hub, code=4)
        self.expect_nothing()

    def test_more_bytes_than_listed_are_refused(self):
        hub = self.hub()
        hub.wrong[WEIGHTS] = self.files[WEIGHTS] + b"more"
        result = self.pull(hub, code=4)
        self.assertIn("more than the listed", result.stderr)
        self.expect_nothing()

    # ---- refusals

    def test_no_such_model(self):
        result = self.pull(self.hub(), "acme/other", code=3)
        self.assertIn("there is no such model, or it is private", result.stderr)

    def test_no_such_revision(self):
        hub = self.hub()
        hub.statuses["/revision/v9"] = [(404, {"X-Error-Code": "RevisionNotFound"})]
        result = self.pull(hub, "acme/tiny@v9", code=3)
        self.assertIn("no such revision", result.stderr)

    def test_terms_to_accept(self):
        hub = self.hub()
        hub.statuses["config.json"] = [(403, {"X-Error-Code": "GatedRepo"})]
        result = self.pull(hub, code=3)
        self.assertIn("accept", result.stderr)
        self.assertIn("HF_TOKEN", result.stderr)

    def test_no_safetensors(self):
        hub = self.hub(**{"2_Dense/model.safetensors": b"a module's, not the model's"})
        del hub.files[WEIGHTS]
        result = self.pull(hub, code=4)
        self.assertIn("no model.safetensors", result.stderr)

    def test_names_that_leave_the_folder(self):
        for name in ("../config.json", "/etc/config.json", "1_Pooling/../../config.json",
                     "..\\config.json", "a//config.json", "x\n/config.json", "."):
            with self.subTest(name=name):
                result = self.pull(self.hub(**{name: b"{}"}), code=4)
                self.assertIn("leads out of the model's folder", result.stderr)
                self.expect_nothing()

    def test_listings_that_are_none(self):
        def not_an_object(listing):
            listing["siblings"] = ["config.json"]

        changes = [not_an_object, lambda listing: listing.pop("sha"),
                   lambda listing: listing.update(sha="../../x"),
                   lambda listing: listing.pop("siblings"),
                   lambda listing: listing["siblings"][0].update(rfilename=7),
                   lambda listing: [s.pop("blobId") for s in listing["siblings"]],
                   lambda listing: [s.pop("size") for s in listing["siblings"]],
                   lambda listing: [s.update(size=1e30) for s in listing["siblings"]]]
        for change in changes:
            hub = self.hub()
            hub.listing_changes = change
            self.pull(hub, code=4)
            self.expect_nothing()

    def test_bad_names_never_reach_the_hub(self):
        hub = self.hub()
        for name in ("../x/y", "/etc/passwd", "a/b/c", "a--b/c", "acme/.tiny", "acme/ti ny", "",
                     "acme/tiny@", "acme/tiny@../x", "acme/tiny@a b"):
            with self.subTest(name=name):
                self.pull(hub, name, code=2)
        self.assertEqual(hub.asked, [])

    # ---- redirects and the token

    def test_the_token_goes_to_the_hub_and_nowhere_else(self):
        for host in ("127.0.0.1", "localhost"):  # another port, another name
            with self.subTest(host=host):
                storage = self.hub()
                hub = self.hub()
                hub.storage = "http://%s:%d" % (host, storage.port)
                self.pull(hub, "acme/tiny@main", HF_TOKEN="hf_secret", EMBEDD_MODELS=os.path.join(
                    self.home, "store-" + host))
                self.assertGreater(len(storage.asked), 0)
                for _, headers in storage.asked:
                    self.assertNotIn("Authorization", headers)
                for _, headers in hub.asked:
                    self.assertEqual(headers.get("Authorization"), "Bearer hf_secret")

    def test_the_token_of_a_login_is_used(self):
        login = os.path.join(self.home, "login", "token")
        os.makedirs(os.path.dirname(login))
        with open(login, "w", encoding="ascii") as file:
            file.write("hf_from_file\n")
        for variables, expected in (({"HF_HOME": os.path.dirname(login)}, "Bearer hf_from_file"),
                                    ({"HF_TOKEN_PATH": login}, "Bearer hf_from_file"),
                                    ({"HF_TOKEN_PATH": login, "HF_TOKEN": "hf_given"}, "Bearer hf_given"),
                                    ({"HF_TOKEN_PATH": login + "-none"}, None)):
            with self.subTest(**variables):
                hub = self.hub()
                self.pull(hub, "acme/tiny@main", **variables)
                self.assertEqual({headers.get("Authorization") for _, headers in hub.asked}, {expected})

    def test_a_redirect_loop_ends(self):
        hub = self.hub()
        hub.redirect = ("/revision/main", "/api/models/acme/tiny/revision/main")
        result = self.pull(hub, code=1)
        self.assertIn("more than 10 redirects", result.stderr)

    def test_a_redirect_to_a_file_is_refused(self):
        hub = self.hub()
        hub.redirect = ("/revision/main", "file:///etc/passwd")
        result = self.pull(hub, code=1)
        self.assertIn("refused", result.stderr)

    def test_secrets_of_addresses_are_not_shown(self):
        hub = self.hub()
        hub.redirect = ("/revision/main", "http://127.0.0.1:%d/gone?Signature=secret" % hub.port)
        result = self.pull(hub, code=3, HF_ENDPOINT=hub.url.replace("//", "//user:password@"))
        self.assertNotIn("secret", result.stderr)
        self.assertNotIn("password", result.stderr)

    def test_an_endpoint_that_is_none(self):
        self.pull(None, code=2, HF_ENDPOINT="file:///etc")

    # ---- what is here already

    def test_offline(self):
        hub = self.hub()
        result = self.pull(hub, code=1, HF_HUB_OFFLINE="1")
        self.assertIn("HF_HUB_OFFLINE", result.stderr)
        self.assertEqual(hub.asked, [])

    def test_a_pulled_model_is_left_alone(self):
        self.pull(self.hub())
        hub = self.hub()
        result = self.pull(hub, HF_HUB_OFFLINE="1")
        self.assertIn("already here: " + self.place, result.stdout)
        self.assertEqual(hub.asked, [])

    def test_a_model_of_the_hugging_face_cache_is_left_alone(self):
        cache = os.path.join(self.home, "hf")
        entry = os.path.join(cache, "hub", "models--acme--tiny")
        snapshot = os.path.join(entry, "snapshots", COMMIT)
        os.makedirs(os.path.join(entry, "blobs"))
        os.makedirs(os.path.join(entry, "refs"))
        for module in ("1_Pooling", "2_Normalize"):
            os.makedirs(os.path.join(snapshot, module))
        with open(os.path.join(entry, "refs", "main"), "w") as file:
            file.write(COMMIT)
        for name in NEEDED:
            blob = git_blob_name(self.files[name])
            with open(os.path.join(entry, "blobs", blob), "wb") as file:
                file.write(self.files[name])
            os.symlink(os.path.relpath(os.path.join(entry, "blobs", blob),
                                       os.path.dirname(os.path.join(snapshot, name))),
                       os.path.join(snapshot, name))
        hub = self.hub()
        result = self.pull(hub, HF_HOME=cache)
        self.assertIn("already here: " + snapshot, result.stdout)
        self.assertEqual(hub.asked, [])

    def test_a_revision_that_is_here_is_not_downloaded_again(self):
        self.pull(self.hub())
        hub = self.hub()
        result = self.pull(hub, "acme/tiny@main")
        self.assertIn("already here", result.stdout)
        self.assertEqual(len(hub.asked), 1)

    def test_a_new_revision_replaces_the_old_one(self):
        old = self.hub()
        old.commit = "f" * 40
        old.files["vocab.txt"] = b"old"
        self.pull(old)
        self.assertTrue(os.path.exists(os.path.join(self.place, "vocab.txt")))
        self.pull(self.hub(), "acme/tiny@refs/pr/1")
        self.expect_model()
        self.assertEqual(os.listdir(os.path.join(self.store, "acme")), ["tiny"])

    def test_a_broken_model_is_replaced(self):
        os.makedirs(self.place)
        with open(os.path.join(self.place, "config.json"), "w") as file:
            file.write("{}")
        self.pull(self.hub())
        self.expect_model()

    # ---- the disk

    def test_a_disk_that_takes_no_more(self):
        result = self.pull(self.hub(), code=1, preexec_fn=limit_file_size)
        self.assertIn("model.safetensors.part: File too large", result.stderr)
        self.expect_nothing()
        self.pull(self.hub())
        self.expect_model()

    def test_a_store_that_is_no_folder(self):
        with open(self.store, "w"):
            pass
        result = self.pull(self.hub(), code=1)
        self.assertIn(self.store, result.stderr)

    def test_two_pulls_of_one_model(self):
        os.makedirs(self.partial)
        folder = os.open(self.partial, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        result = self.pull(self.hub(), code=1)
        self.assertIn("another process is pulling this model", result.stderr)

    def test_a_link_is_not_written_through(self):
        os.makedirs(self.partial)
        target = os.path.join(self.home, "precious")
        with open(target, "w") as file:
            file.write("precious")
        os.symlink(target, os.path.join(self.partial, WEIGHTS + ".part"))
        self.pull(self.hub(), code=1)
        with open(target) as file:
            self.assertEqual(file.read(), "precious")


if __name__ == "__main__":
    unittest.main()
