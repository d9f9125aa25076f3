"""The openai package: chats, completions, embeddings' refusal, models, tools, log probabilities, and errors."""
import asyncio
import json

import openai
from cases import CALL, QUESTION, TOOL, case, equal, raises

GREEDY = {"temperature": 0}


def real(b, **more):
    return openai.OpenAI(base_url=b.real + "/v1", api_key="none", max_retries=0, **more)


def echo(b, **more):
    return openai.OpenAI(base_url=b.echo + "/v1", api_key="none", max_retries=0, **more)


def chat(b, **fields):
    return real(b).chat.completions.create(**{"model": b.name, "messages": QUESTION, **GREEDY, "max_tokens": 12, **fields})


def text(b, **fields):
    return real(b).completions.create(**{"model": b.name, "prompt": "The capital of France is", **GREEDY, "max_tokens": 8, **fields})


def said(b, words, **fields):
    return echo(b).chat.completions.create(**{"model": b.name, "messages": b.told(words), **GREEDY, **fields})


def joined(stream):
    """The deltas of the first choice put together: content, thoughts, calls, finish reason."""
    content = thoughts = ""
    calls, finish = {}, None
    for chunk in stream:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            thoughts += getattr(choice.delta, "reasoning_content", None) or ""
            for call in choice.delta.tool_calls or []:
                known = calls.setdefault(call.index, ["", ""])
                known[0] += call.function.name or ""
                known[1] += call.function.arguments or ""
            finish = choice.finish_reason or finish
    return content, thoughts, [calls[k] for k in sorted(calls)], finish


# Chats


@case
def chat_answers(b):
    answer = chat(b)
    assert "Paris" in answer.choices[0].message.content
    equal(answer.choices[0].message.role, "assistant")
    equal(answer.object, "chat.completion")


@case
def chat_counts_tokens(b):
    usage = chat(b).usage
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
    assert usage.prompt_tokens > 10 and 0 < usage.completion_tokens <= 12


@case
def chat_ends_at_its_limit(b):
    answer = chat(b, max_tokens=3)
    equal(answer.choices[0].finish_reason, "length")
    equal(answer.usage.completion_tokens, 3)


@case
def chat_takes_the_newer_limit(b):
    equal(chat(b, max_tokens=openai.NOT_GIVEN, max_completion_tokens=4).usage.completion_tokens, 4)


@case
def chat_stops_at_a_text(b):
    answer = chat(b, stop=["Paris"])
    assert "Paris" not in answer.choices[0].message.content
    equal(answer.choices[0].finish_reason, "stop")


@case
def chat_streams_what_it_answers(b):
    content, _, _, finish = joined(chat(b, stream=True))
    equal(content, chat(b).choices[0].message.content)
    equal(finish, chat(b).choices[0].finish_reason)


@case
def chat_streams_its_usage(b):
    chunks = list(chat(b, stream=True, stream_options={"include_usage": True}))
    equal(chunks[-1].choices, [])
    equal(chunks[-1].usage.completion_tokens, chat(b).usage.completion_tokens)


@case
def chat_streams_usage_in_every_chunk(b):
    chunks = list(chat(b, stream=True, stream_options={"include_usage": True, "continuous_usage_stats": True}))
    counts = [c.usage.completion_tokens for c in chunks if c.usage]
    equal(counts, sorted(counts))
    assert len(counts) > 3


@case
def chat_stream_has_one_id(b):
    equal(len({chunk.id for chunk in chat(b, stream=True)}), 1)


@case
def chat_stream_begins_with_the_role(b):
    first = next(iter(chat(b, stream=True)))
    equal(first.choices[0].delta.role, "assistant")


@case
def chat_stream_can_be_left(b):
    stream = chat(b, stream=True, max_tokens=400)
    next(iter(stream))
    stream.close()
    assert chat(b).choices[0].message.content


@case
def chat_helper_of_the_package_streams(b):
    with real(b).chat.completions.stream(model=b.name, messages=QUESTION, max_tokens=12, **GREEDY) as stream:
        kinds = {event.type for event in stream}
        whole = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds, kinds
    equal(whole.choices[0].message.content, chat(b).choices[0].message.content)


@case
def chat_samples_twice(b):
    answer = chat(b, n=2, temperature=0.9, seed=7)
    equal([choice.index for choice in answer.choices], [0, 1])


@case
def chat_streams_two_samples(b):
    wanted = [c.message.content for c in chat(b, n=2, temperature=0.9, seed=7).choices]
    found = ["", ""]
    for chunk in chat(b, n=2, temperature=0.9, seed=7, stream=True):
        for choice in chunk.choices:
            found[choice.index] += choice.delta.content or ""
    equal(found, wanted)


