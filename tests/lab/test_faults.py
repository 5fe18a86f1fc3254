# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The CA while what it needs is away: nothing is issued that could not be judged or kept, the
answer comes soon and names the stage, and afterwards all is as before without a restart."""
import contextlib
import time

import pytest

import wcce
from wcce import ISSUED

DS_UNAVAILABLE, NO_DB_SESSIONS, BUSY = 0x8007200F, 0x8009400F, 0x800706BB
DB = "/var/lib/certsrv/db"


def ask(witness, template="Machine", timeout=60):
    start = time.monotonic()
    answer = witness.one(("icpr", {"request": wcce.pkcs10(KEY, subject=str(start)),
                                   "attributes": f"CertificateTemplate:{template}"}), timeout=timeout)
    answer["took"] = time.monotonic() - start
    return answer


KEY = wcce.rsa_key()


def until_issued(witness, template="Machine", seconds=40):
    end = time.monotonic() + seconds
    while True:
        answer = ask(witness, template)
        if answer.get("disposition") == ISSUED or time.monotonic() > end:
            return answer
        time.sleep(0.5)


@contextlib.contextmanager
def fault(host, what, *words):
    getattr(host, what)(*words)
    try:
        yield
    finally:
        host.heal()


@pytest.mark.parametrize("what, words", [("refuse", (389,)), ("drop", (389,)), ("pause", ())])
def test_f10_the_directory_is_away(ca, what, words):
    """Nobody is looked up: a requester the CA does not know yet is denied, and told why."""
    ca.restart()  # forgets requesters
    pc1, dc1 = ca.lab.pc1, ca.lab.dc1
    spn = f"host/{ca.host.fqdn}"
    witness = ca.machine(server=ca.host.address, spn=spn)  # dc1 is the name server as well
    pc1.run("kvno", "-q", spn)  # the client has its ticket
    before = ca.count()
    with fault(dc1, what, *words):
        answer = ask(witness)
        assert answer.get("cert", b"") == b"", answer
        assert answer.get("disposition") == DS_UNAVAILABLE, answer
        assert "directory object could not be read" in answer["message"], answer
        assert answer["took"] < 40
        row = ca.row(answer["id"])
        assert row["disp"] == 31
        assert "directory:" in ca.text()
    assert until_issued(witness)["disposition"] == ISSUED
    assert ca.count() >= before + 2


def test_f9_the_kdc_is_away(ca):
    """Who has a ticket is served; it is clients that need the KDC."""
    witness = ca.machine()
    ca.lab.pc1.run("kvno", "-q", f"host/{ca.host.fqdn}")
    with fault(ca.lab.dc1, "refuse", 88):
        assert ask(witness)["disposition"] == ISSUED
    ca.lab.pc1.kdestroy()
    assert ask(ca.machine())["disposition"] == ISSUED


def test_f10_the_directory_was_away_at_the_start(ca):
    """A CA that never saw the directory says so and issues nothing; then it comes by itself."""
    witness = ca.machine()
    ca.lab.pc1.run("kvno", "-q", f"host/{ca.host.fqdn}")
    assert ca.stop() == 0
    with fault(ca.lab.dc1, "refuse", 389):
        ca.start(directory=False)
        answer = ask(witness)
        assert answer.get("cert", b"") == b"", answer
        assert "directory: " in ca.text()
    assert until_issued(witness)["disposition"] == ISSUED


@contextlib.contextmanager
def small_disk(ca, size="12m"):
    """The database on a file system of its own."""
    ca.stop()
    ca.host.run(f"cp -a {DB} /var/lib/certsrv/db.kept && mount -t tmpfs -o size={size},mode=0755 tmpfs {DB} && "
                f"cp -a /var/lib/certsrv/db.kept/. {DB} && chown --reference=/var/lib/certsrv/db.kept {DB} && "
                f"chmod --reference=/var/lib/certsrv/db.kept {DB}")
    try:
        ca.start()
        yield
    finally:
        ca.stop()
        # what it has become, or the CA would notice that its database is older than it was
        ca.host.run(f"rm -f {DB}/filler && cp -a {DB}/. /var/lib/certsrv/db.kept && umount {DB} && "
                    f"cp -a /var/lib/certsrv/db.kept/. {DB} && rm -rf /var/lib/certsrv/db.kept")
        ca.start()


def test_f4_the_disk_is_full(ca):
    """Nothing is signed whose row cannot be kept, and room is all it takes to go on."""
    with small_disk(ca):
        witness = ca.machine()
        assert ask(witness)["disposition"] == ISSUED
        ca.host.run(f"dd if=/dev/zero of={DB}/filler bs=4k 2>/dev/null", check=False)
        mark = ca.mark()
        answers = [ask(witness) for _ in range(3)]
        refused = [a for a in answers if a.get("disposition") != ISSUED]
        assert refused, answers  # what fits into the log of the database may still go through
        for answer in refused:
            assert answer.get("cert", b"") == b"", answer
        log = ca.log_since(mark)
        assert "no room for the database" in log, log
        ca.host.run(f"rm {DB}/filler")
        assert until_issued(witness)["disposition"] == ISSUED
