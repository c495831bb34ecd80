"""POST /api/pull against a small hub on loopback: what a client sees, and what is on the disk after."""

import json
import os
import sys
import tempfile
import threading
import time
import unittest

from running_server import SLOWER, RunningServer, model_folder, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hub"))
from small_hub import SmallHub, read_folder  # noqa: E402

NAME = "acme/tiny"
WEIGHTS = "model.safetensors"


class HubTest(unittest.TestCase):
    """A hub, and a server that asks it."""

    arguments = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = folder.name
        self.store = os.path.join(self.home, "store")
        self.place = os.path.join(self.store, "acme", "tiny")
        self.hub = SmallHub(read_folder(model_folder()))
        self.hub.__enter__()
        self.addCleanup(self.hub.__exit__)
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)  # before the hub ends
        self.server = self.serve()

    def serve(self, *arguments, **variables):
        environment = {"HF_ENDPOINT": self.hub.url, "EMBEDD_MODELS": self.store, "HOME": self.home,
                       "HF_HUB_CACHE": os.path.join(self.home, "cache"), "HF_TOKEN": "", "HF_HUB_OFFLINE": ""}
        server = RunningServer(*(arguments or self.arguments), model="bert-cls", env={**environment, **variables})
        self.addCleanup(server.stop)
        return server

    def hold(self, n_bytes=100_000):
        self.hub.held[WEIGHTS] = (n_bytes, self.go_on)

    def pull(self, name=NAME, status=200, server=None, **fields):
        """The lines of the answer."""
        reply = (server or self.server).post({"model": name, **fields}, path="/api/pull")
        self.assertEqual(reply.status, status, reply.body)
        return [json.loads(line) for line in reply.body.splitlines()]

    def started(self, name=NAME):
        """A pull that is under way: its connection and response, when the first bytes are here."""
        connection = self.server.connect()
        connection.request("POST", "/api/pull", json.dumps({"model": name}))
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        for line in response:
            if json.loads(line).get("completed", 0) >= 50_000:
                return connection, response
        self.fail("the answer ended early")

    def tags(self, server=None):
        return [m["name"] for m in (server or self.server).get("/api/tags").json["models"]]

    def lists_files(self):
        return len(self.hub.asked_for("/revision/main"))


