# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B2: latency under an open loop of Poisson arrivals, ours and cfssl's at the same rates, and ours while a CRL is built."""
import os
import subprocess
import threading

import b1
import rig

WORKERS = 30  # of the load generator; port 135 lets 32 connections of one address be anonymous at a time
LOADS = (0.25, 0.5, 0.8)
DATABASE = "/var/lib/certsrv/db/ca.sqlite"


class Publishing:
    """One CRL after the other, as long as the block lasts."""

    def __init__(self, r):
        self.r, self.stop, self.seconds = r, threading.Event(), []

    def loop(self):
        while not self.stop.is_set():
            begin = rig.time.monotonic()
            self.r.lab.ca1.run(self.r.build / "prog/certsrv/certsrv", "crl", "publish", timeout=300)
            self.seconds.append(rig.time.monotonic() - begin)

    def __enter__(self):
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def fill(r, rows, revoked):
    """Rows and revocations into the CA's database, behind its back while it is down."""
    r.ca.stop()
    path = r.lab.ca1.path(DATABASE)
    owner = path.stat()
    subprocess.run([r.build / "bench/b6_db", "make", path, str(rows), str(revoked)], check=True)
    for p in path.parent.glob(path.name + "*"):
        os.chown(p, owner.st_uid, owner.st_gid)
    r.ca.start()
    rig.prefer(r.ca.process.pid)


def run_key(opt, key):
    pool = rig.make_pool(opt.build, opt.pool)
    with rig.Rig(f"bench-{os.getpid()}", opt.build, key, opt.remote) as r:
        r.start_ca()
        revoked = 20_000 if opt.quick else 1_000_000
        fill(r, 2 * revoked, revoked)
        ours = b1.Side(r, "dcom", r.ca_pids, r.ca_cert(), pool, 0, opt.pool)
        sides = [ours]
        peer = b1.Cfssl(r, key) if opt.peer == "cfssl" else None
        if peer:
            sides.append(b1.Side(r, "cfssl", peer.pids, peer.cert, pool, 0, opt.pool))
        seconds = opt.seconds if opt.quick else 3 * opt.seconds
        for side in sides:
            side.window(opt.warmup, 0, opt.clients)
        full = ours.window(seconds / 2, 1, opt.clients)["rate"]

        def measure(side, part, pair, **more):
            rate = part * full
            got = side.window(seconds, 2, WORKERS, ("--poisson", f"{rate:.2f}"))
            rig.emit({"bench": "B2", "impl": "cfssl" if side.way == "cfssl" else "autoenroll", "key": key, "part": part,
                      "asked": round(rate, 1), "of": round(full, 1), "pair": pair} | more | got, opt.out)

        for pair in range(1 if opt.quick else 3):
            for part in LOADS:
                for side in sides:
                    measure(side, part, pair)
            with Publishing(r) as p:
                measure(ours, 0.5, pair, crl=revoked)
            rig.emit({"bench": "B2", "impl": "autoenroll", "key": key, "what": "CRLs meanwhile", "revoked": revoked,
                      "built": len(p.seconds), "each_s": round(rig.median(p.seconds), 2)}, opt.out)
        if peer:
            peer.process.stop()


def run(opt):
    for key in opt.keys or ("p256",):
        run_key(opt, key)
