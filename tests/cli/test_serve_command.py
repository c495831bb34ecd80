"""embedd serve: what is said on the command line and in the environment reaches the server."""
import http.client
import json
import os
import shutil
import subprocess
import unittest

from run_program import MODEL, PROGRAM, ProgramTest


class ServeTest(ProgramTest):
    def serve(self, *arguments, variables=None):
        """Starts the server; returns its process and the ready line."""
        process = subprocess.Popen([PROGRAM, "serve", *arguments], cwd=self.folder,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment(variables))
        self.addCleanup(self.stop, process)
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "ready":
                return process, event
        self.fail(process.stderr.read().decode())

    def stop(self, process):
        process.terminate()
        process.wait(20)
        for file in (process.stdin, process.stdout, process.stderr):
            file.close()

    def ask(self, ready, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", ready["port"], timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_options(self):
        _, ready = self.serve("-m", MODEL, "--port", "0", "--threads", "1", "--cpu", "ref",
                              "--max-texts", "3", "--max-body", "2048", "--queue-tokens", "5000",
                              "--deadline", "7", "--batch-tokens", "512", "--log-format", "json")
        status, info = self.ask(ready, "GET", "/info")
        self.assertEqual(status, 200)
        self.assertEqual((info["model_id"], info["threads"], info["cpu_level"]), (MODEL, 1, "ref"))
        self.assertEqual(info["batch_tokens_max"], 512)
        limits = info["limits"]
        self.assertEqual([limits[name] for name in ("texts", "body_bytes", "queue_tokens", "deadline_ms")],
                         [3, 2048, 5000, 7000])

    def test_variables(self):
        _, ready = self.serve(variables={"EMBEDD_MODEL": MODEL, "EMBEDD_PORT": "0",
                                         "EMBEDD_MAX_TEXTS": "2", "EMBEDD_API_KEY": "k"})
        self.assertEqual(self.ask(ready, "POST", "/embed", {"texts": ["a"]})[0], 401)
        key = {"Authorization": "Bearer k"}
        status, answer = self.ask(ready, "POST", "/embed", {"texts": ["a", "b"]}, key)
        self.assertEqual((status, len(answer["vectors"])), (200, 2))
        self.assertEqual(self.ask(ready, "POST", "/embed", {"texts": ["a"] * 3}, key)[0], 413)

    def test_defaults(self):
        _, ready = self.serve("-m", MODEL, "--port", "0")
        limits = self.ask(ready, "GET", "/info")[1]["limits"]
        self.assertEqual([limits[name] for name in ("texts", "body_bytes", "deadline_ms")],
                         [4096, 8 << 20, 120_000])
        self.assertGreater(limits["queue_tokens"], 1000)

    def test_a_name_of_the_store(self):
        shutil.copytree(MODEL, os.path.join(self.folder, ".local/share/embedd/models/acme/tiny"))
        _, ready = self.serve("-m", "acme/tiny", "--port", "0")
        self.assertEqual(self.ask(ready, "GET", "/info")[1]["model_id"], "acme/tiny")

    def test_the_same_vectors_as_embed(self):
        _, ready = self.serve("-m", MODEL, "--port", "0")
        texts = ["a cat", "", "日本語"]
        served = self.ask(ready, "POST", "/embed", {"texts": texts})[1]
        embedded = json.loads(self.run_program("embed", "-m", MODEL, *texts).stdout)
        self.assertEqual(served, embedded)

    def test_the_description_of_the_api(self):
        described = json.loads(self.run_program("serve", "--openapi").stdout)
        self.assertIn("/embed", described["paths"])
        _, ready = self.serve("-m", MODEL, "--port", "0")
        self.assertEqual(self.ask(ready, "GET", "/openapi.json")[1], described)

    def test_exit_with_parent(self):
        process, _ = self.serve("-m", MODEL, "--port", "0", "--exit-with-parent")
        process.stdin.close()
        self.assertEqual(process.wait(20), 0)

    def test_an_address_that_others_reach_needs_the_flag(self):
        result = self.run_program("serve", "-m", MODEL, "--port", "0", "--host", "0.0.0.0", code=2)
        self.assertIn("--allow-remote", result.stderr)


if __name__ == "__main__":
    unittest.main()
