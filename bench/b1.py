# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B1: throughput of the CA, full enrollments, against cfssl serve."""
import json
import os
import time

import rig

CFSSL_KEY = {"rsa2048": ("rsa", 2048), "rsa3072": ("rsa", 3072), "rsa4096": ("rsa", 4096), "p256": ("ecdsa", 256)}


class Cfssl:
    """cfssl serve on ca1 with a CA of its own of the same kind of key."""

    def __init__(self, r, key):
        host = r.lab.ca1
        algo, size = CFSSL_KEY[key]
        host.run("rm -rf /run/cfssl; mkdir -p /run/cfssl")
        d = host.path("/run/cfssl")
        (d / "csr.json").write_text(json.dumps({"CN": "Peer CA", "key": {"algo": algo, "size": size}}))
        (d / "config.json").write_text(json.dumps({"signing": {"default": {
            "expiry": "8760h", "usages": ["digital signature", "key encipherment", "client auth", "server auth"]}}}))
        host.run("cd /run/cfssl && cfssl gencert -initca csr.json | cfssljson -bare ca -")
        self.cert = r.visible("/run/cfssl/ca.pem", host)
        self.process = host.start("cfssl", "serve", "-loglevel", "5", "-address", host.address, "-port", rig.CFSSL_PORT,
                                  "-ca", "/run/cfssl/ca.pem", "-ca-key", "/run/cfssl/ca-key.pem",
                                  "-config", "/run/cfssl/config.json")
        time.sleep(1)
        rig.prefer(self.process.pid)

    def pids(self):
        return rig.descendants(self.process.pid)


class Side:
    """One of the two that are compared."""

    def __init__(self, r, way, pids, cert, pool, first, size):
        self.r, self.way, self.pids, self.cert, self.pool, self.size = r, way, pids, cert, pool, size
        self.first = self.offset = first
        self.rate = 1500

    def window(self, seconds, warmup, clients, more=()):
        if self.offset + 1.3 * self.rate * (seconds + warmup) > self.size:
            self.renew()
        load = rig.loadavg()
        # Warm-up and window together: certificates of both were made with this CPU time.
        cpu = rig.cpu_seconds(self.pids())
        got = self.r.load(self.way, self.pool, self.cert, "--clients", str(clients), "--seconds", str(seconds),
                          "--warmup", str(warmup), "--offset", str(self.offset), *more)
        cpu = rig.cpu_seconds(self.pids()) - cpu
        self.offset = (got["next"] // clients + 1) * clients
        got["server_cpu_us"] = round(1e6 * cpu / max(got["all"], 1))
        got["client_cpu_us"] = round(1e6 * got.pop("client_cpu_s") / max(got["all"], 1))
        self.rate = max(self.rate, got["rate"])
        got["loadavg"] = round(load, 2)
        got["pss_kb"] = sum(rig.smaps(p, "Pss") for p in self.pids())
        return got

    def renew(self):
        """The pool is used up: its requests are new again to a CA with an empty database."""
        self.offset = self.first
        if self.way != "cfssl":
            self.r.start_ca()
            self.cert = self.r.ca_cert()


def run_key(opt, key):
    pool_size = opt.pool
    pool = rig.make_pool(opt.build, pool_size)
    with rig.Rig(f"bench-{os.getpid()}", opt.build, key, opt.remote) as r:
        r.start_ca()
        peer = Cfssl(r, rig.algorithm(key)) if opt.peer == "cfssl" else None
        # Both transports take from one pool: the CA must not see a request twice.
        share = pool_size // len(opt.ways) // opt.clients * opt.clients
        ours = [Side(r, way, r.ca_pids, r.ca_cert(), pool, i * share, (i + 1) * share)
                for i, way in enumerate(opt.ways)]
        theirs = [Side(r, "cfssl", peer.pids, peer.cert, pool, 0, pool_size)] if peer else []
        state = r.lab.ca1.path("/var/lib/certsrv/db").parent
        for side in ours + theirs:
            side.window(opt.warmup, 0, opt.clients)
        for pair in range(opt.pairs):
            if pair == 0 or not opt.quick:
                speed = rig.sign_rate(rig.algorithm(key))
                limit = {"sign_1": speed[0], "sign_all": speed[1], "fsync": rig.fsync_rate(opt.build, state)}
            for side in ours + theirs:
                got = side.window(opt.seconds, 1, opt.clients)
                impl = "cfssl" if side.way == "cfssl" else "autoenroll"
                rig.emit({"bench": "B1", "impl": impl, "key": key, "pair": pair, "clients": opt.clients,
                          "seconds": opt.seconds, "nice": opt.nice} | got | limit, opt.out)
        if peer:
            peer.process.stop()


KEYS = ("p256", "rsa2048", "rsa3072", "rsa4096", "p256-softhsm", "rsa2048-softhsm")


def run(opt):
    for key in opt.keys or KEYS:
        run_key(opt, key)
