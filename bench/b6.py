# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B6: a CRL of many revocations, base and delta, beside `openssl ca -gencrl` with the same entries."""
import json
import os
import pathlib
import subprocess
import tempfile

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


def openssl(base, entries, once):
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
    # by a small program: what its parent had in memory counts for a process as well
    out = subprocess.run([once, "openssl", "ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem",
                          "-out", "ca.crl"], cwd=at, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    if out[3] != "0":
        raise RuntimeError("openssl ca -gencrl failed")
    return float(out[0]) / 1e3, float(out[1]) / 1e3, int(out[2])


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
        seconds, cpu, peak = openssl(base, revoked, opt.build / "bench/once")
        rig.emit({"bench": "B6", "impl": "openssl ca -gencrl", "list": "base", "entries": revoked,
                  "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3), "rss_delta_kb": peak, "loadavg": os.getloadavg()[0]}, opt.out)
