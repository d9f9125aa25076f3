"""The openai package's newer interface: responses, their events, and their store."""
import json
import time

import openai
from cases import CALL, case, equal, raises
from openai_cases import echo, real

TOOL = {"type": "function", "name": "add", "description": "Adds.", "strict": False, "parameters": {
    "type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}}
INPUT = "Name the capital of France in a full sentence."


def respond(b, **fields):
    return real(b).responses.create(**{"model": b.name, "input": INPUT, "temperature": 0, "max_output_tokens": 24, **fields})


@case
def response_answers(b):
    answer = respond(b)
    assert "Paris" in answer.output_text
    equal(answer.object, "response")
    assert answer.id.startswith("resp_")


@case
def response_counts_tokens(b):
    usage = respond(b).usage
    equal(usage.total_tokens, usage.input_tokens + usage.output_tokens)


@case
def response_is_incomplete_at_its_limit(b):
    answer = respond(b, max_output_tokens=6, extra_body={"ignore_eos": True})
    equal((answer.status, answer.incomplete_details.reason), ("incomplete", "max_output_tokens"))


@case
def response_takes_instructions(b):
    assert respond(b, instructions="You are a guide of France.").output_text


@case
def response_takes_items(b):
    items = [{"role": "user", "content": [{"type": "input_text", "text": INPUT}]}]
    equal(respond(b, input=items).output_text, respond(b).output_text)


@case
def response_streams_what_it_answers(b):
    kinds, text, last = [], "", None
    for event in respond(b, stream=True):
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
        last = event
    equal(kinds[:2], ["response.created", "response.in_progress"])
    equal(text, respond(b).output_text)
    equal(last.response.output_text, text)


@case
def response_events_are_numbered(b):
    numbers = [event.sequence_number for event in respond(b, stream=True)]
    equal(numbers, list(range(len(numbers))))


@case
def response_helper_of_the_package_streams(b):
    with real(b).responses.stream(model=b.name, input=INPUT, temperature=0, max_output_tokens=24) as stream:
        for _ in stream:
            pass
        equal(stream.get_final_response().output_text, respond(b).output_text)


@case
def response_calls_a_tool(b):
    answer = echo(b).responses.create(model=b.name, input=b.saying("<think>hm</think>" + CALL), tools=[TOOL], temperature=0)
    call = next(item for item in answer.output if item.type == "function_call")
    equal((call.name, json.loads(call.arguments)), ("add", {"a": 1, "b": 2}))
    equal(answer.output[0].type, "reasoning")


@case
def response_streams_a_tool_call(b):
    arguments = ""
    for event in echo(b).responses.create(
            model=b.name, input=b.saying("<think>hm</think>" + CALL), tools=[TOOL], temperature=0, stream=True):
        if event.type == "response.function_call_arguments.delta":
            arguments += event.delta
    equal(json.loads(arguments), {"a": 1, "b": 2})


@case
def response_counts_thoughts(b):
    usage = echo(b).responses.create(model=b.name, input=b.saying("<think>hm</think>Yes."), temperature=0).usage
    assert 0 < usage.output_tokens_details.reasoning_tokens < usage.output_tokens


@case
def response_of_an_unknown_model_is_not_found(b):
    raises(openai.NotFoundError, lambda: respond(b, model="other"))


@case
def response_can_be_fetched(b):
    answer = respond(b)
    again = real(b).responses.retrieve(answer.id)
    equal((again.id, again.output_text, again.status), (answer.id, answer.output_text, answer.status))


@case
def streamed_response_can_be_fetched(b):
    last = None
    for event in respond(b, stream=True):
        last = event
    equal(real(b).responses.retrieve(last.response.id).output_text, last.response.output_text)


@case
def response_goes_on_from_an_earlier_one(b):
    first = respond(b)
    second = respond(b, input="And of Italy?", previous_response_id=first.id)
    equal(second.previous_response_id, first.id)
    assert second.usage.input_tokens > first.usage.input_tokens + 5
    assert "Rome" in second.output_text, second.output_text


@case
def response_that_is_not_stored_is_not_found(b):
    answer = respond(b, store=False)
    raises(openai.NotFoundError, lambda: real(b).responses.retrieve(answer.id))


@case
def response_can_be_made_in_the_background(b):
    answer = respond(b, background=True)
    assert answer.status in ("queued", "in_progress", "completed")
    end = time.monotonic() + 60
    while answer.status in ("queued", "in_progress") and time.monotonic() < end:
        time.sleep(0.05)
        answer = real(b).responses.retrieve(answer.id)
    equal((answer.status, answer.output_text), ("completed", respond(b).output_text))


@case
def response_in_the_background_can_be_cancelled(b):
    answer = respond(b, background=True, max_output_tokens=1500, extra_body={"ignore_eos": True})
    equal(real(b).responses.cancel(answer.id).status, "cancelled")
    equal(real(b).responses.retrieve(answer.id).status, "cancelled")


@case
def response_can_be_deleted(b):
    answer = respond(b)
    real(b).responses.delete(answer.id)
    raises(openai.NotFoundError, lambda: real(b).responses.retrieve(answer.id))


@case
def earlier_response_that_is_not_there_is_not_found(b):
    raises(openai.NotFoundError, lambda: respond(b, previous_response_id="resp_none"))
