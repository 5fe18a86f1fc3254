# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B6: a CRL of many revocations, base and delta, beside `openssl ca -gencrl` with the same entries."""
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

import rig

CONF = """[ca]
default_ca = d
[d]
dir = .
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 7
unique_subject = no
"""


def openssl(base, entries):
    """Seconds, CPU seconds and peak KB of the peer, over an index of so many revoked certificates."""
    at = pathlib.Path(base) / "openssl"
    at.mkdir()
    (at / "ca.cnf").write_text(CONF)
    (at / "crlnumber").write_text("01\n")
    run = dict(cwd=at, check=True, capture_output=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                    "-subj", "/CN=B6"], **run)
    with open(at / "index.txt", "w", encoding="ascii") as f:
        for i in range(entries):
            f.write(f"R\t300101000000Z\t261101000000Z,keyCompromise\t01{i:032X}\tunknown\t/CN=host{i}\n")
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["openssl", "ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-out",
                    "ca.crl"], **run)
    seconds, used = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, used.ru_maxrss


def run(opt):
    # of ten million rows the others are never looked at: the list comes from the table of what is revoked
    rows, revoked = opt.rows or (200_000 if opt.quick else 2_000_000), 100_000 if opt.quick else 1_000_000
    program = opt.build / "bench/b6_db"
    with tempfile.TemporaryDirectory(dir=os.environ.get("B6_DIR")) as base:
        db = f"{base}/ca.sqlite"
        subprocess.run([program, "make", db, str(rows), str(revoked)], check=True)
        for pair in range(3 if opt.quick else 5):
            out = subprocess.run([program, "crl", db, base], check=True, capture_output=True, text=True).stdout
            for line in out.splitlines():
                x = json.loads(line)
                rig.emit(x | {"pair": pair, "loadavg": os.getloadavg()[0]}, opt.out)
        # the peer, last: its memory is the largest of all children there were
        seconds, cpu, peak = openssl(base, revoked)
        rig.emit({"bench": "B6", "impl": "openssl ca -gencrl", "list": "base", "entries": revoked,
                  "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3), "rss_delta_kb": peak, "loadavg": os.getloadavg()[0]}, opt.out)
