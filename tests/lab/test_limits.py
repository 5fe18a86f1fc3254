# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""One account that asks without end: it is told to come again, leaves nothing behind, and the others are
served (mass enrollment, T11)."""
import wcce
from wcce import ISSUED

TOO_BUSY = 0x800706BB


def test_flood_one_account(ca):
    ca.configure("listen", requests_per_minute=10, max_connections_per_account=4)
    ca.restart()
    try:
        key = wcce.ec_key()
        steps = [("icpr", {"request": wcce.pkcs10(key, subject=f"request {i}"),
                           "attributes": "CertificateTemplate:MachineEc"}) for i in range(40)]
        before = ca.count()
        got = [a["disposition"] if a["hresult"] == 0 else a["hresult"] for a in ca.machine().run(*steps)]
        issued = got.count(ISSUED)
        assert set(got) == {ISSUED, TOO_BUSY} and got[:10] == [ISSUED] * 10, got
        assert ca.count() - before == issued < 40
        assert "more than 10 requests a minute" in ca.text()
        # somebody else does not notice
        answer = ca.person("alice").one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()),
                                                  "attributes": "CertificateTemplate:Person"}))
        assert answer["disposition"] == ISSUED, answer
    finally:
        ca.configure("listen", requests_per_minute=0, max_connections_per_account=60000)
        ca.restart()


def test_flood_one_account_s_connections(ca):
    ca.configure("listen", max_connections_per_account=4, workers=1)
    ca.restart()
    try:
        held = ca.machine().one(("hold", {"count": 12}))
        assert held["open"] == 4, held
        assert "has its share of connections already" in ca.text()
        # they are closed now, and their places are free again
        assert ca.machine().one(("hold", {"count": 3}))["open"] == 3
    finally:
        ca.configure("listen", max_connections_per_account=60000, workers=0)
        ca.restart()
