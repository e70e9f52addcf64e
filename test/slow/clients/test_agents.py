"""OpenAI Agents: tools together with an output type, over both of OpenAI's APIs."""

import pytest
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)


class Answer(BaseModel):
    value: int


@function_tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@pytest.mark.parametrize("api", [OpenAIChatCompletionsModel, OpenAIResponsesModel])
def test_tools_and_output_type(url, model, api):
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    agent = Agent(
        name="sums",
        instructions="Answer sums.",
        model=api(model=model, openai_client=client),
        tools=[add],
        output_type=Answer,
        model_settings=ModelSettings(max_tokens=600, temperature=0),
    )
    result = Runner.run_sync(agent, "How much is 8 * 33?", max_turns=6)
    assert isinstance(result.final_output, Answer)


@pytest.mark.parametrize("api", [OpenAIChatCompletionsModel, OpenAIResponsesModel])
def test_text(url, model, api):
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    agent = Agent(name="sums", model=api(model=model, openai_client=client), model_settings=ModelSettings(temperature=0))
    assert "264" in Runner.run_sync(agent, "How much is 8 * 33?").final_output
