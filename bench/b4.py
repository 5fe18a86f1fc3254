# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B4: the database's operations from a thousand rows to ten million; peer: `openssl ca` with a text database of that size."""
import json
import os
import pathlib
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


def run(opt):
    sizes = [s for s in SIZES if s <= (100_000 if opt.quick else 10_000_000)]
    n = 300 if opt.quick else 2000
    with tempfile.TemporaryDirectory(dir=os.environ.get("B4_DIR")) as base:
        peer = Peer(base)
        db, have = pathlib.Path(base) / "ca.sqlite", 0
        for rows in sizes:
            begin = time.monotonic()
            # what the last size's measuring added stays: it is a thousandth
            subprocess.run([opt.build / "bench/b6_db", "make", db, str(rows - have), str(max(1, (rows - have) // 100))],
                           check=True)
            filled, have = time.monotonic() - begin, rows
            fsync = rig.fsync_rate(opt.build, pathlib.Path(base))
            out = subprocess.run([opt.build / "bench/b4_db", db, str(n)], check=True, capture_output=True, text=True).stdout
            for line in out.splitlines():
                rig.emit(json.loads(line) | {"size": rows, "db": "sqlite", "mb": round(db.stat().st_size / 1e6),
                                             "fill_s": round(filled, 1), "fsync": round(fsync),
                                             "loadavg": round(rig.loadavg(), 2)}, opt.out)
            if rows <= PEER_MAX:
                p50, worst = peer.measure(rows, 5 if opt.quick else 11)
                rig.emit({"bench": "B4", "impl": "openssl ca", "what": "enrollment", "size": rows, "p50_us": p50,
                          "p99_us": worst, "loadavg": round(rig.loadavg(), 2)}, opt.out)
