"""embedd bench: what is measured and how it is told; no figure is tested but for its sense."""
import http.server
import json
import os
import subprocess
import threading
import unittest

from run_program import GOLDEN, MODEL, PROGRAM, ProgramTest

QUICK = ("--seconds", "0.02", "--rounds", "1", "--no-progress")
SMALL = QUICK + ("--threads", "1", "--length", "8", "--batch", "2", "--concurrency", "1")


class FakeServer(http.server.BaseHTTPRequestHandler):
    """Another server: `server.routes` is path -> object or function of the request's object."""
    protocol_version = "HTTP/1.1"

    def answer(self, request):
        answer = self.server.routes.get(self.path)
        code = 404 if answer is None else 200
        if callable(answer):
            self.server.requests.append(request)
            code, answer = answer(request)
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *arguments):
        pass


class BenchTest(ProgramTest):
    def bench(self, *arguments, model=MODEL):
        return json.loads(self.run_program("bench", "-m", model, "--json", *arguments).stdout)

    def start_fake(self, routes):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeServer)
        server.daemon_threads = True
        server.routes = routes
        server.requests = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server, "http://127.0.0.1:%d" % server.server_address[1]

    def test_every_combination_is_measured(self):
        answer = self.bench(*QUICK, "--threads", "1,2", "--length", "8,32", "--batch", "1,4",
                            "--concurrency", "1,3")
        self.assertEqual([(cell["threads"], cell["tokens"], cell["texts"])
                          for cell in answer["in_process"]],
                         [(t, n, b) for t in (1, 2) for n in (8, 32) for b in (1, 4)])
        self.assertEqual([(cell["clients"], cell["tokens"], cell["texts"], cell["server"])
                          for cell in answer["over_http"]],
                         [(c, n, b, "embedd 0.1.0") for c in (1, 3) for n in (8, 32)
                          for b in (1, 4)])
        for cell in answer["in_process"] + answer["over_http"]:
            self.assertEqual(cell["failed"], 0)
            self.assertGreater(cell["calls"], 0)
            self.assertLessEqual(0, cell["p50_ms"])
            self.assertLessEqual(cell["p50_ms"], cell["p95_ms"])
            self.assertLessEqual(cell["p95_ms"], cell["p99_ms"])
            self.assertAlmostEqual(cell["tokens_per_second"] / cell["texts_per_second"],
                                   cell["tokens"], places=3)
            self.assertAlmostEqual(cell["wall_ms_per_text"] * cell["texts_per_second"], 1000,
                                   places=1)
            self.assertGreater(cell["cpu_ms_per_text"], 0)
        for cell in answer["in_process"]:
            self.assertGreater(cell["peak_operations_per_second"], 1e8)
            self.assertGreater(cell["share_of_peak"], 0)
            self.assertLess(cell["share_of_peak"], 1.1)
        self.assertGreater(answer["open_seconds"], 0)
        self.assertGreater(answer["server_start_seconds"], 0)
        self.assertGreater(answer["peak_bytes"], 1 << 20)
        self.assertGreater(answer["server_peak_bytes"], 1 << 20)
        self.assertEqual(answer["server_threads"], 2)

    def test_types_and_levels(self):
        answer = self.bench(*SMALL, "--dtype", "int8", "--cpu", "ref")
        self.assertEqual((answer["dtype"], answer["cpu_level"]), ("int8", "ref"))
        self.assertGreater(answer["in_process"][0]["texts_per_second"], 0)

    def test_texts_have_the_tokens_that_were_asked_for(self):
        for name in ("mpnet", "roberta", "nomic-bert"):
            answer = self.bench(*SMALL, "--length", "5000", model=os.path.join(GOLDEN, name))
            info = json.loads(self.run_program("info", "--json", "-m",
                                               os.path.join(GOLDEN, name)).stdout)
            self.assertEqual(answer["in_process"][0]["tokens"], info["max_tokens"])

    def test_table(self):
        output = self.run_program("bench", "-m", MODEL, *SMALL).stdout
        for line in ("model     %s, f32 on " % MODEL, "\nmachine   ", " to the first vector; ",
                     "\nmemory    ", "\nTHREADS  TOKENS  TEXTS   TEXTS/S",
                     "\nOver HTTP, embedd serve with 1 thread;"):
            self.assertIn(line, output)
        self.assertRegex(output, r"\n      1       8      2 +\d+\.\d .* %\n")

    def test_progress(self):
        arguments = [argument for argument in SMALL if argument != "--no-progress"]
        result = self.run_program("bench", "-m", MODEL, *arguments, "--rounds", "2")
        self.assertNotIn("measuring", result.stdout)
        self.assertEqual(self.run_program("bench", "-m", MODEL, *SMALL).stderr, "")

    def test_compared_with_another_embedd(self):
        server = subprocess.Popen([PROGRAM, "serve", "-m", MODEL, "--port", "0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  env=self.environment())
        self.addCleanup(server.wait)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.terminate)
        url = json.loads(server.stdout.readline())["url"]
        cells = self.bench(*SMALL, "--compare", url + "/")["over_http"]
        self.assertEqual([cell["server"] for cell in cells], ["embedd 0.1.0"] * 2)
        self.assertGreater(cells[1]["texts_per_second"], 0)
        self.assertIsNone(cells[1]["cpu_ms_per_text"], "another process, maybe another machine")
        self.assertRegex(self.run_program("bench", "-m", MODEL, *SMALL, "--compare", url).stdout,
                         r"embedd is \d+\.\d\d times as fast\n")

    def expect_requests(self, routes, title, fields, *more):
        server, url = self.start_fake(routes)
        cells = self.bench(*SMALL, "--compare", url, *more)["over_http"]
        self.assertEqual([cell["server"] for cell in cells], ["embedd 0.1.0", title])
        self.assertGreater(cells[1]["calls"], 0)
        self.assertEqual(len(server.requests), cells[1]["calls"] + 1, "one before the clock starts")
        for request in server.requests:
            texts = request.pop("input" if "input" in request else "inputs")
            self.assertEqual((len(texts), request), (2, fields))
            self.assertTrue(all(texts))
        return cells

    def test_compared_with_ollama(self):
        routes = {"/api/version": {"version": "0.12.3"},
                  "/api/tags": {"models": [{"name": "all-minilm:latest"}]},
                  "/api/embed": lambda request: (200, {"embeddings": [[1]] * 2})}
        self.expect_requests(routes, "Ollama 0.12.3", {"model": "all-minilm:latest"})
        self.expect_requests(routes, "Ollama 0.12.3", {"model": "other"}, "--compare-model", "other")

    def test_compared_with_text_embeddings_inference(self):
        self.expect_requests({"/info": {"max_client_batch_size": 32, "version": "1.8"},
                              "/embed": lambda request: (200, [[1]] * 2)},
                             "text-embeddings-inference 1.8", {})

    def test_compared_with_openais_routes(self):
        self.expect_requests({"/v1/models": {"data": [{"id": "m"}]},
                              "/v1/embeddings": lambda request: (200, {"data": []})},
                             "a server with OpenAI's routes", {"model": "m"})

    def test_failures_are_counted(self):
        count = iter(range(1 << 30))
        routes = {"/v1/models": {"data": [{"id": "m"}]},
                  "/v1/embeddings": lambda request: (200 if next(count) % 2 == 0 else 500, {})}
        _, url = self.start_fake(routes)
        other = self.bench(*SMALL, "--seconds", "0.2", "--compare", url)["over_http"][1]
        self.assertGreater(other["failed"], 0)
        self.assertLessEqual(abs(other["calls"] - other["failed"]), 1)

    def test_a_server_that_cannot_be_asked(self):
        def fail(url, sentence, code=1):
            result = self.run_program("bench", "-m", MODEL, *SMALL, "--compare", url, code=code)
            self.assertIn(sentence, result.stderr)
            self.assertEqual(result.stdout, "")

        fail("localhost:1", "no address that begins with http://", code=2)
        fail("http://127.0.0.1:1", "--compare: http://127.0.0.1:1 does not answer")
        fail(self.start_fake({})[1], "has no route for embeddings")
        routes = {"/api/version": {"version": "1"},
                  "/api/embed": lambda request: (404, {"error": "model not found\x1b[31m"})}
        fail(self.start_fake(routes)[1], "/api/embed answers 404")

    def test_no_variable_of_the_user_reaches_the_server(self):
        variables = {"EMBEDD_API_KEY": "secret", "EMBEDD_PORT": "1", "EMBEDD_MAX_TEXTS": "1"}
        result = self.run_program("bench", "-m", MODEL, *SMALL, "--json", variables=variables)
        self.assertEqual(json.loads(result.stdout)["over_http"][0]["failed"], 0)

    def test_mistakes(self):
        for option in ("--threads", "--length", "--batch", "--concurrency"):
            for value in ("0", "x", "1,", ",", "1;2", "-1", "99999999999999999999"):
                self.assertIn(option + ": at most 16 numbers from 1 to ",
                              self.run_program("bench", "-m", MODEL, option, value, code=2).stderr)
        for value in ("0", "x", "601", "1e1"):
            self.assertIn("--seconds: a number above 0",
                          self.run_program("bench", "-m", MODEL, "--seconds", value, code=2).stderr)
        self.assertIn("needs a model", self.run_program("bench", code=2).stderr)
        self.run_program("bench", "-m", "missing", code=3)


if __name__ == "__main__":
    unittest.main()
