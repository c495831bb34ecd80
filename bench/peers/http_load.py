"""Loads on embedding servers over HTTP: texts/s, latency, failures, memory, CPU time."""
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server started here; ready when GET /health says 200. `command` gets the port in place of PORT."""

    def __init__(self, name, command):
        self.name, self.port = name, free_port()
        start = time.perf_counter()
        self.process = subprocess.Popen([str(self.port) if word == "PORT" else word for word in command],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        while not self.is_ready():
            if self.process.poll() is not None or time.perf_counter() - start > 300:
                self.close()
                sys.exit(f"{name} did not get ready: {' '.join(command)}")
            time.sleep(0.002)
        self.start_seconds = time.perf_counter() - start
        self.ask("POST", "/embed", json.dumps({"texts": ["one"]}).encode())
        self.first_vector_seconds = time.perf_counter() - start

    def is_ready(self):
        try:
            return self.ask("GET", "/health") is not None
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            return json.loads(ask(connection, method, path, body))
        finally:
            connection.close()

    def memory(self):
        """Peak and present resident bytes; Linux only."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
                fields = dict(line.split(":", 1) for line in f)
        except OSError:
            return None, None
        return [1024 * int(fields[key].split()[0]) for key in ("VmHWM", "VmRSS")]

    def cpu_seconds(self):
        """CPU time of all threads until now; Linux only."""
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ask(connection, method, path, body=None):
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise OSError(f"{response.status} {answer[:200]!r}")
    return answer


def run(server, texts, batch, clients, is_over):
    """`clients` at once send `batch` texts a request, one request after the other, until is_over(requests done)."""
    bodies = [json.dumps({"texts": [texts[(i + j) % len(texts)] for j in range(batch)]}).encode()
              for i in range(0, len(texts), batch)]
    times, failures, lock = [], [], threading.Lock()
    start = time.perf_counter()

    def client(index):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        while not is_over(len(times) + len(failures)):
            begin = time.perf_counter()
            try:
                ask(connection, "POST", "/embed", bodies[index % len(bodies)])
                with lock:
                    times.append(1e3 * (time.perf_counter() - begin))
            except (OSError, http.client.HTTPException) as e:
                with lock:
                    failures.append(str(e))
                connection.close()
                time.sleep(0.05)
            index += clients
        connection.close()

    threads = [threading.Thread(target=client, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"texts_per_second": batch * len(times) / (time.perf_counter() - start),
            "milliseconds": [round(t, 3) for t in times], "failed": len(failures),
            "first_failure": failures[0] if failures else None}


def run_for(server, texts, batch, clients, seconds):
    """For so long, and at least one request."""
    end = time.perf_counter() + seconds
    return run(server, texts, batch, clients, lambda n: n > 0 and time.perf_counter() >= end)


def run_beside(server, texts, big):
    """One text a request while one request with all of `big` is under way."""
    answer = {}
    thread = threading.Thread(target=lambda: answer.update(run(server, big, len(big), 1, lambda n: n > 0)))
    thread.start()
    time.sleep(0.1)
    beside = run(server, texts, 1, 1, lambda _: not thread.is_alive())
    thread.join()
    return {**beside, "failed": beside["failed"] + answer["failed"], "big_milliseconds": answer["milliseconds"]}
