"""Loads on embedding servers over HTTP: texts/s, latency, failures, memory."""
import http.client
import json
import socket
import subprocess
import sys
import threading
import time

# name: which texts, how many in a request, how many clients at once
SHAPES = {"short": ("short", 1, 1), "chunks": ("chunk", 10, 1), "chunks-8-clients": ("chunk", 10, 8)}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server started here; ready when GET /health says 200."""

    def __init__(self, name, command, port):
        self.name, self.port = name, port
        start = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        while not self.is_ready():
            if self.process.poll() is not None or time.perf_counter() - start > 300:
                self.close()
                sys.exit(f"{name} did not get ready: {' '.join(command)}")
            time.sleep(0.005)
        self.start_seconds = time.perf_counter() - start

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
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

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def measure(servers, loads, rounds, seconds):
    rows = {s.name: {"start_seconds": s.start_seconds, "shapes": {shape: [] for shape in SHAPES}} for s in servers}
    for server in servers:
        run(server, loads["short"], 1, 1, 1)
    for number in range(rounds):
        for shape, (load, batch, clients) in SHAPES.items():
            speeds = []
            for server in servers if number % 2 == 0 else servers[::-1]:
                answer = run(server, loads[load], batch, clients, seconds)
                rows[server.name]["shapes"][shape].append(answer)
                speeds.append(f"{server.name} {answer['texts_per_second']:.1f}")
            print(f"HTTP: round {number + 1}/{rounds} {shape:16} texts/s: {', '.join(speeds)}", flush=True)
    for server in servers:
        rows[server.name]["peak_bytes"], rows[server.name]["bytes"] = server.memory()
    return rows


def run(server, texts, batch, clients, seconds):
    bodies = [json.dumps({"texts": [texts[(i + j) % len(texts)] for j in range(batch)]}).encode()
              for i in range(0, len(texts), batch)]
    times, failures, lock = [], [], threading.Lock()
    start = time.perf_counter()

    def client(index):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        while time.perf_counter() - start < seconds:
            begin = time.perf_counter()
            try:
                connection.request("POST", "/embed", bodies[index % len(bodies)], {"Content-Type": "application/json"})
                response = connection.getresponse()
                body = response.read()
                if response.status != 200:
                    raise OSError(f"{response.status} {body[:200]!r}")
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
    return {"texts_per_second": batch * len(times) / (time.perf_counter() - start), "milliseconds": times,
            "failed": len(failures), "first_failure": failures[0] if failures else None}
