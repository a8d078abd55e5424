#!/usr/bin/env python3
"""Measures what requests cost with the rows that a database has.

    tools/measure.py EXECUTABLE DATABASE_URL

Starts `EXECUTABLE up` on that database (see tools/fill.sh), without workers and with an empty folder for pictures, and
prints for some requests, sent one after the other, the least time, the median, and the time that the service itself was
at work for one of them; on a machine with other work the last one says most, where the database is part of the service.
What is created is deleted again.
"""

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

# Rows on a page of the gallery.
GALLERY = 24
# Requests of each kind, at most; fewer where they take longer than that many seconds in all.
MOST, LONG = 50, 10
# Fractals that are created, shown and deleted.
WRITES = 500
RECIPE = {"kind": "mandelbrot", "xa": -2.2, "xb": 1.2, "ya": -1.3, "yb": 1.3, "width": 32, "height": 32, "iterations": 16}


class Refused(Exception):
    """An answer that is none, such as one that takes longer than the service allows."""


class Service:
    def __init__(self, executable, database, folder):
        environment = {"HOME": folder, "PATH": os.environ["PATH"], "FAAFO_DATABASE_URL": database}
        flags = ["--data", f"{folder}/data", "--slots", "0", "--no-welcome", "--listen", "127.0.0.1:0"]
        self.log = open(f"{folder}/log", "w")
        begun = time.perf_counter()
        self.process = subprocess.Popen([executable, "up", *flags], cwd=folder, env=environment, text=True,
                                        stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().strip()
        self.start = time.perf_counter() - begun
        if not line.startswith("faafo is at "):
            sys.exit(f"the service does not start: {open(self.log.name).read()}")
        self.url = line.rpartition(" ")[2]
        address = self.url.rpartition("/")[2].replace("localhost", "127.0.0.1")
        self.connection = http.client.HTTPConnection(address, timeout=300)

    def send(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body else {}
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise Refused(f"{answer.status} after {self.cpu():.1f} s of CPU since the start")
        return text

    def json(self, path):
        return json.loads(self.send("GET", path))

    def cpu(self):
        """Seconds of CPU since it was started."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak(self):
        """Megabytes in memory, at most, since the last call."""
        with open(f"/proc/{self.process.pid}/status") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as reset:
            reset.write("5")
        return peak


def show(service, name, path):
    """Several requests after one that warms up."""
    found = []
    service.send("GET", path)
    begun, cpu = time.perf_counter(), service.cpu()
    while len(found) < 3 or len(found) < MOST and time.perf_counter() - begun < LONG:
        one = time.perf_counter()
        service.send("GET", path)
        found.append((time.perf_counter() - one) * 1000)
    cpu = (service.cpu() - cpu) / len(found) * 1000
    print(f"{name:40} {min(found):10.1f} {statistics.median(found):10.1f} {cpu:10.1f} ms", flush=True)


def measure(service, executable, folder):
    rows = service.json("/v1/status")["done"]
    print(f"{rows} done; started in {service.start:.1f} s;  least, median, CPU:")
    query = {"filters": [{"name": "kind", "op": "eq", "val": "nova"}],
             "order_by": [{"field": "created_at", "direction": "desc"}]}
    by_width = {**query, "filters": [{"name": "width", "op": "eq", "val": 257}]}
    for name, path in [
        ("gallery's first page, /", "/"),
        ("/v1/status", "/v1/status"),
        ("/metrics", "/metrics"),
        ("/v1/fractal", "/v1/fractal"),
        (f"/v1/fractal?page={max(rows // 20, 1)}", f"/v1/fractal?page={max(rows // 20, 1)}"),
        (f"/index/{max(rows // GALLERY // 2, 1)}", f"/index/{max(rows // GALLERY // 2, 1)}"),
        ("kind = nova, newest first", f"/v1/fractal?q={quote(json.dumps(query))}"),
        ("width = 257, newest first", f"/v1/fractal?q={quote(json.dumps(by_width))}"),
    ]:
        try:
            show(service, name, path)
        except Refused as refused:
            print(f"{name:40} {refused}", flush=True)

    service.peak()
    begun, cpu = time.perf_counter(), service.cpu()
    environment = {"HOME": folder, "PATH": os.environ["PATH"]}
    listing = subprocess.run([executable, "--endpoint-url", service.url, "list"], env=environment, cwd=folder,
                             stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - begun
    if listing.returncode != 0:
        sys.exit("faafo list fails")
    print(f"{'faafo list of all':40} {seconds:10.1f} s, the service {service.cpu() - cpu:.1f} s of CPU, "
          f"at {service.peak():.0f} MB at most")

    # It was idle for long.
    service.connection.close()
    ids = []
    def create():
        ids.append(json.loads(service.send("POST", "/v1/fractal", RECIPE))["uuid"])
    one_each = iter(range(WRITES))
    rates = {
        "submit": create,
        "show": lambda: service.send("GET", f"/v1/fractal/{ids[next(one_each)]}"),
        "delete": lambda: service.send("DELETE", f"/v1/fractal/{ids.pop()}"),
    }
    for name, what in rates.items():
        # The best of five parts: others use this machine, too.
        parts, cpu = [], service.cpu()
        for _ in range(5):
            begun = time.perf_counter()
            for _ in range(WRITES // 5):
                what()
            parts.append(WRITES / 5 / (time.perf_counter() - begun))
        cpu = (service.cpu() - cpu) / WRITES * 1000
        print(f"{name:40} {max(parts):10.0f} {statistics.median(parts):10.0f} a second (best, median), {cpu:.2f} ms of CPU each",
              flush=True)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    executable = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        service = Service(executable, sys.argv[2], folder)
        try:
            measure(service, executable, folder)
        finally:
            service.process.terminate()
            service.process.wait()


if __name__ == "__main__":
    main()
