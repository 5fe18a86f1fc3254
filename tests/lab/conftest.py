# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""One lab for the whole run.  AE_BUILD names the build directory under test;
LAB_KEEP=1 leaves the lab standing afterwards, its name printed."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lab import TOP, Lab  # noqa: E402

LOG_LINES = 60  # of the CA's log, in the report of a failed test


def pytest_configure(config):
    # Before any test: without root nothing here can run, and silence would look like success.
    if os.geteuid() != 0:
        raise pytest.UsageError("tests/lab needs root: network and mount namespaces")


def pytest_make_parametrize_id(config, val, argname):
    # Requests have other bytes in every process; tests must have the same names in all of them.
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def lab():
    keep = os.environ.get("LAB_KEEP") == "1"
    with Lab(f"test-{os.getpid()}", keep=keep) as running:
        yield running
    if keep:
        print(f"\nkept: lab/lab --name {running.name} exec pc1 bash")


@pytest.fixture(scope="session")
def build():
    """The directory with the programs under test."""
    return pathlib.Path(os.environ.get("AE_BUILD", TOP / "build"))


@pytest.fixture(scope="session")
def ca(build):
    """Our CA on ca1 of a lab of its own, with the templates of labca.py; the tests of
    interoperability share it.  One that breaks it repairs it (ca.restart())."""
    from labca import LabCa

    keep = os.environ.get("LAB_KEEP") == "1"
    with Lab(f"ca-{os.getpid()}", keep=keep) as running:
        mine = LabCa(running, build)
        mine.setup()
        mine.start()
        yield mine
        assert mine.stop() == 0, mine.text()
    if keep:
        print(f"\nkept: lab/lab --name {running.name} exec ca1 bash")


@pytest.fixture(autouse=True)
def no_tickets_left(request):
    """Every test starts without anybody's tickets."""
    for name in {"lab", "ca"} & set(request.fixturenames):
        value = request.getfixturevalue(name)
        for host in (value if isinstance(value, Lab) else value.lab).hosts.values():
            for cache in host.path("/run").glob("krb5cc_*"):
                cache.unlink()
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the CA had to say while a test failed."""
    report = (yield).get_result()
    mine = getattr(item, "funcargs", {}).get("ca")
    if report.failed and mine is not None and mine.log.exists():
        report.sections.append(("the CA's log", "\n".join(mine.text().splitlines()[-LOG_LINES:])))
