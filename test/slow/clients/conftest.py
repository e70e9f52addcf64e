"""What the clients' tests share: where the server is, which models it has, and a small task for lm-eval."""

import os

import pytest


@pytest.fixture(scope="session")
def url():
    """The server's address, without a path: clients add /v1 or what they expect."""
    return os.environ["NIBBLE_URL"]


@pytest.fixture(scope="session")
def model():
    return os.environ.get("NIBBLE_MODEL", "crumb")
