# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B4: the database's operations from a thousand rows to ten million; peer: `openssl ca` with a text database of that size."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import rig

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
PEER_MAX = 1_000_000  # beyond, one certificate of the peer takes seconds

CONF = """[ca]
default_ca = d
[d]
dir = .
database = index.txt
new_certs_dir = new
serial = serial
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 365
policy = p
unique_subject = no
[p]
commonName = supplied
"""


class Peer:
    """openssl ca: milliseconds for one certificate, as a process, which is how it is used."""

    def __init__(self, base):
        self.at = pathlib.Path(base) / "openssl"
        (self.at / "new").mkdir(parents=True)
        (self.at / "ca.cnf").write_text(CONF)
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=B4")
        self.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "l.key", "-out", "l.csr", "-subj", "/CN=pc1")

    def run(self, *words):
        subprocess.run(["openssl", *words], cwd=self.at, check=True, capture_output=True)

    def measure(self, rows, n):
        with open(self.at / "index.txt", "w", encoding="ascii") as f:
            for i in range(rows):
                f.write(f"V\t360101000000Z\t\t01{i:032X}\tunknown\t/CN=host{i}\n")
        (self.at / "serial").write_text(f"02{rows:032X}\n")
        ms = []
        for _ in range(n):
            begin = time.monotonic()
            self.run("ca", "-config", "ca.cnf", "-batch", "-in", "l.csr", "-out", "l.pem", "-notext")
            ms.append(1e3 * (time.monotonic() - begin))
        return round(1e3 * statistics.median(ms)), round(1e3 * max(ms))


PG = pathlib.Path("/usr/lib/postgresql/15/bin")


class Sqlite:
    name, most, quick = "sqlite", 10_000_000, 100_000

    def __init__(self, build, base):
        self.build, self.path = build, pathlib.Path(base) / "ca.sqlite"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def fill(self, more):
        subprocess.run([self.build / "bench/b6_db", "make", self.path, str(more), str(max(1, more // 100))], check=True)

    def size(self):
        return self.path.stat().st_size


class Postgres:
    """A cluster of its own, as shipped but for its socket; durable commits as PostgreSQL has them by default."""
    name, most, quick = "postgresql", 100_000, 10_000  # its rows come through the interface, one by one

    def __init__(self, build, base):
        self.build, self.dir = build, pathlib.Path(base) / "pg"
        self.path = f"postgresql:///postgres?host={self.dir}&user=ca"

    def __enter__(self):
        self.dir.mkdir()
        os.chmod(self.dir.parent, 0o755)
        shutil.chown(self.dir, "nobody")
        self.run("initdb", "-D", self.dir / "data", "-U", "ca", "--auth=trust", "-E", "UTF8", "--locale=C")
        self.run("pg_ctl", "-D", self.dir / "data", "-w", "-l", self.dir / "log", "-o", f"-k {self.dir} -c listen_addresses=",
                 "start")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", self.dir / "data", "-m", "fast", "-w", "stop")

    def run(self, name, *words):
        subprocess.run([PG / name, *words], check=True, user="nobody", cwd=self.dir, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill(self, more):
        subprocess.run([self.build / "bench/b4_db", "fill", self.path, str(more)], check=True)

    def size(self):
        out = subprocess.run(["psql", "-At", "-c", "SELECT pg_database_size('postgres')", self.path], check=True,
                             capture_output=True, text=True).stdout
        return int(out)


def grow(opt, db, base, peer, n):
    have = 0
    for rows in [s for s in SIZES if s <= (db.quick if opt.quick else db.most)]:
        begin = time.monotonic()
        # what the last size's measuring added stays: it is a thousandth
        db.fill(rows - have)
        filled, have = time.monotonic() - begin, rows
        fsync = rig.fsync_rate(opt.build, pathlib.Path(base))
        out = subprocess.run([opt.build / "bench/b4_db", db.path, str(n)], check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            rig.emit(json.loads(line) | {"size": rows, "db": db.name, "mb": round(db.size() / 1e6), "fill_s": round(filled, 1),
                                         "fsync": round(fsync), "loadavg": round(rig.loadavg(), 2)}, opt.out)
        if peer and rows <= PEER_MAX:
            p50, worst = peer.measure(rows, 5 if opt.quick else 11)
            rig.emit({"bench": "B4", "impl": "openssl ca", "what": "enrollment", "size": rows, "p50_us": p50,
                      "p99_us": worst, "loadavg": round(rig.loadavg(), 2)}, opt.out)


def run(opt):
    n = 300 if opt.quick else 2000
    for kind in (Sqlite, Postgres):
        with tempfile.TemporaryDirectory(dir=os.environ.get("B4_DIR")) as base, kind(opt.build, base) as db:
            grow(opt, db, base, Peer(base) if kind is Sqlite else None, n)
