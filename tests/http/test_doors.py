"""Other doors than a port: a Unix socket, and a socket that systemd has opened."""

import http.client
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

from running_server import PROGRAM, RunningServer, StartError, model_folder


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class UnixServer(RunningServer):
    def __init__(self, path, *arguments, **options):
        self.path = path
        super().__init__("--unix", path, *arguments, **options)

    def connect(self, timeout=60):
        return UnixConnection(self.path)


class UnixSocketTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "embedd.sock")

    def tearDown(self):
        self.folder.cleanup()

    def test_requests_over_a_unix_socket(self):
        with RunningServer() as other:
            expected = other.embed(["a cat", "b"])
        with UnixServer(self.path) as server:
            self.assertEqual(server.ready["url"], "unix:" + self.path)
            self.assertEqual((server.ready["host"], server.ready["port"]), ("", 0))
            self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
            connection = server.connect()
            for _ in range(3):
                self.assertEqual(server.embed(["a cat", "b"], connection=connection), expected)
            connection.close()
            for host in ("localhost", "embedd", "any.example:99"):  # no name can be rebound to it
                self.assertEqual(server.get("/info", headers={"Host": host}).status, 200)
            self.assertEqual(server.get("/info", headers={"Origin": "http://localhost"}).status, 403)
        self.assertFalse(os.path.exists(self.path))

    def test_the_key_is_needed_there_too(self):
        with UnixServer(self.path, env={"EMBEDD_API_KEY": "secret"}) as server:
            self.assertEqual(server.get("/info").status, 401)
            self.assertEqual(server.get("/info", headers={"Authorization": "Bearer secret"}).status, 200)

    def test_a_socket_in_use_is_left_alone(self):
        with UnixServer(self.path) as server:
            with self.assertRaises(StartError) as raised:
                UnixServer(self.path)
            self.assertEqual(raised.exception.code, 5)
            self.assertEqual(server.get("/health").status, 200)

    def test_what_a_killed_server_left_is_replaced(self):
        server = UnixServer(self.path)
        server.process.kill()
        with self.assertRaises(AssertionError):
            server.stop()
        self.assertTrue(os.path.exists(self.path))
        with UnixServer(self.path) as server:
            self.assertEqual(server.get("/health").status, 200)

    def test_a_file_is_left_alone(self):
        with open(self.path, "w") as file:
            file.write("precious")
        with self.assertRaises(StartError) as raised:
            UnixServer(self.path)
        self.assertEqual(raised.exception.code, 5)
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious")

    def test_paths_that_cannot_be(self):
        for path, code in (("x" * 108, 2), (os.path.join(self.path, "nowhere"), 5)):
            with self.assertRaises(StartError) as raised:
                UnixServer(path)
            self.assertEqual(raised.exception.code, code)


# Becomes the program, as systemd starts it: the socket is file 3, and LISTEN_PID is the process.
STARTER = """
import os, sys
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])
"""


class SocketActivationTest(unittest.TestCase):
    def start(self, listener, n_files="1"):
        def hand_over():
            os.dup2(listener.fileno(), 3)
        command = [sys.executable, "-c", STARTER, n_files, PROGRAM, "serve", "-m",
                   model_folder(), "--port", "1"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("EMBEDD_")}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.PIPE, pass_fds=(3,), preexec_fn=hand_over,
                                   env=environment)
        self.addCleanup(process.kill)
        return process

    def test_a_socket_that_was_opened_before(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.connect()  # before there is a server: it waits in the socket
            process = self.start(listener)
        ready = json.loads(process.stdout.readline())
        self.assertEqual(ready["port"], port)
        connection.request("POST", "/embed", '{"text":"a"}')
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        process.terminate()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_sockets_that_are_refused(self):
        def refused(listener, n_files, word):
            with listener:
                process = self.start(listener, n_files)
                output, errors = process.communicate(timeout=60)
            self.assertEqual((process.returncode, output), (2, ""))
            self.assertIn(word, errors)

        refused(socket.socket(), "1", "LISTEN_FDS")  # does not listen
        refused(socket.create_server(("127.0.0.1", 0)), "2", "LISTEN_FDS")
        refused(socket.create_server(("0.0.0.0", 0)), "1", "--allow-remote")

    def test_a_socket_for_another_process_is_not_taken(self):
        with RunningServer(env={"LISTEN_PID": "1", "LISTEN_FDS": "1"}) as server:
            self.assertEqual(server.get("/health").status, 200)


if __name__ == "__main__":
    unittest.main()