@case
def chat_repeats_itself_with_a_seed(b):
    texts = {chat(b, temperature=1.0, seed=11).choices[0].message.content for _ in range(2)}
    equal(len(texts), 1)


@case
def chat_obeys_a_bias(b):
    token = b.post(b.real + "/tokenize", {"prompt": " yes", "add_special_tokens": False})["tokens"][0]
    answer = chat(b, logit_bias={str(token): 100}, max_tokens=4)
    equal(answer.choices[0].message.content.split(), ["yes"] * 4)


@case
def chat_takes_penalties(b):
    answer = chat(b, frequency_penalty=1.5, presence_penalty=1.5)
    assert answer.choices[0].message.content


@case
def chat_takes_parts(b):
    parts = [{"role": "user", "content": [{"type": "text", "text": QUESTION[0]["content"]}]}]
    equal(chat(b, messages=parts).choices[0].message.content, chat(b).choices[0].message.content)


@case
def chat_takes_several_turns(b):
    turns = [
        {"role": "system", "content": "You are brief."}, *QUESTION, {"role": "assistant", "content": "Paris."},
        {"role": "user", "content": "And the capital of Italy?"}]
    assert "Rome" in chat(b, messages=turns).choices[0].message.content


@case
def chat_takes_other_fields_of_the_server(b):
    answer = chat(b, extra_body={"top_k": 1, "min_p": 0.1, "ignore_eos": True, "return_token_ids": True}, max_tokens=5)
    equal(len(answer.choices[0].model_extra["response_token_ids"]), 5)


@case
def chat_goes_on_with_the_last_message(b):
    begun = [*QUESTION, {"role": "assistant", "content": "The capital of France is"}]
    answer = chat(b, messages=begun, extra_body={"continue_final_message": True})
    assert "Paris" in answer.choices[0].message.content


@case
def chat_tells_log_probabilities(b):
    answer = chat(b, logprobs=True, top_logprobs=3)
    tokens = answer.choices[0].logprobs.content
    equal(len(tokens), answer.usage.completion_tokens)
    for token in tokens:
        equal(len(token.top_logprobs), 3)
        equal(token.top_logprobs[0].token, token.token)
        assert token.logprob <= 0


@case
def chat_streams_log_probabilities(b):
    wanted = [t.token for t in chat(b, logprobs=True).choices[0].logprobs.content]
    found = []
    for chunk in chat(b, logprobs=True, stream=True):
        for choice in chunk.choices:
            found += [t.token for t in choice.logprobs.content] if choice.logprobs else []
    equal(found, wanted)


@case
def chat_log_probabilities_spell_the_text(b):
    choice = chat(b, logprobs=True).choices[0]
    spelled = b"".join(bytes(t.bytes) for t in choice.logprobs.content).decode()
    assert spelled.startswith(choice.message.content), (choice.message.content, spelled)


@case
def chat_takes_several_at_once(b):
    async def all_of_them():
        client = openai.AsyncOpenAI(base_url=b.real + "/v1", api_key="none")
        one = lambda: client.chat.completions.create(model=b.name, messages=QUESTION, max_tokens=12, **GREEDY)
        return await asyncio.gather(*(one() for _ in range(8)))

    texts = {answer.choices[0].message.content for answer in asyncio.run(all_of_them())}
    equal(texts, {chat(b).choices[0].message.content})


@case
def chat_streams_without_waiting_threads(b):
    async def one():
        client = openai.AsyncOpenAI(base_url=b.real + "/v1", api_key="none")
        stream = await client.chat.completions.create(
            model=b.name, messages=QUESTION, max_tokens=12, stream=True, **GREEDY)
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    equal(asyncio.run(one()), chat(b).choices[0].message.content)


@case
def chat_raw_answer_has_headers(b):
    raw = real(b).chat.completions.with_raw_response.create(model=b.name, messages=QUESTION, max_tokens=2)
    assert raw.headers["content-type"].startswith("application/json")
    assert raw.parse().choices


# Refusals


@case
def empty_conversation_is_a_bad_request(b):
    raises(openai.BadRequestError, lambda: chat(b, messages=[]), "Messages cannot be empty")


@case
def wrong_temperature_is_a_bad_request(b):
    raises(openai.BadRequestError, lambda: chat(b, temperature=-1), "temperature")


@case
def unknown_role_is_a_bad_request(b):
    raises(openai.BadRequestError, lambda: chat(b, messages=[{"role": "clown", "content": "?"}]), "role")


