"""instructor: each of its modes that speaks OpenAI's or Anthropic's API.

Modes that only ask for JSON in words need a model that can write it. With crumb, which cannot, they must fail in the
validation of a whole or cut answer, and not in the request.
"""

import instructor
import pytest
from anthropic import Anthropic
from instructor.core import IncompleteOutputException, InstructorRetryException
from openai import OpenAI
from pydantic import BaseModel

OPENAI = ["TOOLS", "TOOLS_STRICT", "JSON", "JSON_SCHEMA", "MD_JSON", "RESPONSES_TOOLS"]
ANTHROPIC = ["ANTHROPIC_TOOLS", "ANTHROPIC_JSON"]
IN_WORDS = ["JSON", "MD_JSON", "ANTHROPIC_JSON"]


class Answer(BaseModel):
    value: int


def mode_of(name):
    mode = getattr(instructor.Mode, name, None)
    assert mode is not None, f"instructor has no mode {name}; it has {[m.name for m in instructor.Mode]}"
    return mode


def check(client, model, name, **more):
    try:
        answer = client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "How much is 8 * 33?"}],
            response_model=Answer,
            max_retries=2,
            **more,
        )
    except (InstructorRetryException, IncompleteOutputException) as error:
        if model == "crumb" and name in IN_WORDS and any(word in str(error) for word in ("validation error", "incomplete")):
            return
        raise
    assert isinstance(answer, Answer)


@pytest.mark.parametrize("name", OPENAI)
def test_openai(url, model, name):
    client = instructor.from_openai(OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0), mode=mode_of(name))
    check(client, model, name)


@pytest.mark.parametrize("name", ANTHROPIC)
def test_anthropic(url, model, name):
    client = instructor.from_anthropic(Anthropic(base_url=url, api_key="none", max_retries=0), mode=mode_of(name))
    check(client, model, name, max_tokens=400)
