"""Who may call: keys, hosts, browsers' origins (A45)."""

import json
import unittest

from running_server import ServerTest

KEY = "0123456789abcdef-Key"
BODY = json.dumps({"texts": ["ping"]})


class KeyTest(ServerTest):
    options = {"env": {"EMBEDD_API_KEY": KEY}}

    def status(self, authorization, method="POST", path="/embed"):
        headers = {} if authorization is None else {"Authorization": authorization}
        return self.server.request(method, path, BODY if method == "POST" else None, headers)

    def test_a45_keys(self):
        self.assertEqual(self.status("Bearer " + KEY).status, 200)
        self.assertEqual(self.status("bearer " + KEY).status, 200)
        for wrong in (None, "", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + KEY[:-1],
                      "Bearer " + KEY[:-1] + "x", "Bearer " + KEY + "x", "Basic " + KEY, KEY):
            reply = self.status(wrong)
            self.assertEqual((reply.status, reply.code), (401, "unauthorized"), wrong)
            self.assertEqual(reply.headers["WWW-Authenticate"], "Bearer")

    def test_a45_every_route_but_health_needs_it(self):
        self.assertEqual(self.status(None, "GET", "/health").status, 200)
        self.assertEqual(self.status(None, "HEAD", "/health").status, 200)
        for method, path in (("GET", "/info"), ("POST", "/shutdown"), ("GET", "/nope"),
                             ("GET", "/embed"), ("OPTIONS", "/embed"), ("DELETE", "/health/x")):
            self.assertEqual(self.status(None, method, path).status, 401, path)
        self.assertEqual(self.status("Bearer " + KEY, "GET", "/info").status, 200)

    def test_two_keys_are_one_too_many(self):
        data, closed = self.server.raw(
            b"GET /info HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
            b"Authorization: Bearer x\r\n\r\n" % KEY.encode())
        self.assertIn(b" 400 ", data.split(b"\r\n")[0])
        self.assertTrue(closed)


class NoKeyTest(ServerTest):
    def test_any_authorization_passes_without_a_key(self):
        for value in ("Bearer ollama", "Bearer ", "Basic abc", "anything"):
            reply = self.server.post(BODY, headers={"Authorization": value})
            self.assertEqual(reply.status, 200)

    def test_a45_hosts(self):
        port = self.server.port
        for host in ("127.0.0.1:%d" % port, "localhost:%d" % port, "[::1]:%d" % port, "localhost",
                     "127.0.0.1", "LOCALHOST"):
            self.assertEqual(self.server.post(BODY, headers={"Host": host}).status, 200, host)
        for host in ("evil.example:%d" % port, "127.0.0.1.evil.example:%d" % port, "evil.example",
                     "127.0.0.1:%d" % (port % 65535 + 1), "127.0.0.1:", "localhost.:%d" % port,
                     "0.0.0.0:%d" % port, "[::ffff:127.0.0.1]:%d" % port, "user@127.0.0.1"):
            reply = self.server.post(BODY, headers={"Host": host})
            self.assertEqual((reply.status, reply.code), (403, "forbidden_host"), host)

    def test_a45_web_pages(self):
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"},
                        {"Origin": "http://localhost:3000"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Site": "same-site"},
                        {"Origin": "https://evil.example", "Content-Type": "text/plain"}):
            for method, path in (("POST", "/embed"), ("GET", "/info"), ("GET", "/health"),
                                 ("POST", "/shutdown"), ("OPTIONS", "/embed")):
                reply = self.server.request(method, path, BODY if method == "POST" else None,
                                            headers)
                self.assertEqual((reply.status, reply.code), (403, "forbidden_origin"), headers)
                for name in reply.headers:
                    self.assertFalse(name.lower().startswith("access-control-"), name)
        reply = self.server.post(BODY, headers={"Sec-Fetch-Site": "same-origin"})
        self.assertEqual(reply.status, 200)

    def test_a45_a_preflight_of_a_stranger(self):
        reply = self.server.request("OPTIONS", "/embed", None,
                                    {"Origin": "https://evil.example",
                                     "Access-Control-Request-Method": "POST",
                                     "Access-Control-Request-Headers": "content-type"})
        self.assertEqual(reply.status, 403)
        for name in reply.headers:
            self.assertFalse(name.lower().startswith("access-control-"), name)

    def test_options_without_a_page_is_no_method(self):
        reply = self.server.request("OPTIONS", "/embed")
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST"))


class OriginTest(ServerTest):
    ORIGIN = "https://app.example"

    arguments, options = ("--origin", ORIGIN), {"env": {"EMBEDD_API_KEY": KEY}}

    def test_listed_origin(self):
        headers = {"Origin": self.ORIGIN, "Sec-Fetch-Site": "cross-site",
                   "Authorization": "Bearer " + KEY}
        reply = self.server.post(BODY, headers=headers)
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], self.ORIGIN)
        self.assertEqual(reply.headers["Vary"], "Origin")
        # errors are readable for the page, too
        reply = self.server.post(BODY, headers={"Origin": self.ORIGIN})
        self.assertEqual(reply.status, 401)
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], self.ORIGIN)
        reply = self.server.post(BODY, headers={**headers, "Origin": self.ORIGIN + ".evil"})
        self.assertEqual(reply.status, 403)
        self.assertIsNone(reply.headers["Access-Control-Allow-Origin"])

    def test_preflight(self):
        reply = self.server.request("OPTIONS", "/embed", None,
                                    {"Origin": self.ORIGIN,
                                     "Access-Control-Request-Method": "POST",
                                     "Access-Control-Request-Private-Network": "true",
                                     "Access-Control-Request-Headers":
                                         "authorization,content-type"})
        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], self.ORIGIN)
        self.assertIn("POST", reply.headers["Access-Control-Allow-Methods"])
        self.assertEqual(reply.headers["Access-Control-Allow-Headers"],
                         "authorization,content-type")
        self.assertEqual(reply.headers["Access-Control-Allow-Private-Network"], "true")


if __name__ == "__main__":
    unittest.main()
