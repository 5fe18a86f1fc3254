# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B7: access checks, and what keeping 200 templates fresh costs: LDAP messages and time when nothing, one template, or all of
them changed, and LDAP messages of requests when all is known.  Peer of the checks: python samba.security."""
import json
import os
import pathlib
import re
import subprocess
import time

import b1
import rig
from ca import PKS_DN

TEMPLATES = 200
REFRESH = 4  # seconds; as configured for this

PEER = """
import json, sys, time
from samba import security
from samba.dcerpc import security as s
seconds, aces, sids = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
base = "S-1-5-21-1004336348-1177238915-682003330"
enroll = "0e10c968-78fb-11d2-90d4-00c04f79dc55"
others = "".join(f"(OA;;CR;{enroll};;{base}-{900000 + i})" for i in range(aces - 1))
# the plain check of this module knows no object rights: the last ACE is a plain one
sd = s.descriptor.from_sddl(f"O:{base}-512G:{base}-512D:{others}(A;;CR;;;{base}-5000)", s.dom_sid(base))
token = s.token()
token.sids = [s.dom_sid(f"{base}-{5000 + i}") for i in range(sids)]
token.num_sids = sids
n, begin = 0, time.perf_counter()
while time.perf_counter() < begin + seconds:
    for _ in range(1000):
        security.access_check(sd, token, s.SEC_ADS_CONTROL_ACCESS)
    n += 1000
print(json.dumps({"ns": round(1e9 * (time.perf_counter() - begin) / n, 1)}))
"""


def checks(opt):
    seconds = "0.3" if opt.quick else "2"
    for pair in range(opt.pairs):
        out = subprocess.run([opt.build / "bench/b7_access", seconds], check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            rig.emit(json.loads(line) | {"pair": pair, "loadavg": round(rig.loadavg(), 2)}, opt.out)
        for aces, sids in ((8, 64), (12, 256), (16, 1024)):
            out = subprocess.run(["/usr/bin/python3", "-c", PEER, seconds, str(aces), str(sids)], check=True,
                                 capture_output=True, text=True).stdout
            rig.emit({"bench": "B7", "impl": "samba.security", "what": "allowed", "aces": aces, "sids": sids, "pair": pair}
                     | json.loads(out), opt.out)


class Watch:
    """The LDAP messages that the CA's ad process sends while the block lasts, in groups with quiet between them."""

    def __init__(self, r):
        self.pid = next(p for p in r.ca_pids() if b"ad" == role(p))
        self.log = pathlib.Path(r.scratch.name) / "ldap"

    def sockets(self):
        """Descriptors that lead to port 389."""
        inodes = {f.split()[9] for f in pathlib.Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]
                  if f.split()[2].endswith(":0185")}
        found = set()
        for fd in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                inode = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
            except OSError:
                continue
            if inode and inode[1] in inodes:
                found.add(fd.name)
        return found

    def __enter__(self):
        self.fds = self.sockets()
        self.process = subprocess.Popen(["strace", "-qq", "-ttt", "-e", "trace=write,sendto,sendmsg,read,recvfrom,recvmsg",
                                         "-e", "signal=none", "-s", "1", "-o", self.log, "-p", str(self.pid)])
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.fds |= self.sockets()
        self.groups, last = [], 0
        for line in self.log.read_text(errors="replace").splitlines():
            m = re.match(r"([\d.]+) (\w+)\((\d+),.*= (-?\d+)", line)
            if not m or m[3] not in self.fds or int(m[4]) <= 0:
                continue
            at = float(m[1])
            if at - last > 0.8:
                self.groups.append({"messages": 0, "bytes": 0, "begin": at})
            g = self.groups[-1]
            if m[2] in ("write", "sendto", "sendmsg"):
                g["messages"] += 1
            else:
                g["bytes"] += int(m[4])
            g["ms"] = round(1e3 * (at - g["begin"]), 1)
            last = at

    def emit(self, opt, what, **more):
        # the largest is the one that saw the change
        g = max(self.groups, key=lambda g: g["bytes"], default={"messages": 0, "bytes": 0, "ms": 0})
        rig.emit({"bench": "B7", "impl": "autoenroll", "what": what, "templates": TEMPLATES, "ldap_messages": g["messages"],
                  "bytes": g["bytes"], "ms": g["ms"], "loadavg": round(rig.loadavg(), 2)} | more, opt.out)


def role(pid):
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return words[words.index(b"--role") + 1] if b"--role" in words else b""


def touch(r, names, value):
    """As an administrator who edits them."""
    r.ca.ldb("ldbmodify", input="".join(
        f"dn: CN={n},CN=Certificate Templates,{PKS_DN}\nchangetype: modify\nreplace: displayName\ndisplayName: {n} {value}\n\n"
        for n in names))


def refreshes(opt, r):
    names = [rig.TEMPLATE] + [f"Bench{i:03}" for i in range(1, TEMPLATES)]
    for i in range(1 if opt.quick else 3):
        with Watch(r) as w:
            time.sleep(2.5 * REFRESH)
        w.emit(opt, "nothing changed", refreshes=len(w.groups))
        quiet = max((g["messages"] for g in w.groups), default=0)
        for what, some in (("one template changed", names[:1]), ("all templates changed", names)):
            with Watch(r) as w:
                touch(r, some, f"v{i}")
                time.sleep(1.5 * REFRESH)
            w.emit(opt, what)
        yield quiet


def run(opt):
    checks(opt)
    pool = rig.make_pool(opt.build, opt.pool)
    access = rig.READ + rig.FULL + rig.enroll_for("DC")
    with rig.Rig(f"bench-{os.getpid()}", opt.build, (opt.keys or ["p256"])[0], opt.remote) as r:
        r.conf = f"\n[directory]\nrefresh = {REFRESH}\n"
        r.start_ca(**{rig.TEMPLATE: (access, {})}, **{f"Bench{i:03}": (access, {}) for i in range(1, TEMPLATES)})
        side = b1.Side(r, "dcom", r.ca_pids, r.ca_cert(), pool, 0, opt.pool)
        time.sleep(REFRESH)
        for quiet in refreshes(opt, r):
            side.window(2, 0, opt.clients)
            with Watch(r) as w:
                got = side.window(2 * REFRESH, 0, opt.clients)
            rig.emit({"bench": "B7", "impl": "autoenroll", "what": "requests, all known", "requests": got["all"],
                      "ldap_messages": sum(g["messages"] for g in w.groups), "refreshes": len(w.groups),
                      "messages_of_a_quiet_refresh": quiet, "errors": got["errors"]}, opt.out)
