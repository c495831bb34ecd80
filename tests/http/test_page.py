"""The page for browsers, and the description of the API."""

import re
import unittest

from running_server import RunningServer, ServerTest

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
           "Sec-Fetch-Site": "none"}


class PageTest(ServerTest):
    def test_a_browser_gets_the_page(self):
        reply = self.server.get("/", headers=BROWSER)
        self.assertEqual((reply.status, reply.headers["Content-Type"]),
                         (200, "text/html; charset=utf-8"))
        page = reply.body.decode("ascii")
        self.assertTrue(page.startswith("<!doctype html>") and page.endswith("</html>\n"))
        self.assertEqual(self.server.request("HEAD", "/", headers=BROWSER).body, b"")

    def test_others_get_what_ollama_says(self):
        for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            self.assertEqual(self.server.get("/", headers=accept).body, b"Ollama is running")

    def test_the_page_asks_nobody_else(self):
        reply = self.server.get("/", headers=BROWSER)
        for address in re.findall(r"""(?:src|href|action)=["']([^"']*)""", reply.body.decode()):
            self.assertEqual(address, "data:,")
        policy = reply.headers["Content-Security-Policy"]
        for rule in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"):
            self.assertIn(rule, policy)

    def test_the_page_may_call_its_own_server(self):
        own = {"Origin": "http://127.0.0.1:%d" % self.server.port, "Sec-Fetch-Site": "same-origin"}
        body = {"inputs": {"source_sentence": "a", "sentences": ["a"]}}
        reply = self.server.post(body, path="/similarity", headers=own)
        self.assertEqual(reply.status, 200)
        self.assertAlmostEqual(reply.json[0], 1, delta=1e-6)
        self.assertIsNone(reply.headers["Access-Control-Allow-Origin"])
        other = {"Origin": "http://127.0.0.1:%d" % (self.server.port ^ 1)}
        self.assertEqual(self.server.post(body, path="/similarity", headers=other).status, 403)

    def test_the_last_refused_requests_are_told(self):
        with RunningServer() as server:
            self.assertEqual(server.get("/info").json["refused"], [])
            for number in range(11):
                server.post({"texts": [number]}, headers={"X-Request-Id": "bad-%d" % number})
            server.get("/a/path/that/<is>/not/there")
            refused = server.get("/info").json["refused"]
            self.assertEqual([(row["status"], row["code"], row["route"]) for row in refused[:2]],
                             [(404, "not_found", "other"), (400, "invalid_type", "/embed")])
            self.assertEqual([row["request_id"] for row in refused[1:]],
                             ["bad-%d" % number for number in range(10, 3, -1)])
            self.assertTrue(all(0 <= row["seconds_ago"] < 60 for row in refused))

    def test_the_page_needs_no_key_but_what_it_asks_does(self):
        with RunningServer(env={"EMBEDD_API_KEY": "secret"}) as server:
            self.assertEqual(server.get("/", headers=BROWSER).status, 200)
            self.assertEqual(server.get("/info").status, 401)

    def test_the_description_names_routes_that_are_there(self):
        described = self.server.get("/openapi.json").json
        self.assertEqual(described["info"]["version"], self.server.get("/api/version").json["version"])
        for path, methods in described["paths"].items():
            path = path.replace("{name}", self.server.ready["model"].split("/")[-1])
            for method in methods:
                if path == "/shutdown":
                    continue
                reply = self.server.request(method.upper(), path, "{}" if method == "post" else None)
                self.assertNotIn(reply.status, (404, 405, 500), (method, path, reply.body))
        text = self.server.get("/openapi.json").body.decode()
        for name in re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text):
            self.assertIn(name, described["components"]["schemas"])


if __name__ == "__main__":
    unittest.main()
