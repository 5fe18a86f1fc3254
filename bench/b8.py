# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B8: footprint: time to be ready, sizes, memory at rest, libraries."""
import os
import pathlib
import re
import subprocess
import time

import b2
import rig

PROGRAMS = ("prog/certsrvd/certsrvd", "prog/certsrv/certsrv", "prog/autoenroll/autoenroll",
            "prog/autoenrolld/autoenrolld", "prog/sysvol/sysvol")
PEERS = ("/usr/bin/cfssl", "/usr/sbin/certmonger", "/usr/sbin/krb5kdc")


def stripped(path, scratch):
    to = pathlib.Path(scratch) / "stripped"
    subprocess.run(["strip", "-o", to, path], check=True)
    return to.stat().st_size // 1024


def libraries(path):
    out = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    return len(re.findall(r"=> /", out))


def start_times(r, pool, runs, first_of_pool=0):
    """Seconds from exec to "ready", and to the first certificate somebody has."""
    ready, first = [], []
    ca = r.ca
    for i in range(runs):
        ca.stop()
        log = pathlib.Path(r.lab.ca1.path("/var")) / "certsrvd.log"
        log.write_bytes(b"")
        words = r.load_words("icpr", pool, r.ca_cert(), "--clients", "1", "--seconds", "30", "--warmup", "0",
                             "--offset", str(first_of_pool + i * 500), "--one")
        begin = time.monotonic()
        ca.process = ca.host.start(ca.program, "-f", log=log)
        client = subprocess.Popen(list(map(str, r.client.command(*words))), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        done = None
        while client.poll() is None:
            if done is None and "ready: CA" in log.read_text():
                done = time.monotonic() - begin
            time.sleep(0.002)
        first.append(time.monotonic() - begin)
        ready.append(done if done is not None else first[-1])
    return {"ready_ms": round(1e3 * rig.median(ready), 1), "ready_min_ms": round(1e3 * min(ready), 1),
            "first_request_ms": round(1e3 * rig.median(first), 1),
            "first_request_min_ms": round(1e3 * min(first), 1), "loadavg": round(rig.loadavg(), 2)}


def memory(r):
    roles = {}
    for pid in r.ca_pids():
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if not words[0].endswith(b"certsrvd"):
            continue
        name = words[words.index(b"--role") + 1].decode() if b"--role" in words else "parent"
        roles.setdefault(name, []).append((rig.smaps(pid, "Pss"), rig.smaps(pid, "Rss")))
    return {"pss_kb": sum(p for v in roles.values() for p, _ in v), "processes": sum(map(len, roles.values())),
            "largest_rss_kb": max(q for v in roles.values() for _, q in v),
            "pss_by_role_kb": {k: [p for p, _ in v] for k, v in sorted(roles.items())}}


def run(opt):
    pool = rig.make_pool(opt.build, opt.pool)
    with rig.Rig(f"bench-{os.getpid()}", opt.build) as r:
        for path in [opt.build / p for p in PROGRAMS] + [pathlib.Path(p) for p in PEERS]:
            if path.exists():
                rig.emit({"bench": "B8", "program": path.name, "stripped_kb": stripped(path, r.scratch.name),
                          "libraries": libraries(path)}, opt.out)
        r.start_ca()
        time.sleep(2)
        rig.emit({"bench": "B8", "what": "idle memory"} | memory(r), opt.out)
        rig.emit({"bench": "B8", "what": "start", "rows": 0, "runs": opt.runs} | start_times(r, pool, opt.runs), opt.out)
        rows = opt.rows or (100_000 if opt.quick else 10_000_000)
        b2.fill(r, rows, rows // 100)
        rig.emit({"bench": "B8", "what": "start", "rows": rows, "runs": opt.runs}
                 | start_times(r, pool, opt.runs, opt.runs * 500), opt.out)
