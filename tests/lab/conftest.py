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


def pytest_configure(config):
    # Before any test: without root nothing here can run, and silence would look like success.
    if os.geteuid() != 0:
        raise pytest.UsageError("tests/lab needs root: network and mount namespaces")


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


@pytest.fixture(autouse=True)
def no_tickets_left(request):
    """Every test starts without anybody's tickets."""
    if "lab" in request.fixturenames:
        for host in request.getfixturevalue("lab").hosts.values():
            for cache in host.path("/run").glob("krb5cc_*"):
                cache.unlink()
    yield
