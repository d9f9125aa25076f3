"""The packages of Anthropic and Ollama, LiteLLM and LangChain."""
import asyncio
import json

import anthropic
import litellm
import ollama
from cases import CALL, QUESTION, TOOL, case, equal, raises
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from openai_cases import chat

litellm.suppress_debug_info = True
CLAUDE_TOOL = {"name": "add", "description": "Adds.", "input_schema": TOOL["function"]["parameters"]}

# The package has no argument for it any more.
COOL = {"temperature": 0}

# Anthropic


def claude(url):
    return anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)


def message(b, **fields):
    return claude(b.real).messages.create(
        **{"model": b.name, "messages": QUESTION, "max_tokens": 12, "extra_body": COOL, **fields})


def spoken(b, words, **fields):
    return claude(b.echo).messages.create(
        **{"model": b.name, "messages": b.told(words), "max_tokens": 400, "extra_body": COOL, **fields})


@case
def anthropic_answers(b):
    equal(message(b).content[0].text, chat(b).choices[0].message.content)


@case
def anthropic_says_why_it_ended(b):
    equal(message(b, max_tokens=2).stop_reason, "max_tokens")


@case
def anthropic_takes_a_system_text(b):
    assert message(b, system="You are brief.").usage.input_tokens > message(b).usage.input_tokens - 20


@case
def anthropic_streams_what_it_answers(b):
    with claude(b.real).messages.stream(model=b.name, messages=QUESTION, max_tokens=12, extra_body=COOL) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    equal(text, message(b).content[0].text)
    equal(final.usage.output_tokens, message(b).usage.output_tokens)


@case
def anthropic_streams_its_events(b):
    kinds = [event.type for event in message(b, stream=True)]
    equal((kinds[0], kinds[1], kinds[-1]), ("message_start", "content_block_start", "message_stop"))


@case
def anthropic_counts_tokens(b):
    count = claude(b.real).messages.count_tokens(model=b.name, messages=QUESTION).input_tokens
    equal(count, message(b).usage.input_tokens)


@case
def anthropic_calls_a_tool(b):
    answer = spoken(b, "<think>hm</think>" + CALL, tools=[CLAUDE_TOOL])
    equal(answer.stop_reason, "tool_use")
    equal((answer.content[-1].name, answer.content[-1].input), ("add", {"a": 1, "b": 2}))


@case
def anthropic_streams_a_tool_call(b):
    with claude(b.echo).messages.stream(
            model=b.name, messages=b.told("<think>hm</think>" + CALL), max_tokens=400, extra_body=COOL,
            tools=[CLAUDE_TOOL]) as stream:
        final = stream.get_final_message()
    equal(final.content[-1].input, {"a": 1, "b": 2})


@case
def anthropic_takes_a_tool_result(b):
    turns = [
        *QUESTION,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "3"}, {
            "type": "text", "text": "So?"}]}]
    assert message(b, messages=turns).content


@case
def anthropic_tells_thoughts_apart(b):
    answer = spoken(b, "<think>hm</think>Yes.", thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000)
    equal([block.type for block in answer.content], ["thinking", "text"])
    equal(answer.content[0].thinking, "hm")


@case
def anthropic_ends_thoughts_at_their_budget(b):
    words = "<think>" + "so and so " * 20 + "</think>Yes."
    answer = claude(b.echo).messages.create(
        model=b.name, messages=b.told(words), max_tokens=400,
        extra_body={**COOL, "thinking": {"type": "enabled", "budget_tokens": 8}})
    equal(answer.content[0].type, "thinking")
    assert len(answer.content[0].thinking) < 60, answer.content[0].thinking


@case
def anthropic_refuses_no_limit(b):
    raises(anthropic.BadRequestError, lambda: message(b, max_tokens=0), "max_tokens")


@case
def anthropic_error_has_its_parts(b):
    error = raises(anthropic.BadRequestError, lambda: message(b, messages=[]))
    equal(error.body["error"]["type"], "invalid_request_error")


@case
def anthropic_answers_without_waiting_threads(b):
    async def one():
        client = anthropic.AsyncAnthropic(base_url=b.real, api_key="none")
        return await client.messages.create(model=b.name, messages=QUESTION, max_tokens=12, extra_body=COOL)

    equal(asyncio.run(one()).content[0].text, message(b).content[0].text)


# Ollama


def llama(b):
    return ollama.Client(host=b.real)


OPTIONS = {"temperature": 0, "num_predict": 12}


@case
def ollama_chats(b):
    answer = llama(b).chat(model=b.name, messages=QUESTION, options=OPTIONS)
    equal(answer.message.content, chat(b).choices[0].message.content)
    assert answer.done and answer.eval_count


@case
def ollama_streams_a_chat(b):
    parts = list(llama(b).chat(model=b.name, messages=QUESTION, options=OPTIONS, stream=True))
    equal("".join(part.message.content or "" for part in parts), chat(b).choices[0].message.content)
    assert parts[-1].done


@case
def ollama_generates(b):
    answer = llama(b).generate(model=b.name, prompt="The capital of France is", options=OPTIONS)
    assert answer.response


@case
def ollama_streams_a_text(b):
    ask = dict(model=b.name, prompt="The capital of France is", options=OPTIONS)
    parts = list(llama(b).generate(**ask, stream=True))
    equal("".join(part.response or "" for part in parts), llama(b).generate(**ask).response)