class PullsTest(HubTest):
    arguments = ("--allow-pull",)

    # ---- what goes well

    def test_progress_then_success_then_vectors(self):
        lines = self.pull()
        self.assertEqual(lines[0], {"status": "pulling manifest"})
        self.assertEqual(lines[-1], {"status": "success"})
        files = {}
        for line in lines[1:-1]:
            self.assertEqual(set(line), {"status", "digest", "total", "completed"})
            files[line["status"]] = line
        weights = files["pulling " + WEIGHTS]
        size = len(self.hub.files[WEIGHTS])
        self.assertEqual((weights["completed"], weights["total"]), (size, size))
        self.assertRegex(weights["digest"], "^sha256:[0-9a-f]{64}$")
        self.assertRegex(files["pulling config.json"]["digest"], "^sha1:[0-9a-f]{40}$")
        self.assertEqual(self.tags(), ["bert-cls:latest", "tiny:latest"])
        with RunningServer() as other:
            expected = other.embed(["a cat"])
        for name in ("tiny", NAME, "hf.co/" + NAME, "tiny:latest"):
            answer = self.server.post({"model": name, "input": "a cat"}, path="/api/embed").json
            self.assertEqual(answer["embeddings"], expected)

    def test_without_a_stream(self):
        self.assertEqual(self.pull(stream=False), [{"status": "success"}])
        self.assertIn("tiny:latest", self.tags())

    def test_names_as_ollama_s_clients_write_them(self):
        for name in ("hf.co/acme/tiny", "huggingface.co/acme/tiny:latest", "https://hf.co/acme/tiny", NAME):
            self.assertEqual(self.pull(name)[-1], {"status": "success"}, name)
        self.assertEqual(self.lists_files(), 1, "what is here is not asked for again")
        answer = self.server.post({"name": "acme/tiny"}, path="/api/pull")
        self.assertEqual(answer.body.splitlines()[-1], b'{"status":"success"}')

    def test_what_is_on_the_disk_is_served_without_a_download(self):
        self.pull()
        other = self.serve()
        self.assertEqual(self.tags(other), ["bert-cls:latest"])
        self.assertEqual(self.pull(server=other)[-1], {"status": "success"})
        self.assertEqual(self.lists_files(), 1)
        self.assertIn("tiny:latest", self.tags(other))

    def test_models_dir_is_where_models_go(self):
        folder = os.path.join(self.home, "models")
        os.mkdir(folder)
        server = self.serve("--allow-pull", "--models-dir", folder)
        self.assertEqual(self.pull(server=server)[-1], {"status": "success"})
        self.assertTrue(os.path.isfile(os.path.join(folder, "acme", "tiny", WEIGHTS)))
        self.assertFalse(os.path.exists(self.store))
        again = self.serve("--allow-pull", "--models-dir", folder)
        self.assertIn("tiny:latest", self.tags(again))

    def test_another_owner_s_model_of_the_same_name(self):
        self.pull()
        self.hub.name = "other/tiny"
        self.assertEqual(self.pull("other/tiny")[-1], {"status": "success"})
        self.assertEqual(self.lists_files(), 2)
        self.assertEqual(self.pull("tiny")[-1], {"status": "success"}, "a bare name is any of them")
        self.assertEqual(self.lists_files(), 2)

    # ---- several at once

    def test_a_pull_is_shared_and_nobody_else_waits(self):
        self.hold()
        connection, response = self.started()
        lines, readers = [], [threading.Thread(target=lambda: lines.append(self.pull())) for _ in range(4)]
        for reader in readers:
            reader.start()
        slowest = 0
        for _ in range(50):
            began = time.monotonic()
            self.assertEqual(self.server.get("/health").status, 200)
            slowest = max(slowest, time.monotonic() - began)
        self.assertLess(slowest, 0.050 * SLOWER)
        self.assertEqual(len(self.server.embed(["a cat"], model="bert-cls")), 1)
        self.assertNotIn("tiny:latest", self.tags())
        self.assertEqual(self.server.post({"model": "tiny", "input": "a"}, path="/api/embed").status, 404)
        self.go_on.set()
        for reader in readers:
            reader.join(60)
        self.assertEqual(response.readlines()[-1], b'{"status":"success"}\n')
        connection.close()
        self.assertEqual([answer[-1] for answer in lines], [{"status": "success"}] * 4)
        self.assertEqual(len(self.hub.asked_for(WEIGHTS)), 1)

    def test_a_pull_outlives_the_deadline_of_requests(self):
        self.server.stop()
        self.server = self.serve("--allow-pull", "--deadline", "1")
        self.hold()
        connection, response = self.started()
        time.sleep(1.5)
        self.go_on.set()
        self.assertEqual(response.readlines()[-1], b'{"status":"success"}\n')
        connection.close()

    # ---- interruptions

    def test_a_pull_that_nobody_waits_for_is_given_up_and_gone_on_with(self):
        self.hold()
        connection, response = self.started()
        response.close()
        connection.close()
        part = os.path.join(self.store, "acme", ".tiny.partial", WEIGHTS + ".part")
        self.assertTrue(wait_until(lambda: any("given up" in line for line in self.server.errors), 20))
        self.assertEqual(os.path.getsize(part), 100_000)
        self.assertFalse(os.path.exists(self.place))
        self.assertNotIn("tiny:latest", self.tags())
        del self.hub.held[WEIGHTS]
        self.assertEqual(self.pull()[-1], {"status": "success"})
        self.assertEqual([headers.get("Range") for _, headers in self.hub.asked_for(WEIGHTS)],
                         [None, "bytes=100000-"])

    def test_one_of_two_may_go(self):
        self.hold()
        first, second = self.started(), self.started()
        first[1].close()
        first[0].close()
        time.sleep(0.3)
        self.go_on.set()
        self.assertEqual(second[1].readlines()[-1], b'{"status":"success"}\n')
        second[0].close()
        self.assertEqual(len(self.hub.asked_for(WEIGHTS)), 1)

    def test_the_server_ends_while_it_pulls(self):
        self.server.stop()
        self.server = self.serve("--allow-pull", EMBEDD_DRAIN_MS="100")
        self.hold()
        connection, response = self.started()
        began = time.monotonic()
        self.assertEqual(self.server.stop(), 0)
        self.assertLess(time.monotonic() - began, 5 * SLOWER)
        self.assertIn("shutting down", json.loads(response.readlines()[-1])["error"])
        connection.close()
        self.assertFalse(os.path.exists(self.place))

    # ---- what goes wrong

    def test_a_failure_is_a_line_and_without_a_stream_a_status(self):
        lines = self.pull("acme/none")
        self.assertEqual(lines[0], {"status": "pulling manifest"})
        self.assertIn("no such model", lines[-1]["error"])
        line, = self.pull("acme/none", status=404, stream=False)
        self.assertIn("no such model", line["error"])

    def test_wrong_bytes_are_not_listed(self):
        self.hub.wrong[WEIGHTS] = b"y" * len(self.hub.files[WEIGHTS])
        line, = self.pull(status=502, stream=False)
        self.assertIn("checksum", line["error"])
        self.assertFalse(os.path.exists(self.place))
        self.assertEqual(self.tags(), ["bert-cls:latest"])
        self.hub.wrong.clear()
        self.assertEqual(self.pull()[-1], {"status": "success"})

    def test_a_model_without_safetensors(self):
        del self.hub.files[WEIGHTS]
        self.assertIn("no model.safetensors", self.pull()[-1]["error"])
        self.assertEqual(self.tags(), ["bert-cls:latest"])

    def test_names_that_never_become_a_path(self):
        for name in ("../../etc/passwd", "/etc", "acme/..", "acme/.hidden", "a/b/c", "acme/tiny:q8_0", "acme/tiny@../x",
                     "http://127.0.0.1:9/acme/tiny", "acme/tiny\0x", "acme/ti ny", "\u00e9/tiny", ".", "x" * 5000):
            line, = self.pull(name, status=400)
            self.assertEqual(list(line), ["error"], name)
        self.pull("", status=400)
        self.assertEqual(self.server.post({}, path="/api/pull").status, 400)
        self.assertEqual(self.server.post({"model": 5}, path="/api/pull").status, 400)
        self.assertEqual(self.hub.asked, [])
        self.assertEqual(os.listdir(self.home), [])


class PullsAreRefusedTest(HubTest):
    def test_a_served_model_is_here_and_no_other(self):
        self.assertEqual(self.pull("bert-cls"), [{"status": "pulling manifest"}, {"status": "success"}])
        self.assertEqual(self.pull("bert-cls", stream=False), [{"status": "success"}])
        line, = self.pull(status=404)
        self.assertIn("not found", line["error"])
        self.assertIn("--allow-pull", line["error"])
        self.assertEqual(self.hub.asked, [])
        self.assertFalse(os.path.exists(self.store))


if __name__ == "__main__":
    unittest.main()
