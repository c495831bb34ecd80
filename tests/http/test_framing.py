"""Bytes on the wire: what is no request, two readers' requests, slow senders (A46)."""

import socket
import threading
import time
import unittest

from running_server import RunningServer, SLOWER, ServerTest, wait_until

HOST = b"Host: localhost\r\n"
BODY = b'{"texts":["ping"]}'


def post(*lines, body=BODY):
    return b"POST /embed HTTP/1.1\r\n" + HOST + b"".join(l + b"\r\n" for l in lines) + b"\r\n" + body


def get(*lines, path=b"/health", version=b"HTTP/1.1"):
    return b"GET " + path + b" " + version + b"\r\n" + HOST + b"".join(
        l + b"\r\n" for l in lines) + b"\r\n"


class FramingTest(ServerTest):
    def tearDown(self):
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(len(self.server.embed(["ping"])), 1)

    def check(self, data, status, closed=True):
        """The status of the first reply; then the connection is closed, or serves one more."""
        more = b"" if closed else get(b"Connection: close")
        received, was_closed = self.server.raw(data + more)
        self.assertIn(b" %d " % status, received.split(b"\r\n")[0][:13], (data[:200], received))
        self.assertTrue(was_closed, data[:200])
        self.assertEqual(b'"ready":true' in received[20:], not closed or status == 200, received)
        self.assertEqual(b'"vectors"' in received, status == 200 and b"POST" in data)
        return received

    def test_a_request_as_it_should_be(self):
        self.check(post(b"Content-Length: %d" % len(BODY)), 200, closed=False)
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
        self.check(post(b"Transfer-Encoding: chunked", body=chunked), 200, closed=False)
        for line in (b"X:a", b"X:   a   ", b"X:\t a", b"X:", b"x-y_z!: a, b", b"Cookie: a=b; c=d"):
            self.check(get(line), 200, closed=False)
        self.check(get(path=b"/health?verbose=1&x"), 200, closed=False)
        self.check(get(b"Connection: close"), 200)
        self.check(get(version=b"HTTP/1.0"), 200)

    def test_split_packets(self):
        request = post(b"Content-Length: %d" % len(BODY), b"Connection: close")
        data, closed = self.server.raw(request, pieces=1, pause=0.0005)
        self.assertTrue(data.startswith(b"HTTP/1.1 200 "), data)
        self.assertTrue(closed)
        chunked = b"".join(b"1\r\n%c\r\n" % c for c in BODY) + b"0\r\n\r\n"
        data, closed = self.server.raw(
            post(b"Transfer-Encoding: chunked", b"Connection: close", body=chunked), pieces=7)
        self.assertTrue(data.startswith(b"HTTP/1.1 200 "), data)

    def test_a31_pipelined_answers_come_in_order(self):
        one = post(b"Content-Length: %d" % len(BODY))
        last = get(b"Connection: close", path=b"/info")
        data, closed = self.server.raw(one + get() + one + get(path=b"/nope") + last)
        self.assertTrue(closed)
        places = [data.index(mark) for mark in (b'"vectors"', b'"ready"', b'"not_found"',
                                                b'"model_id"')]
        self.assertEqual(places, sorted(places))
        self.assertEqual(data.count(b'"vectors"'), 2)

    def test_a46_two_lengths(self):
        n = len(BODY)
        self.check(post(b"Content-Length: %d" % n, b"Transfer-Encoding: chunked",
                        body=b"0\r\n\r\n" + get()), 400)
        self.check(post(b"Transfer-Encoding: chunked", b"Content-Length: %d" % n,
                        body=b"0\r\n\r\n" + get()), 400)
        self.check(post(b"Content-Length: 5", b"Content-Length: 6"), 400)
        self.check(post(b"Content-Length: %d" % n, b"Content-Length: %d" % n), 400)
        self.check(post(b"Content-Length: %d, %d" % (n, n)), 400)

    def test_a46_lengths_that_are_none(self):
        for value in (b"-1", b"+5", b"0x10", b"", b"5 5", b"1e1", b"abc", b"18\x00"):
            self.check(post(b"Content-Length: " + value), 400)
        self.check(post(b"Content-Length : 18"), 400)
        self.check(post(b"Content-Length\t: 18"), 400)

    def test_a46_chunk_sizes(self):
        chunked = b"Transfer-Encoding: chunked"
        self.check(post(chunked, body=b"FFFFFFFFFFFFFFFF1\r\n" + BODY), 413)
        for size in (b"zz", b"-1", b"0x5", b"", b"5 5"):
            self.check(post(chunked, body=size + b"\r\n" + BODY + b"\r\n0\r\n\r\n"), 400)
        self.check(post(chunked, body=b"5\r\n" + BODY + b"\r\n0\r\n\r\n"), 400)

    def test_a46_transfer_codings(self):
        for value in (b"gzip, chunked", b"gzip", b"chunked, chunked", b"xchunked", b"identity"):
            self.check(post(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n"), 501)

    def test_a46_header_lines(self):
        self.check(get(b"X-A: b\r\n c"), 400)  # a folded line
        self.check(get(b"X-A: b\r\n\tc"), 400)
        self.check(b"GET /health HTTP/1.1\r\n X-A: b\r\n" + HOST + b"\r\n", 400)
        self.check(get(b"X-A: b\x00c"), 400)
        self.check(get(b"X\x00A: b"), 400)
        self.check(get(b"X A: b"), 400)
        self.check(get(b": b"), 400)
        self.check(get(b"no colon"), 400)
        self.check(get().replace(b"\r\n", b"\n"), 400)  # bare LF
        self.check(get().replace(b"1.1\r\n", b"1.1\n"), 400)
        self.check(get(b"Host: localhost"), 400)
        self.check(b"GET /health HTTP/1.1\r\n\r\n", 400)

    def test_a46_request_lines(self):
        for line in (b"GET /health", b"GET  /health HTTP/1.1", b"GET /health  HTTP/1.1",
                     b"GET /health HTTP/1.1 ", b"GET /health x HTTP/1.1", b"GET /health http/1.1",
                     b"GET /health\x00 HTTP/1.1", b"GET /health HTTP/1.1x"):
            self.check(line + b"\r\n" + HOST + b"\r\n", 400)
        self.check(get(version=b"HTTP/2.0"), 505)
        for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60 + b"\r\n\r\n",
                        b"\r\n\r\n\xff\xfe\r\n\r\n"):
            received, closed = self.server.raw(garbage, timeout=5)
            self.assertNotIn(b" 200 ", received)
            self.assertTrue(closed)

    def test_a46_large_headers(self):
        self.check(get(b"X: " + b"a" * 100000), 431)
        self.check(get(b"X: " + b"a" * 17000), 431)
        self.check(get(*[b"X%d: a" % i for i in range(1000)]), 431)
        self.check(get(*[b"X%d: a" % i for i in range(100)]), 431)
        self.check(get(path=b"/" + b"a" * 100000), 414)
        self.check(get(*[b"X%d: a" % i for i in range(99)]), 200, closed=False)

    def test_a46_paths_and_methods(self):
        for path in (b"/nope", b"/api", b"/embed/", b"/Embed", b"/embed//", b"/../embed", b"//embed",
                     b"http://localhost/embed", b"*", b"/embed%00"[:6] + b"%2f"):
            received = self.check(get(path=path), 404, closed=False)
            self.assertIn(b'"code":"not_found"', received)
        for method, path, allow in ((b"GET", b"/embed", b"POST"), (b"PUT", b"/embed", b"POST"),
                                    (b"DELETE", b"/health", b"GET, HEAD"),
                                    (b"POST", b"/info", b"GET, HEAD"),
                                    (b"GET", b"/shutdown", b"POST"), (b"BREW", b"/embed", b"POST")):
            request = get(path=path).replace(b"GET", method, 1)
            received = self.check(request, 405, closed=False)
            self.assertIn(b"\r\nAllow: " + allow + b"\r\n", received)
            self.assertIn(b'"code":"method_not_allowed"', received)

    def test_a_refused_body_is_read_and_the_connection_kept(self):
        connection = self.server.connect()
        big = "x" * (9 << 20)
        for path, status in (("/nope", 404), ("/health", 405), ("/embed", 413)):
            reply = self.server.request("POST", path, big, connection=connection)
            self.assertEqual(reply.status, status)
        self.assertEqual(self.server.get("/health", connection=connection).status, 200)
        connection.close()

    def test_expect_100_continue(self):
        request = post(b"Content-Length: %d" % len(BODY), b"Expect: 100-continue",
                       b"Connection: close")
        data, _ = self.server.raw(request)
        self.assertTrue(data.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "), data)
        # refused before the body is sent
        request = post(b"Content-Length: 9000000", b"Expect: 100-continue", body=b"")
        data, closed = self.server.raw(request)
        self.assertTrue(data.startswith(b"HTTP/1.1 413 "), data)
        self.assertTrue(closed)


class SlowSendersTest(unittest.TestCase):
    """With the limits as they are."""

    def test_a46_100_senders_of_a_byte_a_second(self):
        with RunningServer() as server:
            began = time.monotonic()
            header, body = post(b"Content-Length: 500", b"X: " + b"a" * 500, body=b""), b"x" * 20
            senders = []
            for i in range(100):
                senders.append(socket.create_connection(("127.0.0.1", server.port)))
                senders[-1].settimeout(5 * SLOWER)
                if i % 2:  # half of them are slow with the body
                    senders[-1].sendall(header)
            ended = threading.Event()

            def send():
                for at in range(60 * SLOWER):
                    for i, sender in enumerate(senders):
                        try:
                            sender.send((body if i % 2 else header)[at % 20:at % 20 + 1])
                        except OSError:  # cut off
                            pass
                    if ended.wait(1):
                        return

            sending = threading.Thread(target=send)
            sending.start()
            times = []
            connection = server.connect()
            while time.monotonic() - began < 9.0:
                asked = time.monotonic()
                server.embed(["ping"], connection=connection)
                times.append(time.monotonic() - asked)
                time.sleep(0.02)
            connection.close()
            self.assertLess(sorted(times)[len(times) * 9 // 10], 0.05 * SLOWER)
            for sender in senders:
                self.assertTrue(sender.recv(4096).startswith(b"HTTP/1.1 408 "))
                sender.close()
            self.assertLess(time.monotonic() - began, 12 * SLOWER)
            ended.set()
            sending.join()


class SlowTest(ServerTest):
    """The limits of 10, 15 and 75 seconds, shortened."""

    options = {"env": {"EMBEDD_HEADER_MS": str(1000 * SLOWER), "EMBEDD_BODY_MS": str(1200 * SLOWER),
                       "EMBEDD_IDLE_MS": str(1500 * SLOWER)}}

    def trickle(self, data, interval=0.1):
        """Sends a byte at a time; returns (status line or b"", seconds until it was cut off)."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.settimeout(interval * SLOWER)
            received = b""
            for at in range(len(data)):
                try:
                    connection.sendall(data[at:at + 1])
                    piece = connection.recv(4096)
                    if not piece:
                        break
                    received += piece
                except socket.timeout:
                    continue
                except OSError:
                    break
            return received.split(b"\r\n")[0], (time.monotonic() - began) / SLOWER

    def test_a46_slow_headers_are_cut_off(self):
        line, seconds = self.trickle(get(b"X: " + b"a" * 500))
        self.assertEqual(line, b"HTTP/1.1 408 Request Timeout")
        self.assertLess(seconds, 2.5)

    def test_a46_slow_bodies_are_cut_off(self):
        request = post(b"Content-Length: 500", body=b"")
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.sendall(request)
            began = time.monotonic()
            connection.settimeout(20 * SLOWER)
            data = connection.recv(4096)
            self.assertTrue(data.startswith(b"HTTP/1.1 408 "), data)
            head, _, body = data.partition(b"\r\n\r\n")
            self.assertIn(b"Content-Length: %d\r\n" % len(body), head + b"\r\n")
            self.assertEqual(connection.recv(4096), b"")
            self.assertLess((time.monotonic() - began) / SLOWER, 3)

    def test_a46_a_body_of_a_byte_at_a_time_is_cut_off(self):
        request = post(b"Content-Length: 500", body=b"")
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.sendall(request)
            connection.settimeout(0.1)
            received = b""
            while not received and time.monotonic() - began < 20 * SLOWER:
                try:
                    connection.sendall(b"x")
                    received = connection.recv(4096) or b"closed"
                except socket.timeout:
                    pass
                except OSError:
                    received = b"closed"
        self.assertLess((time.monotonic() - began) / SLOWER, 3)

    def test_a46_slow_ones_do_not_slow_others(self):
        slow = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(100)]
        for connection in slow:
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: loc")
        times = []
        connection = self.server.connect()
        for _ in range(50):
            began = time.monotonic()
            self.server.embed(["ping"], connection=connection)
            times.append(time.monotonic() - began)
        connection.close()
        self.assertLess(sorted(times)[40], 0.1 * SLOWER)
        for connection in slow:
            connection.settimeout(20 * SLOWER)
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 408 "))
            connection.close()

    def test_idle_connections_are_closed(self):
        connection = self.server.connect()
        self.assertEqual(self.server.get("/health", connection=connection).status, 200)
        began = time.monotonic()
        connection.sock.settimeout(20 * SLOWER)
        self.assertEqual(connection.sock.recv(4096), b"")
        self.assertLess((time.monotonic() - began) / SLOWER, 3)
        self.assertGreater((time.monotonic() - began) / SLOWER, 1)
        connection.close()

    def test_a_reader_that_does_not_read_is_cut_off(self):
        with RunningServer(model="bert-cls-max-mean",
                           env={"EMBEDD_IDLE_MS": str(1000 * SLOWER)}) as server:
            before = server.open_files()
            body = b'{"texts":[' + b",".join([b'"ping"'] * 2500) + b"]}"
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(post(b"Content-Length: %d" % len(body), body=body))
            self.assertTrue(wait_until(lambda: server.open_files() > before))
            began = time.monotonic()
            self.assertTrue(wait_until(lambda: server.open_files() <= before, 60 * SLOWER))
            # a second, and one for each of the reply's 6 MiB
            self.assertGreater(time.monotonic() - began, 4)
            connection.close()


if __name__ == "__main__":
    unittest.main()
