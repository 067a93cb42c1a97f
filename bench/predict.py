#!/usr/bin/python3
"""Predictions over HTTP: how long an endpoint's answer takes under a bounded load on loopback,
beside the same query prepared and run by pgbench.

    bench/predict.py [--dag build/release/dag] [--rounds 5] [--clients 4] [--seconds 3]

Clients ask one after the other on connections that are kept; the floor is as many clients of
pgbench with `-M prepared`. Both read a row by its key among 100,000. Ours has a READ ONLY
transaction around it, JSON and HTTP, and the client in Python is in its figure: what GET /health
takes the same client is told beside it.
"""

import json
import re
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

from harness import COUNT, MILLISECONDS, PGBENCH, Daemon, Report, options, output, workplace

ROWS = 100000
TABLE = f"""create table label (id int primary key, p float8, walk boolean);
insert into label select i, random(), i % 2 = 0 from generate_series(1, {ROWS}) as i;
analyze label"""
QUERY = "select id, p, walk from label where id = "
SETTINGS = """connections:
  db: {{uri: '{uri}'}}
endpoints:
  label:
    sql: '{query} %(id)s'
    params: {{id: {{type: integer}}}}
    max_concurrent: {clients}
"""


def percentile(times, part):
    return statistics.quantiles(times, n=100)[part - 1]


class Client:
    """A kept connection."""

    def __init__(self, address):
        host, port = re.fullmatch(r"http://([^:/]+):(\d+)/", address).groups()
        self.host = f"{host}:{port}"
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, head, body=""):
        """The answer's body, which must be a success."""
        self.socket.sendall(f"{head} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: "
                            f"application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                            .encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        top, _, rest = data.partition(b"\r\n\r\n")
        size = int(re.search(rb"(?i)content-length: (\d+)", top)[1])
        while len(rest) < size:
            rest += self.more()
        assert top.startswith(b"HTTP/1.1 200"), data
        return rest

    def more(self):
        data = self.socket.recv(65536)
        assert data, "the daemon hung up"
        return data

    def close(self):
        self.socket.close()


def drive(address, clients, seconds, ask):
    """`ask(client, number)` over and over by so many at once: seconds of each, and the rate."""
    times = [[] for _ in range(clients)]

    def run(own, seed):
        client, number = Client(address), seed
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            number = number * 1103515245 % ROWS + 1
            ask(client, number)
            own.append(time.perf_counter() - began)
        client.close()

    threads = [threading.Thread(target=run, args=(own, seed + 1)) for seed, own in enumerate(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_times = [took for own in times for took in own]
    return all_times, len(all_times) / seconds


def predict(client, number):
    given = json.loads(client.ask("POST /api/v2/predict/label", f'{{"id": {number}}}'))
    assert given["rows"][0]["id"] == number, given


def health(client, _):
    client.ask("GET /health")


def pgbench(database, clients, seconds):
    """The same query, prepared: seconds of each, and the rate."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "query.sql")
        script.write_text(f"\\set id random(1, {ROWS})\n{QUERY} :id;\n")
        output([PGBENCH, "-n", "-M", "prepared", "-f", str(script), "-c", str(clients), "-j", "1",
                "-T", str(seconds), "-l", database.uri], cwd=folder)
        times = [int(line.split()[2]) / 1e6 for log in Path(folder).glob("pgbench_log.*")
                 for line in log.read_text().splitlines()]
    return times, len(times) / seconds


def measure(chosen, folder, database):
    database.sql(TABLE)
    daemon = Daemon(chosen.dag, folder / "project", {}, SETTINGS.format(
        uri=database.uri, query=QUERY, clients=chosen.clients))
    turns = []
    try:
        address = re.search(r"status page: (http://\S+/)",
                            (folder / "project" / "daemon.log").read_text())[1]
        drive(address, chosen.clients, 0.5, predict)  # connects and prepares
        for _ in range(chosen.rounds):
            turns.append((pgbench(database, chosen.clients, chosen.seconds),
                          drive(address, chosen.clients, chosen.seconds, predict),
                          drive(address, chosen.clients, chosen.seconds, health)))
    finally:
        daemon.close()
    return turns


def main():
    chosen = options(__doc__, clients=4, seconds=3)
    with workplace(database=True) as (folder, database):
        turns = measure(chosen, folder, database)
    report = Report(chosen)

    def in_ms(which, part):
        return [1000 * percentile(turn[which][0], part) for turn in turns]

    for name, part in (("median", 50), ("99th percentile", 99)):
        report.turns(f"an answer, {chosen.clients} clients, {name}", in_ms(1, part),
                     in_ms(0, part), MILLISECONDS)
        health_ms = statistics.median(in_ms(2, part))
        report.figure("  GET /health, the same client", health_ms, f"{health_ms:.2f} ms")
    report.turns("answers", [turn[1][1] for turn in turns], [turn[0][1] for turn in turns], COUNT)
    report.end()


if __name__ == "__main__":
    main()
