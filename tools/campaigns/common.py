# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What campaigns share: --help, a lab with a CA and a member, progress, and the verdict."""
import contextlib
import os
import pathlib
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lab"))
from ca import FULL, PKS_DN, READ, Ca, enroll_for  # noqa: E402,F401
from client import Client  # noqa: E402
from lab import Lab  # noqa: E402

BUILD = pathlib.Path(os.environ.get("AE_BUILD", TOP / "build")).resolve()
MACHINES = READ + FULL + enroll_for("DC")
NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}  # a role's sandbox forbids what the leak checker does
P256 = {"msPKI-Template-Schema-Version": 4, "msPKI-Minimal-Key-Size": 256, "pKIKeyUsage": b"\x80\x00",
        "msPKI-RA-Application-Policies": "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`"
        "msPKI-Hash-Algorithm`PZPWSTR`SHA256`msPKI-Key-Usage`DWORD`2`"}


class Campaign:
    """Progress while it goes on, and in the end one line and a code."""

    def __init__(self):
        self.name = pathlib.Path(sys.argv[0]).name
        self.bad, self.begin, self.last = [], time.monotonic(), 0.0
        if {"-h", "--help"} & set(sys.argv[1:]):
            sys.exit(subprocess.call([TOP / "campaign", self.name, "--help"]))

    def argument(self, number, default):
        return type(default)(sys.argv[number]) if len(sys.argv) > number else default

    def progress(self, text, every=10):
        """At most one line in so many seconds."""
        if time.monotonic() - self.last >= every:
            self.last = time.monotonic()
            print(f"{self.last - self.begin:6.0f} s  {text}", flush=True)

    def wrong(self, text):
        self.bad.append(text)
        print(f"WRONG  {text}", flush=True)

    def check(self, good, text):
        if not good:
            self.wrong(text)
        return good

    def end(self, summary):
        print(f"{self.name}: {summary}; {time.monotonic() - self.begin:.0f} s: "
              + (f"FAILED, {len(self.bad)} violations" if self.bad else "passed"), flush=True)
        sys.exit(1 if self.bad else 0)


@contextlib.contextmanager
def domain(templates, key="p256", refresh=None, **lab_options):
    """A lab, a CA that offers the templates (cn: what differs), a member with the policy to enroll."""
    with Lab(f"campaign-{os.getpid()}", **lab_options) as lab:
        ca = Ca(lab, BUILD, key=key)
        ca.setup({cn: (MACHINES, over) for cn, over in templates.items()})
        ca.trust()
        if refresh:
            conf = ca.host.path("/etc/certsrv/certsrv.conf")
            conf.write_text(conf.read_text() + f"\n[directory]\nrefresh = {refresh}\n")
        ca.start()
        client = Client(lab.pc1, BUILD)
        client.local_policy(7)
        try:
            yield lab, ca, client
        finally:
            for host in lab.hosts.values():
                host.heal()
            ca.stop()


def issued(ca, after=0):
    """The requests, in hexadecimal, of the rows behind after that have a certificate."""
    return [r["csr"] for r in ca.rows("id, disp, hex(csr) as csr") if r["id"] > after and r["disp"] == 20]


def last_row(ca):
    return max([r["id"] for r in ca.rows()], default=0)


def pair_is_whole(client, template):
    """The certificate in use fits its key, verifies and is valid now; keys are their owner's alone.  What is wrong."""
    at = f"/var/lib/autoenroll/my/{template}/current"
    done = client.host.run(
        f"test -z \"$(find /var/lib/autoenroll -name '*key.*' -perm /077)\" || {{ echo a key others may read; exit 1; }};"
        f"test -L {at} || exit 0;"
        f"cmp <(openssl x509 -noout -pubkey -in {at}/cert.pem) <(openssl pkey -pubout -in {at}/key.pem)"
        f" && openssl verify -CAfile /var/lib/autoenroll/trust/roots.pem {at}/cert.pem >/dev/null", check=False)
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip() or "no pair"
