"""Connections to a real server, with TLS by an authority of the test's own and SCRAM: each way that
libpq knows works for `dag conn test` and for a task, and each thing that can be wrong is told
apart."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path

from server import DatabaseCase, Server

HBA = """
host all {owner} 127.0.0.1/32 scram-sha-256
hostssl all etl,few,noledger 127.0.0.1/32 scram-sha-256
hostnossl all plain 127.0.0.1/32 scram-sha-256
host all ghost 127.0.0.1/32 trust
local all all scram-sha-256
"""


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """ca.crt, and server.crt of it for the name localhost alone; other.crt is another authority."""
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                f"/CN={name} of a test", "-keyout", f"{name}.key", "-out", f"{name}.crt")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
            "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.crt")


class Answering:
    """A port where something listens that says `greeting` to whoever comes (None: nothing)."""

    def __init__(self, greeting):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.greeting = greeting
        self.kept = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.kept.append(peer)
            if self.greeting:
                peer.recv(1024)
                peer.sendall(self.greeting)

    def close(self):
        self.socket.close()
        for peer in self.kept:
            peer.close()


class Pooler:
    """Carries bytes to a server, and gives another process number than the backend's, as a pooler
    does that lends its sessions."""

    def __init__(self, port):
        self.target = port
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, True), daemon=True).start()

    def carry(self, source, sink, change):
        key = b"K\0\0\0\x0c"
        try:
            while data := source.recv(65536):
                at = data.find(key) if change else -1
                if at >= 0:
                    data = data[:at + 5] + b"\0\0\0\x07" + data[at + 9:]
                    change = False
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.socket.close()


class ServerWithTls(Server):
    def __init__(self):
        super().__init__()
        self.certificates = Path(tempfile.mkdtemp(prefix="dag-tls-"))
        make_certificates(self.certificates)
        parts = urllib.parse.urlsplit(self.uri)
        self.owner, self.port = parts.username, parts.port
        data = Path(self.sql("show data_directory", "postgres"))
        owner = data.stat()
        for name in ("server.crt", "server.key"):
            path = data / f"dag-{name}"
            shutil.copy(self.certificates / name, path)
            os.chmod(path, 0o600)
            os.chown(path, owner.st_uid, owner.st_gid)
        self.sql("create role etl login password 'geheim-etl'; grant create on database postgres"
                 " to etl; create role plain login password 'geheim-plain';"
                 " create role few login password 'geheim-few' connection limit 0;"
                 " create role noledger login password 'geheim-noledger'", "postgres")
        Path(self.sql("show hba_file", "postgres")).write_text(HBA.format(owner=self.owner))
        for line in ("ssl_cert_file = 'dag-server.crt'", "ssl_key_file = 'dag-server.key'",
                     "ssl = on"):
            self.sql(f"alter system set {line}", "postgres")
        self.sql("select pg_reload_conf()", "postgres")

    def close(self):
        super().close()
        shutil.rmtree(self.certificates, ignore_errors=True)


class Connections(DatabaseCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerWithTls()
        cls.number = 0

    def setUp(self):
        super().setUp()
        self.extra = {}
        self.sql(f"grant create on database {self.database} to etl, plain")
        port, self.ca = self.server.port, self.server.certificates / "ca.crt"
        self.tls = f"postgresql://etl:geheim-etl@localhost:{port}/{self.database}"
        self.wait_for(lambda: self.server.sql("show ssl", "postgres") == "on")

    def environment(self):
        return dict(super().environment(), **getattr(self, "extra", {}))

    def connections(self, **rows):
        text = "".join(f"  {name}: {json.dumps(row if isinstance(row, dict) else {'uri': row})}\n"
                       for name, row in rows.items())
        self.write("dag.yaml", f"web: {{listen: '127.0.0.1:0'}}\nconnections:\n{text}")

    def outcomes(self, status=0):
        done = self.dag("conn", "test", "--json", status=status)
        self.assertNotIn("geheim", done.stdout + done.stderr)
        return {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}

    def schemas(self):
        return self.sql("select count(*) from pg_namespace where nspname = 'dag'")

    def test_each_way_of_libpq_works_for_the_test_and_for_a_task(self):
        port = self.server.port
        files = {
            "service": f"[dwh]\nhost=localhost\nport={port}\nuser=etl\npassword=geheim-etl\n"
                       f"dbname={self.database}\n",
            "pass": f"localhost:{port}:*:etl:geheim-etl\n"}
        for name, text in files.items():
            os.chmod(self.write(name, text), 0o600)
        self.extra = {"PGSERVICEFILE": str(self.folder / "service"),
                      "PGPASSFILE": str(self.folder / "pass"), "PGHOST": "localhost",
                      "PGPORT": str(port), "PGUSER": "etl", "PGDATABASE": self.database}
        self.connections(
            verified=f"{self.tls}?sslmode=verify-full&sslrootcert={self.ca}",
            authority=f"{self.tls.replace('localhost', '127.0.0.1')}?sslmode=verify-ca"
                      f"&sslrootcert={self.ca}",
            required=f"{self.tls}?sslmode=require",
            plain=f"postgresql://plain:geheim-plain@127.0.0.1:{port}/{self.database}"
                  "?sslmode=disable",
            conninfo=f"host=localhost port={port} user=etl password='geheim-etl' "
                     f"dbname={self.database} keepalives_idle=5 tcp_user_timeout=9000",
            service="service=dwh",
            passfile=f"postgresql://etl@localhost:{port}/{self.database}",
            surroundings={"max_connections": 2},
            hosts=f"postgresql://etl:geheim-etl@127.0.0.1:1,localhost:{port}/{self.database}"
                  "?target_session_attrs=read-write")
        done = self.dag("conn", "test", "verified")
        self.assertIn("no ledger yet: the first task makes it", done.stdout)
        self.assertEqual(self.schemas(), "0")  # looking makes nothing
        self.write("dags/first.yaml", "tasks: {a: {connection: verified, sql: select 1}}\n")
        self.dag("run", "first")
        # another role may use it
        self.sql("grant usage on schema dag to public;"
                 " grant select, insert on all tables in schema dag to public")
        rows = self.outcomes()
        self.assertTrue(all(row["ok"] for row in rows.values()), rows)
        for name in ("verified", "authority", "required", "service", "passfile", "hosts"):
            self.assertTrue(rows[name]["tls"].startswith("TLS"), rows[name])
        self.assertIsNone(rows["plain"]["tls"])
        self.assertEqual({row["ledger"] for row in rows.values()},
                         {self.sql("select id from dag.ledger")})
        self.assertEqual(rows["service"]["database"], self.database)
        self.assertEqual(rows["hosts"]["port"], str(port))
        tasks = "".join(f"  {name}: {{connection: {name}, sql: "
                        f"\"insert into public.seen values ('{name}')\"}}\n" for name in rows)
        self.sql("create table public.seen (name text); grant insert on public.seen to etl, plain")
        self.write("dags/all.yaml", "tasks:\n" + tasks)
        self.dag("run", "all")
        self.assertEqual(self.sql("select count(distinct name) from public.seen"), str(len(rows)))

    def test_what_is_wrong_is_told_apart(self):
        port = self.server.port
        silent, web = Answering(None), Answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        pooler = Pooler(port)
        for thing in (silent, web, pooler):
            self.addCleanup(thing.close)
        here = f"127.0.0.1:{port}/{self.database}"
        other = self.server.certificates / "other.crt"
        plain = f"postgresql://plain:geheim-plain@{here}?sslmode=disable"
        self.connections(
            host_name="postgresql://etl:geheim-etl@nowhere.invalid/x",
            refused="postgresql://etl:geheim-etl@127.0.0.1:1/x",
            socket="host=/nonexistent user=etl",
            timeout=f"postgresql://etl@127.0.0.1:{silent.port}/x?connect_timeout=2",
            not_postgresql=f"postgresql://etl@127.0.0.1:{web.port}/x?sslmode=disable",
            address="postgresql://etl:geheim-etl@localhost:port/x",
            service="service=nothing",
            password=f"postgresql://etl:geheim-falsch@localhost:{port}/{self.database}",
            password_missing=f"postgresql://etl@localhost:{port}/{self.database}?passfile=/none",
            role=f"postgresql://ghost@{here}",
            hba=f"postgresql://stranger:geheim@{here}?sslmode=require",
            tls_needed=f"postgresql://etl:geheim-etl@{here}?sslmode=disable",
            tls_certificate=f"{self.tls}?sslmode=verify-full&sslrootcert={other}",
            tls_host_name=f"postgresql://etl:geheim-etl@{here}?sslmode=verify-full"
                          f"&sslrootcert={self.ca}",
            tls_authority=f"{self.tls}?sslmode=verify-full&sslrootcert=/nonexistent.crt",
            database=f"postgresql://etl:geheim-etl@localhost:{port}/nothing",
            too_many=f"postgresql://few:geheim-few@localhost:{port}/{self.database}",
            session=f"{self.tls}?target_session_attrs=standby",
            dialect={"uri": plain, "dialect": "greenplum6"},
            pooler=plain.replace(f":{port}", f":{pooler.port}"),
            setting={"uri": plain, "settings": {"statement_mem": "2GB"}})
        rows = self.outcomes(status=1)
        self.assertEqual({name: row.get("trouble") for name, row in rows.items()},
                         {name: name for name in rows})
        for name, row in rows.items():
            self.assertTrue(row["message"] and row["remedy"], row)
        self.assertIn("greenplum6", rows["dialect"]["message"])
        self.assertIn("postgresql", rows["dialect"]["message"])
        text = self.dag("conn", "test", "password", status=1)
        self.assertIn("the password is wrong", text.stdout)
        self.assertIn("hint: ", text.stdout)
        self.assertIn("1 of 1 connection failed", text.stderr)

    def test_a_task_fails_with_the_same_words(self):
        self.connections(db=self.tls.replace("geheim-etl", "geheim-falsch"))
        self.write("dags/one.yaml", "tasks: {a: {connection: db, sql: select 1}}\n")
        self.dag("run", "one", status=1)
        log = self.dag("logs", "one", "latest", "a").stdout
        self.assertIn("the password is wrong", log)
        self.assertNotIn("geheim", log)

    def test_the_right_to_make_the_ledger_is_named(self):
        self.connections(db=self.tls.replace("etl:geheim-etl", "noledger:geheim-noledger"))
        row = self.outcomes(status=1)["db"]
        self.assertEqual(row["trouble"], "ledger")
        grant = row["remedy"].split(";")[0]
        self.assertEqual(grant, f'GRANT CREATE ON DATABASE "{self.database}" TO "noledger"')
        self.sql(grant)
        row = self.outcomes()["db"]
        self.assertEqual((row["ok"], row["ledger"], self.schemas()), (True, None, "0"))
        self.write("dags/one.yaml", "tasks: {a: {connection: db, sql: select 1}}\n")
        self.dag("run", "one")
        # a role that came later: of no schema, then of tables that it may only read
        self.sql(f"revoke create on database {self.database} from etl")
        self.connections(db=self.tls)
        rights = self.outcomes(status=1)["db"]["remedy"].split(";")
        self.sql(rights[0])
        self.sql("grant select on all tables in schema dag to etl")
        row = self.outcomes(status=1)["db"]
        self.assertEqual(row["trouble"], "ledger")
        self.assertIn("may not use the ledger", row["message"])
        self.assertEqual(row["remedy"].split(";"), rights)
        self.sql(rights[1])
        self.assertTrue(self.outcomes()["db"]["ok"])
        self.sql("alter table dag.claim rename to away")
        self.assertIn("lacks its table", self.outcomes(status=1)["db"]["message"])

    def test_a_search_path_that_leads_nowhere_is_a_warning(self):
        self.connections(db={"uri": self.tls, "settings": {"search_path": "nothing, public"}})
        row = self.outcomes()["db"]
        self.assertIn("schema `nothing`", row["warning"])

    def test_a_stored_connection_is_used_by_the_daemon_at_once(self):
        self.connections(kept={"dialect": "postgresql"}, other=self.uri)
        self.write("dags/one.yaml", "tasks: {a: {connection: kept, sql: select 1}}\n")
        self.up()
        self.dag("conn", "set", "kept", f"{self.tls}?sslmode=require")
        self.dag("trigger", "one", "--logical-date", "2026-01-01", "--wait")
        self.dag("conn", "set", "kept", self.tls.replace("geheim-etl", "geheim-falsch"))
        self.dag("trigger", "one", "--logical-date", "2026-01-02", "--wait", status=1)
        self.assertIn("the password is wrong",
                      self.dag("logs", "one", "2026-01-02", "a").stdout)
        self.dag("conn", "set", "kept", self.tls)
        self.dag("trigger", "one", "--logical-date", "2026-01-03", "--wait")


if __name__ == "__main__":
    unittest.main()
