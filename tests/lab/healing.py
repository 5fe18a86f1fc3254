# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Carries out what diagnose prints as the fix, as the person would whom it names.

The commands are those of the report; where a person has to fill in or to decide something,
lab/faults/by-hand.txt says what and why, and how it looks in this lab."""
import json
import os
import pty
import re
import select
import time

from lab import TOP

# Of a template, what certsrv template may change.
SETTINGS = ("flags", "revision", "pKIExpirationPeriod", "pKIOverlapPeriod", "pKIExtendedKeyUsage", "pKIDefaultCSPs",
            "pKIDefaultKeySpec", "msPKI-Certificate-Application-Policy", "msPKI-Certificate-Name-Flag", "msPKI-Enrollment-Flag",
            "msPKI-Minimal-Key-Size", "msPKI-Private-Key-Flag", "msPKI-RA-Application-Policies", "msPKI-RA-Signature",
            "msPKI-Supersede-Templates", "msPKI-Template-Minor-Revision", "msPKI-Template-Schema-Version", "nTSecurityDescriptor")
PENDING = 9  # of autoenroll: where a template wants approval
PLACES = ("account", "host", "ca", "dc")


def by_hand():
    """{id: {"why": reason, "run": [(where, command)], "ask": options}}"""
    found, it = {}, None
    for line in (TOP / "lab/faults/by-hand.txt").read_text().splitlines():
        key, _, value = line.partition(": ")
        if m := re.fullmatch(r"\[(\S+)\]", line):
            it = found[m[1]] = {"why": None, "run": [], "ask": None}
        elif key in PLACES:
            it["run"].append((key, value))
        elif key in ("why", "ask"):
            it[key] = value if key == "why" else value.split()
        elif line and not line.startswith("#"):
            raise ValueError(f"by-hand.txt: {line}")
    return found


class Healer:
    def __init__(self, world):
        self.world, self.lab = world, world.lab
        programs = [world.build / "prog" / p for p in ("autoenroll", "certsrv")]
        self.env = {"ASAN_OPTIONS": "detect_leaks=0", "PATH": ":".join(map(str, programs)) + ":" + os.environ["PATH"]}
        self.log = ""
        self.has_ticket = False

    def heal(self, commands, user):
        """True: each of them ended well."""
        self.log = ""
        self.keep(" ".join(run for _, run in commands))
        for where, command in commands:
            if m := re.fullmatch(r"systemctl (start|restart) (\w+)", command):
                done = self.service(m[1], m[2])  # what systemd would do, which the lab has not
            else:
                done = self.run(where, command, user)
            if not done:
                return False
        if any(where in ("ca", "dc") for where, _ in commands):
            self.world.services.wait_ca()
        return True

    def keep(self, text):
        """What the commands change beyond what the fault did: --mend puts it back, too."""
        services = self.world.services
        if "certsrv template" in text:
            for new in re.findall(r"template new (\S+)", text):
                services.note("add", services.template(new))
            for cn in "Machine", "Person":
                services.keep(services.template(cn), *SETTINGS)
            services.keep(services.ca(), "certificateTemplates")
        if "certsrv permission" in text:
            services.keep_file("ca1", "/etc/certsrv/ca.sd")
            services.keep(services.ca(), "nTSecurityDescriptor")
        if "samba-tool spn add" in text:
            services.keep(services.computer("CA1"), "servicePrincipalName")

    def service(self, verb, name):
        self.log += f"systemctl {verb} {name}\n"
        if verb == "restart":
            self.world.services.stop_service("ca1", name)
        return self.world.services.start_service("ca1", name)

    def run(self, where, command, user):
        """On a terminal, as adcli wants a password from one."""
        host = {"ca": "ca1", "dc": "dc1"}.get(where, "pc1")
        env, words = dict(self.env), []
        if where == "ca":
            env["KRB5CCNAME"] = "FILE:/run/admin-krb5cc"
            self.ticket()
        if where == "account" and user:
            alice = self.world.alice
            words = ["setpriv", f"--reuid={alice.uid}", f"--regid={alice.uid}", "--clear-groups"]
            env |= {"HOME": alice.home, "USER": alice.name, "KRB5CCNAME": f"FILE:/run/user/{alice.uid}/krb5cc",
                    "XDG_RUNTIME_DIR": f"/run/user/{alice.uid}"}
        words += ["env", *[f"{k}={v}" for k, v in env.items()], "bash", "-c", command]
        code = self.terminal(host, words)
        self.log += f"[{where}] {command}: {code}\n"
        return code == 0 or code == PENDING and "autoenroll" in command

    def ticket(self):
        """An AD administrator's, on the CA's host."""
        if not self.has_ticket:
            self.lab.ca1.run("kinit", "-c", "FILE:/run/admin-krb5cc", "Administrator", input=self.lab.admin_password + "\n")
        self.has_ticket = True

    def terminal(self, host, words):
        pid, fd = pty.fork()
        if pid == 0:
            lab = str(TOP / "lab/lab")
            os.execv(lab, [lab, "--name", self.lab.name, "exec", host, *words])
        end, text = time.monotonic() + 60, b""
        while time.monotonic() < end:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                piece = os.read(fd, 4096)
            except OSError:  # it ended
                break
            if not piece:
                break
            text += piece
            if re.search(rb"assword for [^\n]*: ?$", text):
                os.write(fd, self.lab.admin_password.encode() + b"\n")
                text += b"\n"
        else:
            os.kill(pid, 9)
        os.close(fd)
        self.log += text.decode(errors="replace")
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def commands(finding):
    return [(c["where"], c["run"]) for c in finding["commands"]]


def is_gone(report, name):
    """Not named any more, not even as a consequence of something else."""
    every = [report["root"]] * bool(report["root"]) + report["also"] + report["consequences"]
    every += [h for h in report["harmless"] if h["category"] == "H"]
    return name not in [f["check_id"] for f in every]


def told(report):
    return json.dumps({k: report[k] for k in ("root", "also")})[:800]
