"""Several models in one server: which one answers, when each is in memory, and what becomes of the
others when one of them is corrupt, replaced, or too large."""

import os
import shutil
import signal
import tempfile
import threading
import time
import unittest

from running_server import (GOLDEN, SANITIZED, SLOWER, RunningServer, StartError, bits, golden_rows,
                            model_folder, wait_until)

BERT, MPNET, NOMIC = "bert-mean-norm", "mpnet", "nomic-bert"
TEXTS = [row["text"] for row in golden_rows(BERT)[:12]] + ["a text", "another text " * 20]


def setUpModule():
    """The vectors that each model gives alone."""
    global expected
    expected = {}
    for name in (BERT, MPNET, NOMIC):
        with RunningServer(model=name) as server:
            expected[name] = [bits(vector) for vector in server.embed(TEXTS)]
    assert len({tuple(vectors) for vectors in expected.values()}) == 3


class ModelsFolder:
    """A folder for --models-dir; `put` replaces by rename."""

    def __init__(self, **models):
        self.path = tempfile.mkdtemp()
        for name, source in models.items():
            self.put(name, source)

    def put(self, name, source, change=None):
        path = os.path.join(self.path, name)
        new = tempfile.mkdtemp(dir=self.path, prefix=".")
        shutil.copytree(model_folder(source), os.path.join(new, "model"))
        if change:
            change(os.path.join(new, "model"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.rename(path, os.path.join(new, "old"))
        os.rename(os.path.join(new, "model"), path)
        shutil.rmtree(new)

    def remove(self, name):
        shutil.rmtree(os.path.join(self.path, name))


def corrupt(folder):
    """The header promises more than there is."""
    path = os.path.join(folder, "model.safetensors")
    os.truncate(path, os.path.getsize(path) // 2)


class ModelsTest(unittest.TestCase):
    def folder(self, **models):
        folder = ModelsFolder(**models)
        self.addCleanup(shutil.rmtree, folder.path)
        return folder

    def serve(self, folder, *arguments, **options):
        options.setdefault("model", [])
        return RunningServer("--models-dir", folder.path, *arguments, **options)

    def check(self, server, name, source, **fields):
        vectors = server.embed(TEXTS, model=name, **fields)
        self.assertEqual([bits(vector) for vector in vectors], expected[source], name)

    def states(self, server):
        return {model["id"]: model["state"] for model in server.get("/info").json["models"]}

    def loaded(self, server):
        return [model["name"] for model in server.get("/api/ps").json["models"]]


class NamesTest(ModelsTest):
    def test_each_by_its_name(self):
        with RunningServer(model=[BERT, MPNET, NOMIC]) as server:
            for name in (MPNET, BERT, NOMIC, MPNET):
                self.check(server, name, name)
                self.check(server, model_folder(name), name)
            self.assertEqual([bits(v) for v in server.embed(TEXTS)], expected[BERT])
            self.assertEqual(server.ready["model"], model_folder(BERT))
            self.assertEqual(server.ready["dimensions"], 64)

    def test_every_dialect_has_the_name(self):
        with RunningServer(model=[BERT, MPNET]) as server:
            for path, body in (("/embed", {"texts": ["a"]}), ("/embed", {"inputs": ["a"]}),
                               ("/api/embed", {"input": "a"}),
                               ("/api/embeddings", {"prompt": "a"}),
                               ("/v1/embeddings", {"input": "a"})):
                sizes = []
                for name in (BERT, MPNET + ":latest"):
                    reply = server.post({"model": name, **body}, path)
                    self.assertEqual(reply.status, 200, reply.body)
                    sizes.append(len(reply.body))
                self.assertNotEqual(*sizes, path)
                reply = server.post({"model": "none-such", **body}, path)
                self.assertEqual(reply.status, 404, path)
                self.assertIn(b"not found", reply.body)

    def test_any_name_means_the_one_model_on_our_own_route(self):
        with RunningServer(model=BERT) as server:
            self.check(server, "none-such", BERT)

    def test_lists(self):
        with RunningServer(model=[BERT, MPNET]) as server:
            self.check(server, MPNET, MPNET)
            tags = server.get("/api/tags").json["models"]
            self.assertEqual([tag["name"] for tag in tags], [BERT + ":latest", MPNET + ":latest"])
            self.assertEqual([tag["details"]["embedding_length"] for tag in tags], [64, 80])
            models = server.get("/v1/models").json["data"]
            self.assertEqual([model["id"] for model in models], [BERT, MPNET])
            self.assertEqual(server.get("/v1/models/" + MPNET).json["id"], MPNET)
            self.assertEqual(server.get("/v1/models/none-such").status, 404)
            info = server.post({"model": MPNET}, "/api/show").json["model_info"]
            self.assertEqual(info["general.architecture"], "mpnet")
            self.assertEqual(server.post({"model": "none-such"}, "/api/show").status, 404)
            self.assertEqual(server.get("/health").json["models"], {"served": 2, "loaded": 2})
            self.assertIn(b"\nembedd_models_loaded 2\n", server.get("/metrics").body)

    def test_the_same_name_twice(self):
        folder = self.folder(**{"one/model": BERT, "two/model": MPNET, "other": NOMIC})
        with self.serve(folder) as server:
            self.check(server, "one/model", BERT)
            self.check(server, "two/model", MPNET)
            self.check(server, "other", NOMIC)
            names = [tag["name"] for tag in server.get("/api/tags").json["models"]]
            self.assertEqual(names, ["one/model:latest", "other:latest", "two/model:latest"])
            for name in names:
                self.assertEqual(server.post({"model": name}, "/api/show").status, 200)

    def test_a_gguf_file_in_the_folder(self):
        folder = self.folder(bert=BERT)
        shutil.copy(os.path.join(GOLDEN, "gguf", "nomic-bert-f16.gguf"), folder.path)
        rows = golden_rows("gguf", "nomic-bert-f16.expected.jsonl")
        with self.serve(folder) as server:
            vectors = server.embed([row["text"] for row in rows], model="nomic-bert-f16")
            for row, vector in zip(rows, vectors, strict=True):
                worst = max(abs(a - b) for a, b in zip(vector, row["vector_dequant"], strict=True))
                self.assertLess(worst, 1e-5, row["name"])

    def test_what_is_missing_at_the_start(self):
        with self.assertRaises(StartError) as caught:
            RunningServer(model=[BERT, "none-such"])
        self.assertEqual(caught.exception.code, 3)
        with self.assertRaises(StartError) as caught:
            RunningServer("--models-dir", "/none-such", model=[])
        self.assertEqual(caught.exception.code, 3)
        with self.assertRaises(StartError) as caught:
            RunningServer("--keep-alive", "soon", model=BERT)
        self.assertEqual(caught.exception.code, 2)


class LoadingTest(ModelsTest):
    def test_on_first_use(self):
        folder = self.folder(a=BERT, b=MPNET)
        with self.serve(folder) as server:
            self.assertIsNone(server.ready["model"])
            self.assertEqual(server.get("/health").status, 200)
            self.assertEqual(self.states(server), {"a": "unloaded", "b": "unloaded"})
            self.check(server, "b", MPNET)
            self.assertEqual(self.states(server), {"a": "unloaded", "b": "ready"})
            self.assertEqual(self.loaded(server), ["b:latest"])
            self.assertEqual([bits(v) for v in server.embed(TEXTS)], expected[BERT])
            self.assertEqual(self.loaded(server), ["a:latest", "b:latest"])

    def test_an_empty_folder(self):
        folder = self.folder()
        with self.serve(folder) as server:
            self.assertEqual(server.post({"texts": ["a"]}).code, "model_not_found")
            self.assertEqual(server.get("/api/tags").json, {"models": []})
            self.assertEqual(server.get("/v1/models").json, {"object": "list", "data": []})
            self.assertEqual(server.get("/info").json["model_id"], "")
            folder.put("late", BERT)
            time.sleep(1.1)  # the folder is looked at again
            self.check(server, "late", BERT)

    def test_a_corrupt_model_leaves_the_others_alone(self):
        folder = self.folder(a=BERT, b=MPNET)
        folder.put("bad", NOMIC, corrupt)
        with self.serve(folder) as server:
            for _ in range(3):
                reply = server.post({"texts": TEXTS, "model": "bad"})
                self.assertEqual((reply.status, reply.code), (500, "model_failed"))
                self.assertIn("model.safetensors", reply.json["error"]["message"])
                self.check(server, "a", BERT)
                self.check(server, "b", MPNET)
            reply = server.post({"input": "a", "model": "bad"}, "/api/embed")
            self.assertEqual(reply.status, 500)
            self.assertIn("model.safetensors", reply.json["error"])
            self.assertEqual(self.states(server)["bad"], "failed")
            loads = server.get("/metrics").body
            self.assertIn(b"\nembedd_model_failures_total 1\n", loads)  # read once
            folder.put("bad", NOMIC)
            time.sleep(1.1)
            self.check(server, "bad", NOMIC)

    def test_a_corrupt_first_model_ends_the_start(self):
        folder = self.folder(a=BERT)
        folder.put("bad", NOMIC, corrupt)
        bad = os.path.join(folder.path, "bad")
        with self.assertRaises(StartError) as caught:
            RunningServer(model=[bad, BERT])
        self.assertEqual(caught.exception.code, 4)
        with RunningServer(model=[BERT, bad]) as server:
            self.check(server, BERT, BERT)
            self.assertEqual(server.post({"texts": ["a"], "model": bad}).code, "model_failed")

    def test_many_requests_for_models_that_come_and_go(self):
        folder = self.folder(a=BERT, b=MPNET, c=NOMIC)
        failures = []

        def client(number):
            connection = server.connect()
            for i in range(8 if SANITIZED else 25):
                name, source = (("a", BERT), ("b", MPNET), ("c", NOMIC))[(number + i) % 3]
                reply = server.post({"input": TEXTS, "model": name, "keep_alive": i % 2 - 1},
                                    "/api/embed", connection=connection)
                if reply.status != 200:
                    failures.append(reply.body)
                elif [bits(v) for v in reply.json["embeddings"]] != normalized[source]:
                    failures.append("other bits of " + name)
            connection.close()

        with self.serve(folder) as server:
            normalized = {}
            for name, source in (("a", BERT), ("b", MPNET), ("c", NOMIC)):
                reply = server.post({"input": TEXTS, "model": name}, "/api/embed").json
                normalized[source] = [bits(v) for v in reply["embeddings"]]
            clients = [threading.Thread(target=client, args=(i,)) for i in range(8)]
            for thread in clients:
                thread.start()
            for thread in clients:
                thread.join()
            self.assertEqual(failures, [])
            self.assertNotIn(b"\nembedd_model_unloads_total 0\n", server.get("/metrics").body)


class KeepAliveTest(ModelsTest):
    def keep(self, server, keep_alive, name="a"):
        reply = server.post({"input": "a text", "model": name, "keep_alive": keep_alive},
                            "/api/embed")
        self.assertEqual(reply.status, 200, reply.body)

    def test_unloaded_when_nobody_uses_it(self):
        with RunningServer("--keep-alive", "500ms", model=[BERT, MPNET]) as server:
            self.check(server, MPNET, MPNET)
            self.assertTrue(wait_until(lambda: self.loaded(server) == [], 20 * SLOWER))
            self.assertEqual(server.get("/health").status, 200)
            self.assertEqual(server.get("/info").json["dim"], 64)
            self.check(server, BERT, BERT)
            self.check(server, MPNET, MPNET)

    def test_a_request_s_keep_alive(self):
        folder = self.folder(a=BERT)
        with self.serve(folder) as server:
            for at_once in (0, "0", "0s", 0.001):
                self.check(server, "a", BERT)
                self.keep(server, at_once)
                self.assertTrue(wait_until(lambda: self.loaded(server) == []), at_once)
            for later in (300, "5m", "1.5h", "1h30m"):
                self.keep(server, later)
                expires = server.get("/api/ps").json["models"][0]["expires_at"]
                self.assertLess(expires, "2300", later)
                self.assertGreater(expires, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
            for never in (-1, "-1", "-5m"):
                self.keep(server, never)
                self.assertTrue(
                    server.get("/api/ps").json["models"][0]["expires_at"].startswith("2318"))
            self.keep(server, None)  # as before
            self.assertEqual(self.loaded(server), ["a:latest"])
            # As `ollama stop` does it.
            reply = server.post({"model": "a", "keep_alive": 0}, "/api/embed")
            self.assertEqual(reply.json, {"model": "a", "embeddings": []})
            self.assertTrue(wait_until(lambda: self.loaded(server) == []))
            for wrong in ("soon", "5 minutes", "", "5x", True, [], {}):
                reply = server.post({"input": "a", "model": "a", "keep_alive": wrong},
                                    "/api/embed")
                self.assertEqual(reply.status, 400, wrong)

    def test_not_while_it_is_used(self):
        folder = self.folder(a=BERT)
        with self.serve(folder, "--keep-alive", "0") as server:
            for _ in range(5):
                self.check(server, "a", BERT)


class MemoryTest(ModelsTest):
    def one_model_bytes(self, folder):
        with self.serve(folder) as server:
            for name in "abc":
                server.embed(["a"], model=name)
            return [model["bytes"] for model in server.get("/info").json["models"]]

    def test_the_least_recently_used_makes_room(self):
        folder = self.folder(a=BERT, b=MPNET, c=NOMIC)
        a, b, c = self.one_model_bytes(folder)
        two = max(a + b, a + c, b + c) // 1048576 + 1
        self.assertLess(two * 1048576, a + b + c)
        with self.serve(folder, "--memory-max", str(two)) as server:
            self.check(server, "a", BERT)
            self.check(server, "b", MPNET)
            self.check(server, "a", BERT)
            self.check(server, "c", NOMIC)
            self.assertEqual(self.states(server), {"a": "ready", "b": "unloaded", "c": "ready"})
            self.check(server, "b", MPNET)
            self.assertEqual(self.states(server), {"a": "unloaded", "b": "ready", "c": "ready"})

    def test_one_at_a_time_for_many_clients(self):
        folder = self.folder(a=BERT, b=MPNET, c=NOMIC)
        one = max(self.one_model_bytes(folder)) // 1048576 + 1
        failures = []

        def client(name, source):
            for _ in range(2 if SANITIZED else 6):
                reply = server.post({"texts": TEXTS, "model": name})
                if reply.status != 200:
                    failures.append(reply.body)
                elif [bits(v) for v in reply.json["vectors"]] != expected[source]:
                    failures.append("other bits of " + name)

        with self.serve(folder, "--memory-max", str(one)) as server:
            names = (("a", BERT), ("b", MPNET), ("c", NOMIC)) * 3
            clients = [threading.Thread(target=client, args=name) for name in names]
            for thread in clients:
                thread.start()
            while any(thread.is_alive() for thread in clients):
                used = sum(model["bytes"] for model in server.get("/info").json["models"])
                self.assertLessEqual(used, one * 1048576)
                time.sleep(0.01)
            for thread in clients:
                thread.join()
            self.assertEqual(failures, [])

    def test_a_model_that_never_fits(self):
        folder = self.folder(a=BERT, b=MPNET, c=NOMIC)
        with self.serve(folder, "--memory-max", "1") as server:
            for name in "abab":  # one by the size of its files, one by what it takes in memory
                reply = server.post({"texts": ["a"], "model": name})
                self.assertEqual((reply.status, reply.code), (503, "model_memory"))
                self.assertIn("--memory-max is 1", reply.json["error"]["message"])
                self.assertTrue(reply.headers["Retry-After"])
            self.assertEqual(server.get("/health").status, 200)


class ReplacedTest(ModelsTest):
    def becomes(self, server, name, source, others):
        """Until then every answer is of the old files; never one of neither."""
        allowed = [expected[source], *others]

        def is_new():
            vectors = [bits(vector) for vector in server.embed(TEXTS, model=name)]
            self.assertIn(vectors, allowed)
            return vectors == expected[source]

        self.assertTrue(wait_until(is_new, 20 * SLOWER))

    def test_by_rename(self):
        folder = self.folder(a=BERT, b=MPNET)
        with self.serve(folder) as server:
            self.check(server, "a", BERT)
            folder.put("a", NOMIC)
            self.becomes(server, "a", NOMIC, [expected[BERT]])
            self.check(server, "b", MPNET)
            folder.put("a", BERT)
            server.process.send_signal(signal.SIGHUP)
            self.becomes(server, "a", BERT, [expected[NOMIC]])

    def test_a_model_of_the_command_line(self):
        folder = self.folder(a=BERT)
        with RunningServer(model=os.path.join(folder.path, "a")) as server:
            folder.put("a", MPNET)
            server.process.send_signal(signal.SIGHUP)
            self.becomes(server, "a", MPNET, [expected[BERT]])
            self.assertEqual(server.get("/info").json["dim"], 80)

    def test_a_name_that_leads_elsewhere(self):
        store = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, store)
        shutil.copytree(os.path.join(GOLDEN, "ollama-store"), store, dirs_exist_ok=True)
        tags = os.path.join(store, "manifests", "registry.ollama.ai", "library", "tiny-nomic")
        with RunningServer(model="ollama:tiny-nomic", env={"OLLAMA_MODELS": store}) as server:
            before = server.embed(TEXTS)
            os.replace(os.path.join(tags, "q8_0"), os.path.join(tags, "latest"))
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(wait_until(lambda: server.embed(TEXTS) != before, 20 * SLOWER))
            after = server.embed(TEXTS)
        with RunningServer(model="ollama:tiny-nomic", env={"OLLAMA_MODELS": store}) as server:
            self.assertEqual(server.embed(TEXTS), after)

    def test_by_a_corrupt_one(self):
        folder = self.folder(a=BERT)
        with self.serve(folder) as server:
            self.check(server, "a", BERT)
            folder.put("a", NOMIC, corrupt)
            server.process.send_signal(signal.SIGHUP)
            failed = b"\nembedd_model_failures_total 1\n"
            self.assertTrue(wait_until(lambda: failed in server.get("/metrics").body, 20 * SLOWER))
            self.check(server, "a", BERT)
            folder.put("a", NOMIC)
            self.becomes(server, "a", NOMIC, [expected[BERT]])

    def cut_in_place(self, **options):
        """A file that is mapped becomes shorter: no reply from what is gone, and no end."""
        folder = self.folder(a=BERT, b=MPNET)
        path = os.path.join(folder.path, "a", "model.safetensors")
        with self.serve(folder, **options) as server:
            self.check(server, "a", BERT)
            self.check(server, "b", MPNET)
            os.truncate(path, 4096)
            for _ in range(3):
                reply = server.post({"texts": TEXTS, "model": "a"})
                self.assertEqual((reply.status, reply.code), (500, "model_failed"))
                self.assertIn("model.safetensors", reply.json["error"]["message"])
            self.check(server, "b", MPNET)
            self.assertEqual(server.get("/health").status, 200)
            shutil.copyfile(os.path.join(model_folder(BERT), "model.safetensors"), path)
            self.check(server, "a", BERT)

    def test_cut_in_place(self):
        self.cut_in_place()

    def test_cut_in_place_with_packed_weights(self):
        cache = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, cache)
        self.cut_in_place(env={"EMBEDD_CACHE": cache})

    def test_packed_weights_cut_in_place(self):
        cache = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, cache)
        with RunningServer(model=BERT, env={"EMBEDD_CACHE": cache}) as server:
            self.assertEqual([bits(vector) for vector in server.embed(TEXTS)], expected[BERT])
            for folder, _, names in os.walk(cache):
                for name in names:
                    os.truncate(os.path.join(folder, name), 100)
            reply = server.post({"texts": TEXTS})
            self.assertEqual((reply.status, reply.code), (500, "model_failed"))
            self.assertEqual([bits(vector) for vector in server.embed(TEXTS)], expected[BERT])

    def test_where_both_do_not_fit(self):
        folder = self.folder(a=BERT)
        with self.serve(folder) as server:
            server.embed(["a"])
            used = server.get("/info").json["models"][0]["bytes"]
        with self.serve(folder, "--memory-max", str(used // 1048576 + 1)) as server:
            self.check(server, "a", BERT)
            folder.put("a", BERT, lambda path: os.remove(os.path.join(path, "modules.json")))

            def is_new():
                server.embed(TEXTS, model="a")
                return b"\nembedd_model_loads_total 2\n" in server.get("/metrics").body

            self.assertTrue(wait_until(is_new, 20 * SLOWER))

    def test_new_and_gone(self):
        folder = self.folder(a=BERT, b=MPNET)
        with self.serve(folder) as server:
            self.check(server, "b", MPNET)
            folder.put("new", NOMIC)
            folder.remove("b")
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(wait_until(lambda: set(self.states(server)) == {"a", "new"}))
            self.check(server, "new", NOMIC)
            self.assertEqual(server.post({"texts": ["a"], "model": "b"}).status, 404)
            self.assertTrue(wait_until(lambda: self.loaded(server) == ["new:latest"]))
            folder.put("b", NOMIC)
            time.sleep(1.1)
            self.check(server, "b", NOMIC)

    def test_under_load(self):
        folder = self.folder(a=BERT)
        failures, over = [], threading.Event()

        def client():
            connection = server.connect()
            while not over.is_set():
                reply = server.post({"texts": TEXTS, "model": "a"}, connection=connection)
                if reply.status != 200:
                    failures.append(reply.body)
                elif [bits(v) for v in reply.json["vectors"]] not in allowed:
                    failures.append("other bits")
            connection.close()

        allowed = [expected[BERT], expected[NOMIC]]
        with self.serve(folder) as server:
            server.embed(TEXTS)
            clients = [threading.Thread(target=client) for _ in range(4)]
            for thread in clients:
                thread.start()
            for source, other in ((NOMIC, BERT), (BERT, NOMIC), (NOMIC, BERT)):
                folder.put("a", source)
                server.process.send_signal(signal.SIGHUP)
                self.becomes(server, "a", source, [expected[other]])
            over.set()
            for thread in clients:
                thread.join()
            self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main()
