"""Fixtures of the clients' tests: the server's address, its models, and a small task for lm-eval."""

import os

import pytest


@pytest.fixture(scope="session")
def url():
    """The server's address, without a path: clients add /v1 or another path."""
    return os.environ["NIBBLE_URL"]


@pytest.fixture(scope="session")
def model():
    return os.environ.get("NIBBLE_MODEL", "crumb")
