"""openai, with the client's own defaults."""

from openai import OpenAI
from pydantic import BaseModel


class Answer(BaseModel):
    value: int


TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


def client(url):
    return OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def test_chat(url, model):
    answer = client(url).chat.completions.create(
        model=model, messages=[{"role": "user", "content": "How much is 8 * 33?"}], temperature=0
    )
    assert "264" in answer.choices[0].message.content


def test_streams(url, model):
    chunks = list(
        client(url).chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "How much is 8 * 33?"}],
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "264" in text
    assert chunks[-1].usage.completion_tokens > 0


def test_prompt_lists(url, model):
    answer = client(url).completions.create(model=model, prompt=["One", "Two", "Three"], max_tokens=3, n=2, temperature=0)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3, 4, 5]
    assert answer.choices[0].text == answer.choices[1].text


def test_parse(url, model):
    answer = client(url).chat.completions.parse(
        model=model, messages=[{"role": "user", "content": "How much is 8 * 33?"}], response_format=Answer, max_tokens=400
    )
    assert isinstance(answer.choices[0].message.parsed, Answer)


def test_required_tool(url, model):
    answer = client(url).chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Add 2 and 3."}],
        tools=[TOOL],
        tool_choice="required",
        max_tokens=400,
    )
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.name == "add"


def test_tools_with_a_format(url, model):
    answer = client(url).chat.completions.parse(
        model=model,
        messages=[{"role": "user", "content": "Add 2 and 3."}],
        tools=[TOOL],
        response_format=Answer,
        max_tokens=400,
    )
    message = answer.choices[0].message
    assert message.tool_calls or isinstance(message.parsed, Answer)


def test_responses(url, model):
    openai = client(url)
    first = openai.responses.create(model=model, input="How much is 8 * 33?", temperature=0)
    assert "264" in first.output_text
    second = openai.responses.create(model=model, input="And 7 * 5?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    parsed = openai.responses.parse(model=model, input="How much is 8 * 33?", text_format=Answer)
    assert isinstance(parsed.output_parsed, Answer)


def test_responses_stream(url, model):
    with client(url).responses.stream(model=model, input="How much is 8 * 33?", temperature=0) as stream:
        kinds = [event.type for event in stream]
        assert "264" in stream.get_final_response().output_text
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"


def test_models_and_embeddings(url, model):
    openai = client(url)
    assert model in [entry.id for entry in openai.models.list()]
    assert len(openai.embeddings.create(model=model, input=["a", "b"]).data) == 2