@case
def ollama_lists_models(b):
    equal([model.model for model in llama(b).list().models], [b.name])


@case
def ollama_shows_a_model(b):
    assert llama(b).show(b.name).details is not None


@case
def ollama_lists_what_runs(b):
    equal([model.model for model in llama(b).ps().models], [b.name])


@case
def ollama_repeats_itself_with_a_seed(b):
    seeded = {"temperature": 1.0, "num_predict": 8, "seed": 3}
    texts = {llama(b).chat(model=b.name, messages=QUESTION, options=seeded).message.content for _ in range(2)}
    equal(len(texts), 1)


@case
def ollama_answers_without_waiting_threads(b):
    async def one():
        return await ollama.AsyncClient(host=b.real).chat(model=b.name, messages=QUESTION, options=OPTIONS)

    equal(asyncio.run(one()).message.content, chat(b).choices[0].message.content)


# LiteLLM


def lite(b, url=None, **fields):
    return litellm.completion(
        **{"model": "openai/" + b.name, "api_base": (url or b.real) + "/v1", "api_key": "none", "messages": QUESTION,
           "temperature": 0, "max_tokens": 12, **fields})


@case
def litellm_answers(b):
    equal(lite(b).choices[0].message.content, chat(b).choices[0].message.content)


@case
def litellm_streams(b):
    text = "".join(c.choices[0].delta.content or "" for c in lite(b, stream=True) if c.choices)
    equal(text, chat(b).choices[0].message.content)


@case
def litellm_streams_its_usage(b):
    chunks = list(lite(b, stream=True, stream_options={"include_usage": True}))
    equal([c.usage.completion_tokens for c in chunks if getattr(c, "usage", None)][-1], chat(b).usage.completion_tokens)


@case
def litellm_calls_a_tool(b):
    answer = lite(b, b.echo, messages=b.told("<think>hm</think>" + CALL), tools=[TOOL], max_tokens=200)
    equal(json.loads(answer.choices[0].message.tool_calls[0].function.arguments), {"a": 1, "b": 2})
    equal(answer.choices[0].message.reasoning_content, "hm")


@case
def litellm_answers_without_waiting_threads(b):
    async def one():
        return await litellm.acompletion(
            model="openai/" + b.name, api_base=b.real + "/v1", api_key="none", messages=QUESTION, temperature=0,
            max_tokens=12)

    equal(asyncio.run(one()).choices[0].message.content, chat(b).choices[0].message.content)


@case
def litellm_speaks_anthropic(b):
    answer = litellm.completion(
        model="anthropic/" + b.name, api_base=b.real, api_key="none", messages=QUESTION, temperature=0, max_tokens=12)
    equal(answer.choices[0].message.content, chat(b).choices[0].message.content)


@case
def litellm_completes_a_text(b):
    answer = litellm.text_completion(
        model="text-completion-openai/" + b.name, api_base=b.real + "/v1", api_key="none",
        prompt="The capital of France is", temperature=0, max_tokens=8)
    assert "Paris" in answer.choices[0].text


# LangChain


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def chain(b, url=None, **fields):
    return ChatOpenAI(
        **{"model": b.name, "base_url": (url or b.real) + "/v1", "api_key": "none", "temperature": 0, "max_tokens": 12, **fields})


@case
def langchain_answers(b):
    equal(chain(b).invoke([HumanMessage(QUESTION[0]["content"])]).content, chat(b).choices[0].message.content)


@case
def langchain_takes_a_system_text(b):
    assert chain(b).invoke([SystemMessage("You are brief."), HumanMessage("Hello")]).content


@case
def langchain_streams(b):
    text = "".join(part.content for part in chain(b).stream(QUESTION[0]["content"]))
    equal(text, chat(b).choices[0].message.content)


@case
def langchain_answers_a_batch(b):
    equal(len(chain(b).batch([QUESTION[0]["content"]] * 3)), 3)


@case
def langchain_calls_a_tool(b):
    answer = chain(b, b.echo, max_tokens=200).bind_tools([add]).invoke(b.saying("<think>hm</think>" + CALL))
    equal([(c["name"], c["args"]) for c in answer.tool_calls], [("add", {"a": 1, "b": 2})])


@case
def langchain_streams_a_tool_call(b):
    whole = None
    for part in chain(b, b.echo, max_tokens=200).bind_tools([add]).stream(b.saying("<think>hm</think>" + CALL)):
        whole = part if whole is None else whole + part
    equal([(c["name"], c["args"]) for c in whole.tool_calls], [("add", {"a": 1, "b": 2})])


@case
def langchain_counts_tokens(b):
    usage = chain(b).invoke(QUESTION[0]["content"]).usage_metadata
    equal(usage["total_tokens"], usage["input_tokens"] + usage["output_tokens"])


@case
def langchain_tells_log_probabilities(b):
    answer = chain(b, logprobs=True).invoke(QUESTION[0]["content"])
    assert answer.response_metadata["logprobs"]["content"]


@case
def langchain_completes_a_text(b):
    model = OpenAI(model=b.name, base_url=b.real + "/v1", api_key="none", temperature=0, max_tokens=8)
    assert "Paris" in model.invoke("The capital of France is")


@case
def langchain_speaks_responses(b):
    answer = chain(b, use_responses_api=True, max_tokens=24).invoke(QUESTION[0]["content"])
    assert "Paris" in answer.text if isinstance(answer.text, str) else "Paris" in answer.text()
