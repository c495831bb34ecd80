"""embedd doctor: findings about the machine, the models and the ports."""
import http.server
import json
import os
import socket
import subprocess
import threading
import unittest

from run_program import GOLDEN, MODEL, PROGRAM, ProgramTest

STORE = os.path.join(GOLDEN, "ollama-store")


class Answers(http.server.BaseHTTPRequestHandler):
    """GETs by `answers` of the server: path -> object; the rest is 404."""

    def do_GET(self):
        answer = self.server.answers.get(self.path)
        body = json.dumps(answer).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class DoctorTest(ProgramTest):
    def setUp(self):
        super().setUp()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def environment(self, variables=None):
        return super().environment({"OLLAMA_MODELS": STORE, "EMBEDD_PORT": str(self.port),
                                    **(variables or {})})

    def doctor(self, *arguments, code=None, variables=None):
        """The checks by name; the exit code says whether there is a warning."""
        result = self.run_program("doctor", "--json", *arguments, code=code, variables=variables)
        answer = json.loads(result.stdout)
        warnings = [check for check in answer["checks"] if check["status"] == "warning"]
        self.assertEqual((answer["ok"], answer["warnings"]), (not warnings, len(warnings)))
        self.assertEqual(result.returncode, 1 if warnings else 0)
        for check in answer["checks"]:
            self.assertEqual(check["advice"] is None, check["status"] == "ok", check)
        self.checks = answer["checks"]
        return {check["check"]: check for check in answer["checks"]}

    def serve(self, answers):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Answers)
        server.answers = answers
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def expect_port(self, detail):
        self.assertEqual(self.doctor()["port %d" % self.port]["detail"], detail)

    def test_every_check_is_there(self):
        found = self.doctor()
        self.assertLessEqual({"program", "cpu", "threads", "memory", "model", "embedding",
                              "port %d" % self.port, "port 11434", "pull"}, set(found))
        level = json.loads(self.run_program("info", "-m", MODEL, "--json").stdout)["cpu_level"]
        self.assertIn("level " + level, found["cpu"]["detail"])
        self.assertRegex(found["memory"]["detail"], r"\d GB, .* free")
        self.assertIn("free, for embedd serve", found["port %d" % self.port]["detail"])

    def test_lines_for_a_person(self):
        output = self.run_program("doctor", code=None).stdout
        for line in ("ok       program     embedd ", "in Ollama's store\n"):
            self.assertIn(line, output)

    def test_models_of_all_three_places(self):
        models = os.path.join(self.folder, "models/acme")
        snapshot = "models--acme--cached/snapshots/" + "c" * 40
        hub = os.path.join(self.folder, "hub")
        os.makedirs(models)
        os.makedirs(os.path.join(hub, os.path.dirname(snapshot)))
        os.symlink(MODEL, os.path.join(models, "pulled"))
        os.symlink(MODEL, os.path.join(hub, snapshot))
        self.write("hub/models--acme--cached/refs/main", "c" * 40)
        self.doctor(variables={"EMBEDD_MODELS": os.path.dirname(models), "HF_HUB_CACHE": hub})
        found = [check["detail"] for check in self.checks if check["check"] == "model"]
        for name, place in (("acme/pulled", "pulled by embedd"),
                            ("acme/cached", "in the Hugging Face cache"),
                            ("ollama:tiny-nomic:latest", "in Ollama's store")):
            self.assertTrue(any(line.startswith(name + ", ") and line.endswith(", " + place)
                                for line in found), found)

    def test_no_model(self):
        found = self.doctor(code=1, variables={"OLLAMA_MODELS": self.folder})
        self.assertEqual(found["models"]["status"], "warning")
        self.assertIn("embedd pull", found["models"]["advice"])
        self.assertNotIn("embedding", found)

    def test_a_broken_model(self):
        model = os.path.join(self.folder, "broken")
        os.makedirs(model)
        self.write("broken/config.json", "{}")
        found = self.doctor("-m", model, code=1)
        self.assertEqual(found["embedding"]["status"], "warning")
        self.assertIn(model, found["embedding"]["detail"])

    def test_sentences_are_compared(self):
        embedding = self.doctor("-m", MODEL)["embedding"]["detail"]
        texts = ("A cat sleeps on the sofa.", "A kitten naps on the couch.",
                 "The central bank raised its interest rate.")
        cosines = json.loads(self.run_program("similarity", "--json", "-m", MODEL, *texts).stdout)
        first = cosines["similarities"][0]
        self.assertIn("cosine %.2f, others %.2f" % (first[1], first[2]), embedding)

    def test_a_prompt_that_is_left_out(self):
        found = self.doctor("-m", os.path.join(GOLDEN, "nomic-bert"), code=1)
        self.assertIn("--prompt-name", found["prompt"]["advice"])
        self.assertNotIn("prompt", self.doctor("-m", os.path.join(GOLDEN, "bert-prompts")))

    def test_a_level_that_is_forced(self):
        found = self.doctor("-m", MODEL, code=1, variables={"EMBEDD_CPU": "ref"})
        self.assertIn("held at level ref by EMBEDD_CPU", found["cpu"]["detail"])
        found = self.doctor("-m", MODEL, code=1, variables={"EMBEDD_CPU": "none"})
        self.assertIn("EMBEDD_CPU asks for none", found["cpu"]["detail"])
        self.assertEqual(found["embedding"]["status"], "warning")

    def test_who_answers_at_the_port(self):
        server = subprocess.Popen([PROGRAM, "serve", "-m", MODEL], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, env=self.environment())
        self.addCleanup(server.wait)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.terminate)
        server.stdout.readline()
        self.expect_port("embedd 0.1.0 answers, with " + MODEL)

    def test_ollama(self):
        self.serve({"/api/version": {"version": "0.12.3"},
                    "/api/tags": {"models": [{"name": "all-minilm:latest"}]}})
        self.expect_port("Ollama 0.12.3 answers, with all-minilm:latest")

    def test_text_embeddings_inference(self):
        self.serve({"/info": {"model_id": "acme/x", "max_client_batch_size": 32,
                              "version": "1.8.0"}})
        self.expect_port("text-embeddings-inference 1.8.0 answers, with acme/x")

    def test_openai_and_names_that_would_steer_a_terminal(self):
        self.serve({"/v1/models": {"data": [{"id": "a\x1b[31m"}]}})
        self.expect_port("a server with OpenAI's routes answers, with a?[31m")

    def test_somebody_else(self):
        self.serve({})
        found = self.doctor(code=1)["port %d" % self.port]
        self.assertIn("taken by a program that does not talk about embeddings", found["detail"])
        self.assertIn("--port", found["advice"])

    def test_a_port_that_is_taken_and_silent(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            self.assertEqual(self.doctor(code=1)["port %d" % self.port]["status"], "warning")

    def test_hub(self):
        self.assertIn("https://huggingface.co", self.doctor()["pull"]["detail"])
        self.assertIn("HF_HUB_OFFLINE", self.doctor(variables={"HF_HUB_OFFLINE": "1"})["pull"]["detail"])


if __name__ == "__main__":
    unittest.main()
