# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B3: a client's pulse as a cold process; nothing to do, and one template to enroll."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import rig
from ca import FULL, PKS_DN, READ, enroll_for
from client import Client

TEMPLATES = 100


def measure(r, runs, before, *programs):
    """The programs' own costs, without entering the host; their runs take turns."""
    got = [[] for _ in programs]
    for _ in range(runs):
        for words, mine in zip(programs, got):
            r.lab.pc1.run(before)
            done = r.lab.pc1.run(r.build / "bench/once", *words, check=False, timeout=120)
            line = done.stdout.strip().splitlines()[-1]
            wall, cpu, rss, code = line.split()
            if int(code) != 0:
                raise RuntimeError(f"{words}: {line}\n{done.stderr}")
            mine.append((float(wall), float(cpu), int(rss)))
    return [{"runs": runs, "wall_ms": rig.median([g[0] for g in v]), "wall_min_ms": min(g[0] for g in v),
             "cpu_ms": rig.median([g[1] for g in v]), "cpu_min_ms": min(g[1] for g in v),
             "rss_kb": max(g[2] for g in v), "loadavg": round(rig.loadavg(), 2)} for v in got]


KEYS = {"p256": {"msPKI-Template-Schema-Version": 4, "msPKI-Minimal-Key-Size": 256}, "rsa2048": {}}
FORM = {"p256": ("EC", "256"), "rsa2048": ("RSA", "2048")}


def directory(r, key):
    """A hundred templates, of which one is for computers, with such a key; trust as setup publishes it."""
    some = {f"Bench{i:03}": (READ + FULL, {}) for i in range(TEMPLATES - 1)}
    ca = r.start_ca(**some, BenchMachine=(READ + FULL + enroll_for("DC"), KEYS[key]))
    if key == "p256":
        ca.ldb("ldbmodify", input=f"dn: CN=BenchMachine,CN=Certificate Templates,{PKS_DN}\nchangetype: modify\n"
                                  "add: msPKI-RA-Application-Policies\nmsPKI-RA-Application-Policies: "
                                  "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`"
                                  "msPKI-Hash-Algorithm`PZPWSTR`SHA256`\n\n")
    ca.trust()


def counts(r, words):
    """Of one run: messages to the DC's LDAP port over TCP, binds included, and how often it waited for an
    answer there; its connections to the CA; what it waited for the disk."""
    log = pathlib.Path(r.scratch.name) / "strace"
    r.lab.pc1.run("strace", "-f", "-qq", "-e",
                  "trace=connect,sendto,sendmsg,write,read,recvfrom,recvmsg,fsync,fdatasync", "-e", "signal=none",
                  "-o", log, *words, check=False, timeout=120)
    sockets, sent, trips, to_ca, syncs = {}, 0, 0, 0, 0
    for line in log.read_text(errors="replace").splitlines():
        pid, _, call = line.partition(" ")
        name, _, rest = call.strip().partition("(")
        where = pid, re.split("[,)]", rest, 1)[0]
        if name == "connect":
            sockets.pop(where, None)
            if "htons(389)" in rest and "EINPROGRESS" in rest:  # UDP connects at once
                sockets[where] = "read"
            to_ca += f'"{r.lab.ca1.address}"' in rest
        elif name in ("fsync", "fdatasync"):
            syncs += 1
        elif where in sockets:
            if name in ("read", "recvfrom", "recvmsg"):
                trips += sockets[where] == "written"
                sockets[where] = "read"
            else:
                sent += 1
                sockets[where] = "written"
    return {"ldap_messages": sent, "ldap_round_trips": trips, "ca_connections": to_ca, "fsyncs": syncs}


def peak_pss(r, words):
    """The most that all processes of one run have in memory at a time, KB; seen every few ms."""
    most = 0
    with r.lab.pc1.start(*words) as process:
        while process.popen.poll() is None:
            most = max(most, sum(rig.smaps(p, "Pss") for p in rig.descendants(process.popen.pid)[1:]
                                 if "autoenroll" in rig.program(p)))
    return most


def certmonger(runs, key):
    """certmonger with its local CA on a bus of its own: request to file."""
    if shutil.which("certmonger") is None:
        return None
    done = subprocess.run([rig.TOP / "bench/certmonger", str(runs), *FORM[key]], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"certmonger: {done.stderr}", file=sys.stderr)
        return None
    walls = [float(w) for w in done.stdout.split()]
    return {"runs": len(walls), "wall_ms": rig.median(walls), "wall_min_ms": min(walls),
            "loadavg": round(rig.loadavg(), 2)}


def run(opt):
    # What is left between runs: nothing but configuration; or the certificate, but no tickets.
    fresh = "rm -rf /var/lib/autoenroll /run/autoenroll /run/krb5cc_*"
    cold = "rm -rf /run/autoenroll /run/krb5cc_*"
    base = {"bench": "B3", "templates": TEMPLATES}
    with rig.Rig(f"bench-{os.getpid()}", opt.build) as r:
        pc1 = r.lab.pc1
        client = Client(pc1, opt.build)
        client.local_policy(7)
        pulse = [client.program, "pulse", "--wait"]
        for case, key in (("b", "p256"), ("c", "rsa2048")):
            directory(r, key)
            mine = {"case": case, "key": key}
            got, = measure(r, opt.runs, fresh, pulse)
            rig.emit(base | mine | {"impl": "autoenroll"} | got, opt.out)
            got = certmonger(min(opt.runs, 5), key)
            if got:
                rig.emit(base | mine | {"impl": "certmonger-local"} | got, opt.out)
        peer = ["bash", "-c", f"kinit -k '{pc1.account}' && ldapsearch -Q -LLL -Y GSSAPI -H ldap://{r.lab.dc1.fqdn} "
                f"-b '{PKS_DN}' -s sub >/dev/null"]
        ours, theirs = measure(r, opt.runs, cold, pulse, peer)
        pc1.run(cold)
        ours |= counts(r, pulse)
        pc1.run(cold)
        ours["pss_kb"] = peak_pss(r, pulse)
        rig.emit(base | {"case": "a", "impl": "autoenroll"} | ours, opt.out)
        rig.emit(base | {"case": "a", "impl": "kinit+ldapsearch"} | theirs, opt.out)
        # As every eight hours: the tickets of the last run are still good.
        ours, = measure(r, opt.runs, "true", pulse)
        rig.emit(base | {"case": "a, tickets kept", "impl": "autoenroll"} | ours | counts(r, pulse), opt.out)
