"""LangChain's OpenAI and ChatOpenAI, with their own defaults."""

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field


class Answer(BaseModel):
    """The answer to a sum."""

    value: int = Field(description="the number")


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def options(url, model):
    return {"base_url": f"{url}/v1", "api_key": "none", "model": model, "max_retries": 0}


def test_llm_batch(url, model):
    result = OpenAI(**options(url, model)).generate(["How much is 8 * 33?", "How much is 7 * 5?"])
    assert len(result.generations) == 2


def test_llm_stream(url, model):
    assert list(OpenAI(**options(url, model), max_tokens=8).stream("How much"))


def test_chat(url, model):
    assert "264" in ChatOpenAI(**options(url, model), temperature=0).invoke("How much is 8 * 33?").content


def test_chat_stream(url, model):
    text = "".join(chunk.content for chunk in ChatOpenAI(**options(url, model), temperature=0).stream("How much is 8 * 33?"))
    assert "264" in text


def test_chat_batch(url, model):
    assert len(ChatOpenAI(**options(url, model), max_tokens=8).batch(["One", "Two", "Three"])) == 3


def test_tools_loop(url, model):
    chat = ChatOpenAI(**options(url, model), max_tokens=300)
    asked = chat.bind_tools([add], tool_choice="required").invoke("Add 2 and 3.")
    call = asked.tool_calls[0]
    assert call["name"] == "add"
    answer = chat.bind_tools([add]).invoke(
        [HumanMessage("Add 2 and 3."), asked, ToolMessage(str(add.invoke(call["args"])), tool_call_id=call["id"])]
    )
    assert isinstance(answer, AIMessage)


def test_structured_output_by_each_method(url, model):
    chat = ChatOpenAI(**options(url, model), max_tokens=400)
    assert isinstance(chat.with_structured_output(Answer).invoke("How much is 8 * 33?"), Answer)
    assert isinstance(chat.with_structured_output(Answer, method="json_schema", strict=True).invoke("8 * 33?"), Answer)
    assert isinstance(chat.with_structured_output(Answer, method="function_calling").invoke("8 * 33?"), Answer)
    raw = chat.with_structured_output(Answer, method="json_mode", include_raw=True).invoke("Answer in JSON: 8 * 33?")
    assert raw["raw"] is not None


def test_tools_and_structured_output(url, model):
    chat = ChatOpenAI(**options(url, model), max_tokens=400)
    bound = chat.with_structured_output(Answer, include_raw=True, tools=[add], method="json_schema", strict=True)
    assert bound.invoke("How much is 8 * 33?")["raw"] is not None


def test_responses_api(url, model):
    chat = ChatOpenAI(**options(url, model), use_responses_api=True, temperature=0)
    assert "264" in chat.invoke("How much is 8 * 33?").text


def test_embeddings_with_token_ids(url, model):
    embeddings = OpenAIEmbeddings(base_url=f"{url}/v1", api_key="none", model=model, check_embedding_ctx_length=False)
    assert len(embeddings.embed_documents(["a", "b"])) == 2
