# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B5: what idle connections cost: memory and CPU of the CA's processes, memory of the kernel, and latency beside them.  Peer:
Samba's endpoint mapper, whose connections are anonymous."""
import json
import os
import re
import subprocess
import time
import pathlib

import b1
import rig


class Idle:
    """So many connections from a host, open as long as the block lasts."""

    def __init__(self, host, build, target, port, count, *words):
        self.words = [build / "bench/idle", "--host", target, "--port", str(port), "--count", str(count),
                      "--processes", "2", *words]
        self.host = host

    def __enter__(self):
        self.process = subprocess.Popen(self.host.command(*self.words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"idle: {self.process.stderr.read()}")
        self.got = json.loads(line)
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        last = self.process.stdout.readline()
        if self.process.wait() != 0 and kind is None:
            raise RuntimeError(f"idle: {self.process.stderr.read()}")
        self.got |= json.loads(last or "{}")


def slab_kb():
    text = pathlib.Path("/proc/meminfo").read_text()
    return sum(int(re.search(rf"^{k}:\s+(\d+)", text, re.M)[1]) for k in ("Slab", "KernelStack", "PageTables"))


def user_kb(pids):
    """What belongs to these processes alone; libraries are others' too."""
    return sum(rig.smaps(p, "Private_Dirty") for p in pids)


def measure(pids, host, build, target, port, count, *words, during=None):
    """Memory for each connection, and the CPU of those who do nothing."""
    before, slab = user_kb(pids()), slab_kb()
    with Idle(host, build, target, port, count, *words) as idle:
        time.sleep(2)
        memory = user_kb(pids()) - before
        kernel = slab_kb() - slab
        cpu, begin = rig.cpu_seconds(pids()), time.monotonic()
        time.sleep(10)
        busy = (rig.cpu_seconds(pids()) - cpu) / (time.monotonic() - begin)
        more = during() if during else {}
    return {"connections": count, "pings": idle.got["pings"], "user_kb_each": round(memory / count, 2), "kernel_kb_each_both_ends": round(kernel / count, 2),
            "cpu_percent": round(100 * busy, 2), "opened_s": idle.got["opened_s"], "loadavg": round(rig.loadavg(), 2)} | more


def samba_pids(r):
    """All of Samba on dc1, known by its name space; which of them serves the endpoint mapper is its own affair."""
    net = r.lab.dc1.run("readlink /proc/self/ns/net").stdout.strip()
    found = []
    for d in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(d / "ns/net") == net and "samba" in os.readlink(d / "exe"):
                found.append(int(d.name))
        except OSError:
            continue  # it ended meanwhile
    return found


def run(opt):
    count = 1000 if opt.quick else 10_000
    pool = rig.make_pool(opt.build, opt.pool)
    with rig.Rig(f"bench-{os.getpid()}", opt.build, (opt.keys or ["p256"])[0], opt.remote) as r:
        r.start_ca()
        side = b1.Side(r, "dcom", r.ca_pids, r.ca_cert(), pool, 0, opt.pool)
        full = side.window(opt.seconds, opt.warmup, opt.clients)["rate"]
        rate = ("--poisson", f"{0.25 * full:.2f}")

        def beside():
            got = side.window(opt.seconds, 1, 30, rate)
            return {f"with_{k}": got[k] for k in ("p50_ms", "p99_ms", "max_ms", "errors", "rate")}

        for pair in range(1 if opt.quick else 3):
            alone = side.window(opt.seconds, 1, 30, rate)
            got = measure(r.ca_pids, r.lab.pc1, opt.build, r.lab.ca1.fqdn, 49500, count, "--keytab", "/etc/krb5.keytab",
                          "--principal", r.lab.pc1.account, "--ping", "120", during=beside)
            rig.emit({"bench": "B5", "impl": "autoenroll", "pair": pair,
                      "alone_p50_ms": alone["p50_ms"], "alone_p99_ms": alone["p99_ms"]} | got, opt.out)
            peer = min(count, 1000)  # it has a process of its own limits
            got = measure(lambda: samba_pids(r), r.lab.pc1, opt.build, r.lab.dc1.fqdn, 135, peer, "--anonymous")
            rig.emit({"bench": "B5", "impl": "samba epmapper, anonymous", "pair": pair} | got, opt.out)
