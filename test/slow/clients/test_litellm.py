"""litellm: the same server as OpenAI's, Anthropic's, llama-server's and Ollama's."""

import litellm
import pytest

QUESTION = [{"role": "user", "content": "How much is 8 * 33?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


def options(url, model, provider):
    base = {"openai": f"{url}/v1", "text-completion-openai": f"{url}/v1", "hosted_vllm": f"{url}/v1"}.get(provider, url)
    return {"model": f"{provider}/{model}", "api_base": base, "api_key": "none", "num_retries": 0}


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "anthropic", "ollama", "ollama_chat"])
def test_chat(url, model, provider):
    answer = litellm.completion(**options(url, model, provider), messages=QUESTION, temperature=0, max_tokens=300)
    assert "264" in answer.choices[0].message.content


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "anthropic", "ollama", "ollama_chat"])
def test_stream(url, model, provider):
    stream = litellm.completion(**options(url, model, provider), messages=QUESTION, temperature=0, max_tokens=300, stream=True)
    assert "264" in "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "anthropic", "ollama_chat"])
def test_tools(url, model, provider):
    answer = litellm.completion(**options(url, model, provider), messages=QUESTION, tools=[TOOL], max_tokens=300)
    assert answer.choices[0].finish_reason


@pytest.mark.parametrize("provider", ["openai", "ollama_chat"])
def test_format(url, model, provider):
    schema = {"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]}
    answer = litellm.completion(
        **options(url, model, provider),
        messages=QUESTION,
        max_tokens=300,
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
    )
    assert "value" in answer.choices[0].message.content


def test_text_completion(url, model):
    answer = litellm.text_completion(**options(url, model, "text-completion-openai"), prompt="How much", max_tokens=5)
    assert answer.choices[0].text is not None


def test_embedding(url, model):
    assert litellm.embedding(**options(url, model, "openai"), input=["a", "b"]).data