@case
def image_is_a_bad_request(b):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    raises(
        openai.BadRequestError, lambda: chat(b, messages=[{"role": "user", "content": [image]}]), "image_url")


@case
def too_long_prompt_is_a_bad_request(b):
    raises(openai.BadRequestError, lambda: chat(b, messages=[{"role": "user", "content": "word " * 40000}]), "context")


@case
def bad_request_has_its_parts(b):
    error = raises(openai.BadRequestError, lambda: chat(b, messages=[]))
    equal(error.status_code, 400)
    equal(error.body["code"], 400)
    equal(error.body["type"], "BadRequestError")


@case
def failed_stream_raises_before_it_begins(b):
    raises(openai.BadRequestError, lambda: list(chat(b, messages=[], stream=True)))


# Tools and thoughts


@case
def tool_is_called(b):
    choice = said(b, CALL, tools=[TOOL]).choices[0]
    equal(choice.finish_reason, "tool_calls")
    equal(choice.message.tool_calls[0].function.name, "add")
    equal(json.loads(choice.message.tool_calls[0].function.arguments), {"a": 1, "b": 2})
    assert choice.message.tool_calls[0].id.startswith("call_")


@case
def tool_call_streams(b):
    _, _, calls, finish = joined(said(b, CALL, tools=[TOOL], stream=True))
    equal([(name, json.loads(arguments)) for name, arguments in calls], [("add", {"a": 1, "b": 2})])
    equal(finish, "tool_calls")


@case
def two_tools_are_called(b):
    two = CALL + "\n" + CALL.replace('"b": 2', '"b": 40')
    calls = said(b, two, tools=[TOOL]).choices[0].message.tool_calls
    equal([json.loads(c.function.arguments)["b"] for c in calls], [2, 40])
    equal(len({c.id for c in calls}), 2)
    _, _, streamed, _ = joined(said(b, two, tools=[TOOL], stream=True))
    equal([a for _, a in streamed], [c.function.arguments for c in calls])


@case
def tool_is_not_called_when_there_is_none(b):
    message = said(b, CALL).choices[0].message
    equal(message.tool_calls, None)
    assert "<tool_call>" in message.content + (message.model_extra.get("reasoning_content") or "")


@case
def tool_is_not_called_when_none_is_wanted(b):
    equal(said(b, CALL, tools=[TOOL], tool_choice="none").choices[0].message.tool_calls, None)


@case
def tool_result_goes_back(b):
    call = said(b, CALL, tools=[TOOL]).choices[0].message
    history = [
        *QUESTION, call.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}),
        {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "3"}, *b.told("three")]
    answer = echo(b).chat.completions.create(
        model=b.name, messages=history, tools=[TOOL], extra_body={"chat_template_kwargs": {"enable_thinking": False}},
        **GREEDY)
    equal(answer.choices[0].message.content, "three")


@case
def tool_arguments_keep_other_letters(b):
    call = '<tool_call>\n{"name": "add", "arguments": {"a": "Gr\\u00fc\\u00dfe, 水位", "b": [1, null]}}\n</tool_call>'
    arguments = said(b, call, tools=[TOOL]).choices[0].message.tool_calls[0].function.arguments
    equal(json.loads(arguments), {"a": "Grüße, 水位", "b": [1, None]})


@case
def tool_helper_of_the_package_parses(b):
    strict = json.loads(json.dumps(TOOL))
    strict["function"]["strict"] = True
    strict["function"]["parameters"]["additionalProperties"] = False
    with echo(b).chat.completions.stream(model=b.name, messages=b.told(CALL), tools=[TOOL], **GREEDY) as stream:
        whole = stream.get_final_completion()
    equal(whole.choices[0].message.tool_calls[0].function.name, "add")


@case
def thoughts_are_told_apart(b):
    message = said(b, "<think>\nhm\n</think>\n\nYes.").choices[0].message
    equal(message.model_extra["reasoning_content"], "\nhm\n")
    equal(message.content, "\n\nYes.")


@case
def thoughts_stream_apart(b):
    content, thoughts, _, _ = joined(said(b, "<think>\nhm\n</think>\n\nYes.", stream=True))
    equal((thoughts, content), ("\nhm\n", "\n\nYes."))


@case
def thoughts_stay_in_the_text_when_asked(b):
    message = said(b, "<think>hm</think>Yes.", extra_body={"separate_reasoning": False}).choices[0].message
    equal(message.content, "<think>hm</think>Yes.")


