"""anthropic: messages, streams, the tool runner, structured output, token counts."""

from anthropic import Anthropic, beta_tool
from pydantic import BaseModel


class Answer(BaseModel):
    value: int


@beta_tool
def add(a: int, b: int) -> str:
    """Adds two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    return str(a + b)


def client(url):
    return Anthropic(base_url=url, api_key="none", max_retries=0)


def test_message(url, model):
    message = client(url).messages.create(
        model=model, max_tokens=200, messages=[{"role": "user", "content": "How much is 8 * 33?"}]
    )
    assert "264" in "".join(block.text for block in message.content if block.type == "text")


def test_prefill(url, model):
    message = client(url).messages.create(
        model=model,
        max_tokens=8,
        messages=[{"role": "user", "content": "How much is 8 * 33?"}, {"role": "assistant", "content": "It is"}],
    )
    assert message.usage.output_tokens > 0


def test_stream(url, model):
    with client(url).messages.stream(
        model=model, max_tokens=200, messages=[{"role": "user", "content": "How much is 8 * 33?"}]
    ) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert text == "".join(block.text for block in message.content if block.type == "text")


def test_tool_runner(url, model):
    runner = client(url).beta.messages.tool_runner(
        model=model,
        max_tokens=300,
        tools=[add],
        messages=[{"role": "user", "content": "Add 2 and 3."}],
        max_iterations=3,
    )
    assert runner.until_done().role == "assistant"


def test_tool_runner_with_forced_call(url, model):
    runner = client(url).beta.messages.tool_runner(
        model=model,
        max_tokens=300,
        tools=[add],
        tool_choice={"type": "tool", "name": "add"},
        messages=[{"role": "user", "content": "Add 2 and 3."}],
        max_iterations=2,
    )
    messages = list(runner)
    assert messages[0].stop_reason == "tool_use"
    assert len(messages) == 2


def test_parse(url, model):
    message = client(url).messages.parse(
        model=model,
        max_tokens=400,
        messages=[{"role": "user", "content": "How much is 8 * 33?"}],
        output_format=Answer,
    )
    assert isinstance(message.parsed_output, Answer)


def test_context_management(url, model):
    message = client(url).beta.messages.create(
        model=model,
        max_tokens=20,
        betas=["context-management-2025-06-27"],
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
        messages=[{"role": "user", "content": "hi"}],
    )
    assert message.usage.output_tokens > 0


def test_count_and_models(url, model):
    anthropic = client(url)
    count = anthropic.messages.count_tokens(model=model, messages=[{"role": "user", "content": "hi"}])
    assert count.input_tokens > 0
    assert model in [entry.id for entry in anthropic.models.list()]
    assert anthropic.models.retrieve(model).id == model
