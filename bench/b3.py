# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""B3: a client's pulse as a cold process; nothing to do, and one template to enroll."""
import pathlib
import os
import shutil
import subprocess
import sys

import rig
from ca import FULL, PKS_DN, READ, enroll_for
from client import Client

TEMPLATES = 100


def measure(r, words, runs, before):
    """The program's own costs, without entering the host."""
    got = []
    for _ in range(runs):
        r.lab.pc1.run(before)
        done = r.lab.pc1.run(r.build / "bench/once", *words, check=False, timeout=120)
        line = done.stdout.strip().splitlines()[-1]
        wall, cpu, rss, code = line.split()
        if int(code) != 0:
            raise RuntimeError(f"{words}: {line}\n{done.stderr}")
        got.append((float(wall), float(cpu), int(rss)))
    return {"runs": runs, "wall_ms": rig.median([g[0] for g in got]), "wall_min_ms": min(g[0] for g in got),
            "cpu_ms": rig.median([g[1] for g in got]), "rss_kb": max(g[2] for g in got),
            "loadavg": round(rig.loadavg(), 2)}


def directory(r):
    """A hundred templates, of which one is for computers, with a P-256 key; trust as setup publishes it."""
    some = {f"Bench{i:03}": (READ + FULL, {}) for i in range(TEMPLATES - 1)}
    ca = r.start_ca(**some, BenchMachine=(READ + FULL + enroll_for("DC"), {"msPKI-Template-Schema-Version": 4,
                                                                           "msPKI-Minimal-Key-Size": 256}))
    ca.ldb("ldbmodify", input=f"dn: CN=BenchMachine,CN=Certificate Templates,{PKS_DN}\nchangetype: modify\n"
                              "add: msPKI-RA-Application-Policies\nmsPKI-RA-Application-Policies: "
                              "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`msPKI-Hash-Algorithm`PZPWSTR`SHA256`\n\n")
    der = "".join(ca.host.path("/etc/certsrv/ca.pem").read_text().split("-----")[2].split())
    for container in ("Certification Authorities", "AIA"):
        dn = f"CN={ca.name},CN={container},{PKS_DN}"
        ca.ldb("ldbdel", dn, check=False)
        ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: certificationAuthority\ncACertificate:: {der}\n"
                               "authorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n\n")


def round_trips(r, words):
    """Messages that one run sends to the DC's LDAP port over TCP, binds included."""
    if shutil.which("strace") is None:
        return None
    log = pathlib.Path(r.scratch.name) / "strace"
    r.lab.pc1.run("strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,write", "-e", "signal=none", "-o", log,
                  *words, check=False, timeout=120)
    sockets, sent = set(), 0
    for line in log.read_text(errors="replace").splitlines():
        pid, _, call = line.partition(" ")
        name, _, rest = call.strip().partition("(")
        where = pid, rest.partition(",")[0]
        if name == "connect":
            sockets.discard(where)
            if "htons(389)" in rest and "EINPROGRESS" in rest:  # UDP connects at once
                sockets.add(where)
        elif where in sockets:
            sent += 1
    return sent


def certmonger(runs):
    """certmonger with its local CA on a bus of its own: request to file."""
    if shutil.which("certmonger") is None:
        return None
    done = subprocess.run([rig.TOP / "bench/certmonger", str(runs)], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"certmonger: {done.stderr}", file=sys.stderr)
        return None
    walls = [float(w) for w in done.stdout.split()]
    return {"runs": len(walls), "wall_ms": rig.median(walls), "wall_min_ms": min(walls),
            "loadavg": round(rig.loadavg(), 2)}


def run(opt):
    with rig.Rig(f"bench-{os.getpid()}", opt.build) as r:
        directory(r)
        pc1 = r.lab.pc1
        client = Client(pc1, opt.build)
        client.local_policy(7)
        pulse = [client.program, "pulse", "--wait"]
        base = {"bench": "B3", "templates": TEMPLATES}
        # What is left between runs: nothing but configuration; or the certificate, but no tickets.
        fresh = "rm -rf /var/lib/autoenroll /run/autoenroll /run/krb5cc_*"
        cold = "rm -rf /run/autoenroll /run/krb5cc_*"

        rig.emit(base | {"case": "b", "impl": "autoenroll", "key": "p256"} | measure(r, pulse, opt.runs, fresh),
                 opt.out)
        got = measure(r, pulse, opt.runs, cold)
        pc1.run(cold)
        got["ldap_messages"] = round_trips(r, pulse)
        rig.emit(base | {"case": "a", "impl": "autoenroll"} | got, opt.out)
        peer = ["bash", "-c", f"kinit -k '{pc1.account}' && ldapsearch -Q -LLL -Y GSSAPI -H ldap://{r.lab.dc1.fqdn} "
                f"-b '{PKS_DN}' -s sub >/dev/null"]
        rig.emit(base | {"case": "a", "impl": "kinit+ldapsearch"} | measure(r, peer, opt.runs, cold), opt.out)
        got = certmonger(min(opt.runs, 5))
        if got:
            rig.emit(base | {"case": "b", "impl": "certmonger-local", "key": "p256"} | got, opt.out)