@case
def thoughts_are_counted(b):
    usage = said(b, "<think>\nhm\n</think>\n\nYes.").usage
    assert 0 < usage.completion_tokens_details.reasoning_tokens < usage.completion_tokens
    equal(usage.model_extra["reasoning_tokens"], usage.completion_tokens_details.reasoning_tokens)


@case
def thoughts_and_calls_come_together(b):
    message = said(b, "<think>\nhm\n</think>\n\n" + CALL, tools=[TOOL]).choices[0].message
    equal(message.model_extra["reasoning_content"], "\nhm\n")
    equal(message.tool_calls[0].function.name, "add")


@case
def thoughts_can_be_switched_off(b):
    message = said(b, "Hello", extra_body={"chat_template_kwargs": {"enable_thinking": False}}).choices[0].message
    equal((message.content, message.model_extra["reasoning_content"]), ("Hello", None))


@case
def effort_switches_thoughts_off(b):
    equal(said(b, "Hello", reasoning_effort="none").choices[0].message.content, "Hello")


# Completions


@case
def completion_answers(b):
    assert "Paris" in text(b).choices[0].text


@case
def completion_has_sixteen_tokens(b):
    equal(text(b, max_tokens=openai.NOT_GIVEN).usage.completion_tokens, 16)


@case
def completion_streams_what_it_answers(b):
    equal("".join(c.choices[0].text for c in text(b, stream=True) if c.choices), text(b).choices[0].text)


@case
def completion_streams_its_usage(b):
    chunks = list(text(b, stream=True, stream_options={"include_usage": True}))
    equal(chunks[-1].usage.completion_tokens, 8)


@case
def completion_takes_several_prompts(b):
    answer = text(b, prompt=["The capital of France is", "Two and two are"], n=2)
    equal([c.index for c in answer.choices], [0, 1, 2, 3])


@case
def completion_takes_ids(b):
    ids = b.post(b.real + "/tokenize", {"prompt": "The capital of France is"})["tokens"]
    equal(text(b, prompt=ids).choices[0].text, text(b).choices[0].text)


@case
def completion_takes_lists_of_ids(b):
    ids = b.post(b.real + "/tokenize", {"prompt": "The capital of France is"})["tokens"]
    equal({c.text for c in text(b, prompt=[ids, ids]).choices}, {text(b).choices[0].text})


@case
def completion_repeats_its_prompt(b):
    equal(text(b, echo=True).choices[0].text, "The capital of France is" + text(b).choices[0].text)


@case
def completion_tells_log_probabilities(b):
    found = text(b, logprobs=2).choices[0].logprobs
    equal(len(found.tokens), 8)
    equal([len(top) for top in found.top_logprobs], [2] * 8)
    equal("".join(found.tokens), text(b).choices[0].text)


@case
def completion_scores_its_prompt(b):
    found = text(b, logprobs=0, echo=True, max_tokens=1).choices[0].logprobs
    equal(found.token_logprobs[0], None)
    assert all(value <= 0 for value in found.token_logprobs[1:])
    equal("".join(found.tokens), text(b, echo=True, max_tokens=1).choices[0].text)


@case
def completion_stops_at_a_text(b):
    equal(text(b, stop=" Paris").choices[0].text, "")


@case
def completion_refuses_no_tokens(b):
    raises(openai.BadRequestError, lambda: text(b, max_tokens=0), "max_tokens must be positive")


@case
def completion_refuses_an_empty_prompt(b):
    raises(openai.BadRequestError, lambda: text(b, prompt=""), "Prompt cannot be empty")


@case
def completion_takes_several_at_once(b):
    async def all_of_them():
        client = openai.AsyncOpenAI(base_url=b.real + "/v1", api_key="none")
        one = lambda: client.completions.create(
            model=b.name, prompt="The capital of France is", max_tokens=8, **GREEDY)
        return await asyncio.gather(*(one() for _ in range(8)))

    equal({a.choices[0].text for a in asyncio.run(all_of_them())}, {text(b).choices[0].text})


# Models and what this model is not


@case
def models_are_listed(b):
    equal([model.id for model in real(b).models.list()], [b.name])


@case
def model_is_described(b):
    equal(real(b).models.retrieve(b.name).owned_by, "sglang")


@case
def unknown_model_is_not_found(b):
    raises(openai.NotFoundError, lambda: real(b).models.retrieve("other"), "does not exist")


@case
def embedding_is_refused_by_a_generating_server(b):
    raises(openai.BadRequestError, lambda: real(b).embeddings.create(model=b.name, input="x"))
