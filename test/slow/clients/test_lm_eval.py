"""lm-eval over the server: its default requests, tokenized, in batches of four. vitest reads the samples."""

import json
import os
from pathlib import Path

import pytest
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

SUMS = [("8 * 33", "264"), ("7 * 5", "35"), ("12 + 9", "21"), ("100 - 58", "42"), ("6 * 6", "36"), ("9 * 9", "81")]

LIKELIHOOD = """
task: sums_likelihood
dataset_path: json
dataset_kwargs: {{ data_files: {{ test: {data} }} }}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: How much is {{{{sum}}}}?\\nAnswer:"
doc_to_choice: "{{{{[answer, wrong, closed]}}}}"
doc_to_target: 0
metric_list: [{{ metric: acc }}, {{ metric: acc_norm }}]
"""

GENERATION = """
task: sums_generation
dataset_path: json
dataset_kwargs: {{ data_files: {{ test: {data} }} }}
test_split: test
output_type: generate_until
doc_to_text: "How much is {{{{sum}}}}?"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{ until: ["\\n\\n"], max_gen_toks: 120, temperature: 0, do_sample: false }}
filter_list: [{{ name: last, filter: [{{ function: regex, regex_pattern: "(\\\\d+)", group_select: -1 }}, {{ function: take_first }}] }}]
metric_list: [{{ metric: exact_match }}]
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    end = os.environ["NIBBLE_END_TOKEN"]
    rows = [{"sum": s, "answer": a, "wrong": str(int(a) + 1), "closed": a + end} for s, a in SUMS]
    data = folder / "sums.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "likelihood.yaml").write_text(LIKELIHOOD.format(data=data))
    (folder / "generation.yaml").write_text(GENERATION.format(data=data))
    return TaskManager(include_path=str(folder), include_defaults=False)


def evaluate(kind, path, task, tasks, url, model, **more):
    arguments = {"model": model, "base_url": url + path, "num_concurrent": 1, "max_retries": 1, **more.pop("arguments", {})}
    result = simple_evaluate(
        model=kind,
        model_args=",".join(f"{name}={value}" for name, value in arguments.items()),
        tasks=[task],
        task_manager=tasks,
        batch_size=more.pop("batch_size", 4),
        log_samples=True,
        bootstrap_iters=0,
        **more,
    )
    out = Path(os.environ["NIBBLE_OUT"])
    out.mkdir(exist_ok=True)
    samples = [
        {"arguments": [list(request) for request in sample["arguments"]], "resps": sample["resps"]}
        for sample in result["samples"][task]
    ]
    (out / f"{kind}-{task}.json").write_text(json.dumps(samples, default=str))
    return result["results"][task]


def test_log_likelihoods(tasks, url, model):
    arguments = {"tokenizer": os.environ["NIBBLE_TOKENIZER"]}
    found = evaluate("local-completions", "/v1/completions", "sums_likelihood", tasks, url, model, arguments=arguments)
    assert "acc,none" in found


def test_generation(tasks, url, model):
    arguments = {"tokenizer": os.environ["NIBBLE_TOKENIZER"]}
    evaluate("local-completions", "/v1/completions", "sums_generation", tasks, url, model, arguments=arguments)


def test_chat(tasks, url, model):
    found = evaluate(
        "local-chat-completions",
        "/v1/chat/completions",
        "sums_generation",
        tasks,
        url,
        model,
        apply_chat_template=True,
        batch_size=1,
    )
    if model == "crumb":
        assert found["exact_match,last"] >= 0.5
