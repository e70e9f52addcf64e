"""ollama, the Python client."""

from ollama import Client
from pydantic import BaseModel


class Answer(BaseModel):
    value: int


def add(a: int, b: int) -> int:
    """Adds two numbers.

    Args:
      a: The first number.
      b: The second number.
    """
    return a + b


QUESTION = [{"role": "user", "content": "How much is 8 * 33?"}]


def test_chat(url, model):
    answer = Client(host=url).chat(model=model, messages=QUESTION, options={"temperature": 0})
    assert "264" in answer.message.content
    assert answer.done and answer.done_reason == "stop" and answer.eval_count > 0 and answer.total_duration > 0


def test_chat_stream(url, model):
    parts = list(Client(host=url).chat(model=model, messages=QUESTION, stream=True, options={"temperature": 0}, keep_alive="5m"))
    assert "264" in "".join(part.message.content or "" for part in parts)
    assert parts[-1].done and not parts[0].done


def test_think(url, model):
    answer = Client(host=url).chat(model=model, messages=QUESTION, think=True, options={"temperature": 0})
    assert answer.message.content


def test_format(url, model):
    answer = Client(host=url).chat(model=model, messages=QUESTION, format=Answer.model_json_schema())
    Answer.model_validate_json(answer.message.content)


def test_tools(url, model):
    answer = Client(host=url).chat(model=model, messages=[{"role": "user", "content": "Add 2 and 3."}], tools=[add])
    assert answer.message.role == "assistant"


def test_generate(url, model):
    client = Client(host=url)
    answer = client.generate(model=model, prompt="How much is 8 * 33?", options={"temperature": 0, "num_predict": 200})
    assert "264" in answer.response
    raw = client.generate(model=model, prompt="How much", raw=True, options={"num_predict": 4})
    assert raw.eval_count == 4
    assert client.generate(model=model, prompt="").done
    parts = list(client.generate(model=model, prompt="One", stream=True, options={"num_predict": 4}))
    assert parts[-1].done


def test_embed(url, model):
    client = Client(host=url)
    assert len(client.embed(model=model, input=["a", "b"]).embeddings) == 2
    assert len(client.embeddings(model=model, prompt="a").embedding) > 0


def test_models(url, model):
    client = Client(host=url)
    assert model in [entry.model.removesuffix(":latest") for entry in client.list().models]
    assert client.show(model).capabilities
    client.chat(model=model, messages=QUESTION, options={"num_predict": 1})
    assert model in [entry.model.removesuffix(":latest") for entry in client.ps().models]
