"""Starting, draining, ending; exit codes; the parent's death; logs nobody reads."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from running_server import PROGRAM, RunningServer, SLOWER, bits, model_folder, wait_until

LONG = ["a small grey cat and a dog " * 8] * 40


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def run(*arguments, env=None, stdin=subprocess.DEVNULL):
    """(exit code, stdout, stderr) of a server that is expected to end by itself."""
    environment = {**os.environ, **(env or {})}
    result = subprocess.run([PROGRAM, "serve", *arguments], stdin=stdin, env=environment,
                            capture_output=True, timeout=20 * SLOWER)
    return result.returncode, result.stdout, result.stderr.decode()


class StartTest(unittest.TestCase):
    def test_a37_the_ready_line(self):
        with RunningServer() as server:
            ready = server.ready
            self.assertEqual(ready["event"], "ready")
            self.assertEqual(ready["pid"], server.pid)
            self.assertEqual(ready["host"], "127.0.0.1")
            self.assertEqual(ready["url"], "http://127.0.0.1:%d" % ready["port"])
            self.assertEqual(ready["protocol"], 1)
            self.assertEqual(ready["dimensions"], 64)
            self.assertRegex(ready["version"], r"^\d+\.\d+\.\d+")
            self.assertIn("model", ready)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.stdout.read(), b"")  # nothing else on stdout

    def test_a37_two_instances(self):
        with RunningServer() as one, RunningServer() as other:
            self.assertNotEqual(one.port, other.port)
            self.assertEqual(one.embed(["ping"]), other.embed(["ping"]))

    def test_a37_a_busy_port_is_exit_code_5(self):
        with RunningServer() as server:
            began = time.monotonic()
            code, out, err = run("-m", model_folder(), "--port", str(server.port))
            self.assertEqual(code, 5)
            self.assertLess(time.monotonic() - began, 2 * SLOWER)
            self.assertEqual(out, b"")
            self.assertIn("port %d" % server.port, err)
            self.assertEqual(len(err.splitlines()), 1, err)

    def test_a_port_is_free_again_at_once(self):
        with RunningServer() as server:
            port = server.port
            server.embed(["ping"])
        with subprocess.Popen([PROGRAM, "serve", "-m", model_folder(), "--port", str(port)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as again:
            self.assertIn(b'"ready"', again.stdout.readline())
            again.terminate()
        self.assertEqual(again.returncode, 0)

    def test_other_machines_only_if_asked_twice(self):
        code, out, err = run("-m", model_folder(), "--port", "0", "--host", "0.0.0.0")
        self.assertEqual((code, out), (2, b""))
        self.assertIn("--allow-remote", err)
        remote = ("--host", "0.0.0.0", "--allow-remote")
        code, out, err = run("-m", model_folder(), "--port", "0", *remote)
        self.assertEqual((code, out), (2, b""))
        self.assertIn("EMBEDD_API_KEY", err)
        with RunningServer(*remote, env={"EMBEDD_API_KEY": "key"}) as server:
            named = {"Host": "embedd.example"}
            self.assertEqual(server.get("/health", headers=named).status, 200)
            self.assertEqual(server.get("/info", headers=named).status, 401)
            named["Authorization"] = "Bearer key"
            self.assertEqual(server.get("/info", headers=named).status, 200)
        with RunningServer("--allow-remote") as server:  # no key: rebound names stay outside
            self.assertEqual(server.get("/info", headers={"Host": "evil.example"}).status, 403)

    def test_no_such_model_is_exit_code_3(self):
        code, out, err = run("-m", "/nonexistent/model", "--port", "0")
        self.assertEqual((code, out), (3, b""))
        self.assertIn("/nonexistent/model", err)

    def test_a_broken_model_is_exit_code_4(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in os.listdir(model_folder()):
                source = os.path.join(model_folder(), name)
                if name != "model.safetensors":
                    os.symlink(source, os.path.join(folder, name))
            with open(os.path.join(model_folder(), "model.safetensors"), "rb") as file:
                whole = file.read()
            with open(os.path.join(folder, "model.safetensors"), "wb") as file:
                file.write(whole[:len(whole) // 2])
            code, out, err = run("-m", folder, "--port", "0")
            self.assertEqual((code, out), (4, b""))
            self.assertIn("model.safetensors", err)

    def test_a_level_this_cpu_lacks_is_exit_code_6(self):
        code, out, err = run("-m", model_folder(), "--port", "0", env={"EMBEDD_CPU": "quantum"})
        self.assertIn(code, (2, 6), err)
        self.assertEqual(out, b"")

    def test_log_format_json(self):
        with RunningServer("--log-format", "json") as server:
            server.get("/nope")
            self.assertTrue(wait_until(lambda: len(server.errors) >= 2))
        for line in server.errors:
            self.assertEqual(set(json.loads(line)), {"time", "level", "message"})


class DrainTest(unittest.TestCase):
    def drain(self, begin):
        """8 requests in flight, then `begin(server)`: all are answered, new ones are not."""
        with RunningServer(model="mpnet", env={"EMBEDD_DRAIN_MS": str(5000 * SLOWER)}) as server:
            golden = bits(server.embed(LONG[:1])[0])
            statuses = []

            def client():
                reply = server.post({"texts": LONG})
                vectors = reply.json.get("vectors", [])
                statuses.append((reply.status, bits(vectors[0]) == golden if vectors else False))

            threads = [threading.Thread(target=client) for _ in range(8)]
            for thread in threads:
                thread.start()
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["requests"] >= 2, 20, 0.001))
            began = time.monotonic()
            begin(server)
            for thread in threads:
                thread.join()
            code = server.process.wait(10 * SLOWER)
            self.assertLess(time.monotonic() - began, 6 * SLOWER)
            self.assertEqual(code, 0)
            accepted = [ok for status, ok in statuses if status == 200]
            self.assertTrue(all(accepted))
            self.assertGreaterEqual(len(accepted), 2)
            self.assertEqual({status for status, _ in statuses} - {200, 503}, set())

    def test_a34_sigterm(self):
        self.drain(lambda server: server.process.send_signal(signal.SIGTERM))

    def test_a34_sigint(self):
        self.drain(lambda server: server.process.send_signal(signal.SIGINT))

    def test_a34_shutdown(self):
        def shutdown(server):
            reply = server.post(b"", path="/shutdown")
            self.assertEqual((reply.status, reply.json), (200, {"status": "draining"}))

        self.drain(shutdown)

    def test_a34_while_draining(self):
        with RunningServer("--threads", "1", model="mpnet") as server:
            thread = threading.Thread(target=lambda: server.post({"texts": LONG * 40}))
            thread.start()
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["requests"] == 1, 20, 0.001))
            server.process.send_signal(signal.SIGTERM)
            self.assertTrue(wait_until(lambda: server.get("/health").status == 503, 5, 0.001))
            health = server.get("/health")
            self.assertEqual(health.json["status"], "draining")
            self.assertIs(health.json["ready"], False)
            reply = server.post({"texts": ["late"]})
            self.assertEqual((reply.status, reply.code), (503, "draining"))
            self.assertIn("Retry-After", reply.headers)
            thread.join()
            self.assertEqual(server.process.wait(10 * SLOWER), 0)

    def test_a34_a_second_signal_ends_at_once(self):
        with RunningServer("--threads", "1", model="mpnet") as server:
            def client():
                try:
                    server.post({"texts": LONG * 90})
                except OSError:
                    pass

            thread = threading.Thread(target=client)
            thread.start()
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["requests"] == 1, 20, 0.001))
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
            self.assertIsNone(server.process.poll())
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(1 * SLOWER), 1)
            thread.join()
            server.process.returncode = 0

    def test_draining_has_a_limit(self):
        with RunningServer("--threads", "1", "--queue-tokens", "100000000", model="mpnet",
                           env={"EMBEDD_DRAIN_MS": "300"}) as server:
            replies = []

            def client():
                try:
                    replies.append(server.post({"texts": LONG * 100}).status)
                except OSError:
                    replies.append(None)

            threads = [threading.Thread(target=client) for _ in range(4)]
            for thread in threads:
                thread.start()
            self.assertTrue(wait_until(
                lambda: server.get("/info").json["queue"]["requests"] == 4, 30 * SLOWER))
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(10 * SLOWER), 0)
            self.assertLess(time.monotonic() - began, 2 * SLOWER)
            for thread in threads:
                thread.join()
            self.assertEqual(set(replies) - {503, 200, None}, set())

    def test_a35_kill_and_start_again(self):
        golden = None
        for _ in range(10):
            with RunningServer() as server:
                vector = bits(server.embed(["ping"])[0])
                golden = golden or vector
                self.assertEqual(vector, golden)
                thread = threading.Thread(target=self.lost_request, args=(server,))
                thread.start()
                time.sleep(0.01)
                server.process.kill()
                server.process.wait()
                thread.join()
                server.process.returncode = 0

    @staticmethod
    def lost_request(server):
        try:
            server.post({"texts": LONG})
        except (OSError, ValueError):
            pass
        except Exception as failure:  # http.client has its own
            if "http.client" not in type(failure).__module__:
                raise


PARENT = """
import subprocess, sys, time
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(server.stdout.readline().decode().strip(), flush=True)
time.sleep(600)
"""


class ParentTest(unittest.TestCase):
    def start_under_parent(self, *command):
        parent = subprocess.Popen([sys.executable, "-c", PARENT, *command],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        ready = json.loads(parent.stdout.readline())
        return parent, ready

    def check_ends_with_parent(self, *command):
        for _ in range(5):
            parent, ready = self.start_under_parent(*command)
            self.assertTrue(alive(ready["pid"]))
            parent.kill()
            parent.wait()
            parent.stdout.close()
            self.assertTrue(wait_until(lambda: not alive(ready["pid"]), 2 * SLOWER))
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", ready["port"]))

    def test_a36_parent_killed(self):
        self.check_ends_with_parent(PROGRAM, "serve", "-m", model_folder(), "--port", "0",
                                    "--exit-with-parent")

    def test_a36_parent_killed_behind_a_shell(self):
        self.check_ends_with_parent("sh", "-c", '"$0" "$@"; true', PROGRAM, "serve", "-m",
                                    model_folder(), "--port", "0", "--exit-with-parent")

    def test_end_of_stdin(self):
        server = RunningServer("--exit-with-parent", stdin=subprocess.PIPE)
        server.process.stdin.write(b"noise\n" * 1000)
        server.process.stdin.flush()
        time.sleep(0.1)
        self.assertIsNone(server.process.poll())
        server.process.stdin.close()
        self.assertEqual(server.process.wait(2 * SLOWER), 0)
        server.stop()

    def test_end_of_stdin_counts_only_if_asked(self):
        server = RunningServer(stdin=subprocess.PIPE)
        server.process.stdin.close()
        time.sleep(0.3)
        self.assertEqual(len(server.embed(["ping"])), 1)
        server.stop()

    def test_dev_null_and_a_terminal_tell_nothing(self):
        with RunningServer("--exit-with-parent", stdin=subprocess.DEVNULL) as server:
            time.sleep(0.7)
            self.assertEqual(len(server.embed(["ping"])), 1)
        leader, follower = os.openpty()
        with RunningServer("--exit-with-parent", stdin=follower) as server:
            os.write(leader, b"\x04")
            time.sleep(0.7)
            self.assertEqual(len(server.embed(["ping"])), 1)
        os.close(leader)
        os.close(follower)

    def test_a_new_parent_is_noticed_without_stdin(self):
        script = 'nohup "$0" "$@" < /dev/null & echo $! >&2; sleep 600'
        middle = subprocess.Popen(["sh", "-c", script, PROGRAM, "serve", "-m", model_folder(),
                                   "--port", "0", "--exit-with-parent"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  start_new_session=True)
        ready = json.loads(middle.stdout.readline())
        middle.kill()
        middle.wait()
        middle.stdout.close()
        self.assertTrue(wait_until(lambda: not alive(ready["pid"]), 3 * SLOWER))
        os.killpg(middle.pid, signal.SIGKILL)


class PatienceTest(unittest.TestCase):
    def test_a38_stopped_and_continued(self):
        with RunningServer(env={"EMBEDD_HEADER_MS": "1500", "EMBEDD_BODY_MS": "1500"}) as server:
            request = (b"POST /embed HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       b"Content-Length: 18\r\n\r\n" + b'{"texts":["ping"]}')
            halves = [(20, socket.create_connection(("127.0.0.1", server.port))),
                      (len(request) - 5, socket.create_connection(("127.0.0.1", server.port)))]
            for at, connection in halves:
                connection.sendall(request[:at])
            flying = [threading.Thread(target=lambda: server.embed(LONG)) for _ in range(8)]
            for thread in flying:
                thread.start()
            time.sleep(0.1)
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(3)
            server.process.send_signal(signal.SIGCONT)
            for at, connection in halves:
                connection.sendall(request[at:])
                connection.settimeout(20)
                self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 "))
                connection.close()
            for thread in flying:
                thread.join()

    def test_a38_a_parent_that_never_reads_stderr(self):
        reading, writing = os.pipe()
        with RunningServer(stderr=writing) as server:
            os.close(writing)
            n_requests = 20000 if SLOWER == 1 else 3000
            request = b"GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n"
            last = b"GET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.settimeout(60)
                sender = threading.Thread(
                    target=lambda: connection.sendall(request * n_requests + last))
                sender.start()
                n_answers, rest = 0, b""
                while piece := connection.recv(1 << 16):
                    rest += piece
                    n_answers += rest.count(b"HTTP/1.1 404")
                    rest = rest[-11:]
                sender.join()
            self.assertEqual(n_answers, n_requests + 1)
            self.assertEqual(len(server.embed(["ping"])), 1)
            logged = os.read(reading, 1 << 20)
            server.get("/nope")
            logged += os.read(reading, 1 << 20)
            self.assertRegex(logged, rb"\d+ log lines were dropped")
        os.close(reading)

    def test_closed_stdout_and_stderr(self):
        server = subprocess.Popen(["sh", "-c", 'exec "$0" "$@" >&- 2>&-', PROGRAM, "serve", "-m",
                                   model_folder(), "--port", "0"])
        time.sleep(0.5 * SLOWER)
        self.assertIsNone(server.poll())
        server.terminate()
        self.assertEqual(server.wait(5 * SLOWER), 0)


if __name__ == "__main__":
    unittest.main()
