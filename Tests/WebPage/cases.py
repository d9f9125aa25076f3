"""The tests of the page, in the order in which they run. Each gets a `Bench`."""

import json
import os
import re
import urllib.error
import urllib.request

import scenes
from page_test import ENCODER, HERE, begin, finished, last_answer, last_body, say


def test_loads_from_the_server_alone_and_without_complaints(bench):
    server = bench.server()
    page = bench.page()
    page.until("document.getElementById('welcome').checkVisibility()")
    page.until("document.querySelectorAll('.process').length === 4")
    assert page.text("#model-name") == "echo"
    assert page.text("#status-text") == "Ready"
    outside = [one["url"] for one in page.requests if not one["url"].startswith(server.address)]
    assert not outside, outside
    assert not page.complaints, page.complaints
    page.close()


def test_markdown_has_its_elements(bench):
    page = bench.page()
    cases = json.load(open(os.path.join(HERE, "markdown.json"), encoding="utf-8"))
    wrong = page.run(
        "import('/page/markdown.js').then(({markdown}) => { const wrong = []; for (const [text, html] of "
        f"{json.dumps(cases)}" ") { const place = document.createElement('div'); place.append(markdown(text)); "
        "for (const one of place.querySelectorAll('.code-head')) one.remove(); "
        "const got = place.innerHTML.replace(/ (target|rel|tabindex|role|aria-label)=\"[^\"]*\"/g, ''); "
        "if (got !== html) wrong.push([text, html, got]) } return wrong })")
    assert not wrong, "\n".join(map(str, wrong))
    page.close()


def test_markdown_is_the_same_however_it_arrives(bench):
    page = bench.page()
    wrong = page.run(
        "import('/page/markdown.js').then(({MarkdownView, markdown}) => { const wrong = []; for (const text of "
        f"{json.dumps([scenes.MARKDOWN, scenes.ATTACK, scenes.LONG])}" ") { const place = document.createElement('div'); "
        "const view = new MarkdownView(place); const whole = document.createElement('div'); whole.append(markdown(text)); "
        "for (let end = 0; end <= text.length; end++) { view.update(text.slice(0, end)); } "
        "if (place.innerHTML !== whole.innerHTML) wrong.push(text.slice(0, 40)) } return wrong })")
    assert not wrong, wrong
    page.close()


def test_hostile_markdown_ends_and_stays_shallow(bench):
    page = bench.page()
    hostile = ["[" * 20000, "*" * 20000, "**a " * 8000, "`" * 9999 + " " + "`" * 9998, "> " * 5000, "- " * 5000, "_a_" * 9000,
               "[a](" * 8000, "<" * 20000, "|" * 5000 + "\n" + "|-" * 2500, "http://" * 5000, "~~a" * 8000, "\\" * 20001,
               "- a\n\n" * 3000, "a\n> b\n" * 3000, "![" * 10000, "*a **b " * 5000, "# " * 9000, "1. " * 5000, "![a](b \"" * 4000]
    deep = page.run(
        "import('/page/markdown.js').then(({markdown}) => { const deep = []; for (const text of "
        f"{json.dumps(hostile)}" ") { const place = document.createElement('div'); place.append(markdown(text)); let most = 0; "
        "for (let [one, depth] = [place, 0]; one;) { most = Math.max(most, depth); "
        "if (one.firstElementChild) { one = one.firstElementChild; depth++ } else { "
        "while (one && one !== place && !one.nextElementSibling) { one = one.parentElement; depth-- } "
        "one = one === place ? null : one?.nextElementSibling } } "
        "if (most > 450 || !place.childNodes.length) deep.push([text.slice(0, 12), most]) } return deep })", 300)
    assert not deep, deep
    page.close()


def test_an_answer_streams_with_its_figures(bench):
    server = bench.server()
    page = bench.page()
    server.slow_down(0.02)
    begin(page, "long")
    page.until("document.querySelector('.answer.is-running .words').innerText.length > 60")
    early = last_answer(page)
    assert early and len(early) < len(scenes.LONG) / 2, len(early)
    assert page.is_shown("#stop") and not page.is_shown("#send")
    page.until(f"document.querySelector('.answer .words').innerText.length > {len(early)}")
    server.slow_down(0)
    finished(page)
    assert last_answer(page) == scenes.LONG
    figures = page.text(".answer .figures")
    assert re.fullmatch(r"[\d,]+ tokens · [\d,.]+ tokens/s · first after [\d.]+ m?s", figures), figures
    assert page.text("#announcements").startswith("Answer complete"), page.text("#announcements")
    assert not page.complaints, page.complaints
    page.close()


def test_stop_keeps_what_came_and_continue_goes_on(bench):
    server = bench.server()
    page = bench.page()
    server.slow_down(0.02)
    begin(page, "long")
    page.until("document.querySelector('.answer .words').innerText.length > 40")
    page.click("#stop")
    finished(page)
    server.slow_down(0)
    part = last_answer(page)
    assert scenes.LONG.startswith(part) and len(part) < len(scenes.LONG)
    assert "stopped" in page.text(".answer .figures")
    page.click(".answer .actions button", "Continue")
    page.until(f"document.querySelector('.answer .words').innerText.length > {len(part)}")
    finished(page)
    assert last_answer(page) == scenes.LONG
    body = last_body(page)
    assert body["continue_final_message"] is True and body["messages"][-1]["role"] == "assistant"
    page.close()


def test_regenerate_keeps_versions(bench):
    page = bench.page()
    say(page, "say first")
    page.click(".answer .actions button", "Regenerate")
    page.until("document.querySelector('.versions .place')?.innerText === '2/2'")
    finished(page)
    page.click(".versions button", "‹")
    page.until("document.querySelector('.versions .place').innerText === '1/2'")
    assert last_answer(page) == "first"
    assert page.count(".answer") == 1
    page.close()


def test_edit_answers_anew_and_can_be_undone(bench):
    page = bench.page()
    say(page, "say one")
    say(page, "say two")
    page.run("document.querySelector('.message').scrollIntoView()")
    page.run("[...document.querySelectorAll('.message .actions button')][0].click()")
    page.until("document.activeElement.classList.contains('edit-text')")
    page.run("document.activeElement.select()")
    page.type("say three")
    page.press("Enter")
    page.until("document.querySelectorAll('.turn').length === 2")
    finished(page)
    assert last_answer(page) == "three"
    page.click("#toast button", "Undo")
    page.until("document.querySelectorAll('.turn').length === 4")
    assert last_answer(page) == "two"
    page.close()


def test_settings_go_with_the_request(bench):
    page = bench.page()
    page.until("document.getElementById('settings').checkVisibility()")
    for name, value in (("system", "Be brief, like a telegram."), ("temperature", "0.5"), ("top_k", "3"), ("max_tokens", "9"),
                        ("stop", "xx\nyy")):
        page.click(f"#set-{name}")
        page.type(value)
    page.run("(() => { const it = document.getElementById('set-thinking'); it.value = 'none'; "
             "it.dispatchEvent(new Event('input', {bubbles: true})) })()")
    say(page, "system")
    body = last_body(page)
    assert body["messages"][0] == {"role": "system", "content": "Be brief, like a telegram."}
    assert (body["temperature"], body["top_k"], body["max_tokens"]) == (0.5, 3, 9)
    assert body["stop"] == ["xx", "yy"] and body["reasoning_effort"] == "none" and "top_p" not in body
    assert last_answer(page) == "Be brief,"
    assert "ended at the longest answer" in page.text(".figures")
    page.open(bench.server().address)
    page.until("document.querySelector('.answer')")
    assert last_answer(page) == "Be brief," and page.run("document.getElementById('set-top_k').value") == "3"
    page.close()


def test_a_refusal_is_shown_where_the_answer_would_be(bench):
    page = bench.page()
    page.click("#set-top_p")
    page.type("7")
    say(page, "say hello")
    assert "top_p" in page.text(".answer .problem"), page.text(".answer")
    page.run("(() => { const it = document.getElementById('set-top_p'); it.value = ''; "
             "it.dispatchEvent(new Event('input', {bubbles: true})) })()")
    page.click(".problem button", "Try again")
    page.until("document.querySelector('.answer .words').innerText === 'hello'")
    assert not page.is_shown(".answer .problem")
    page.close()


def test_thoughts_are_folded(bench):
    page = bench.page()
    say(page, "think")
    assert last_answer(page) == "Good morning! What shall we look at?"
    assert page.text(".thoughts summary").startswith("Thought"), page.text(".thoughts summary")
    assert not page.is_shown(".thought-text")
    page.click(".thoughts summary")
    page.until("document.querySelector('.thought-text').checkVisibility()")
    assert "<b>no</b> tools" in page.text(".thought-text")
    page.close()


def test_what_a_model_says_stays_text(bench):
    page = bench.page()
    say(page, "attack")
    allowed = {"P", "A", "DIV", "PRE", "CODE", "SPAN", "BUTTON", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "STRONG"}
    found = set(page.run("[...document.querySelectorAll('.words *')].map((one) => one.tagName)"))
    assert found <= allowed, found - allowed
    links = page.run("[...document.querySelectorAll('.words a')].map((one) => [one.protocol, one.rel, one.getAttributeNames().sort()])")
    assert links and all(link[0] == "https:" and "noopener" in link[1] for link in links), links
    assert all(link[2] == ["href", "rel", "target"] for link in links), links
    page.run("for (const one of document.querySelectorAll('.words *')) for (const name of ['click', 'mouseover', 'error', 'load']) "
             "if (!['A', 'BUTTON'].includes(one.tagName)) one.dispatchEvent(new Event(name))")
    assert page.run("window.stolen") is None
    assert not [one for one in page.requests if "evil" in one["url"]]
    assert "<script>window.stolen = 1</script>" in last_answer(page)
    assert not page.complaints, page.complaints
    page.close()


def test_the_policy_stops_markup_that_slips_through(bench):
    page = bench.page()
    thrown = page.run("(() => { try { document.body.innerHTML = '<b>x</b>' } catch (error) { return error.name } })()")
    assert thrown == "TypeError", thrown
    page.run("(() => { const it = document.createElement('script'); try { it.text = 'window.stolen = 1' } catch { } "
             "document.body.append(it) })()")
    assert page.run("window.stolen") is None
    assert page.run("fetch('https://evil.invalid/').then(() => 'sent', () => 'refused')") == "refused"
    page.close()


def test_works_by_keyboard_alone(bench):
    server = bench.server()
    page = bench.page()
    page.until("document.activeElement.id === 'message'")
    page.type("say one")
    page.press("Enter", shift=True)
    page.type("two")
    page.press("Enter")
    page.until("document.querySelector('.answer .words')?.innerText === 'one\\ntwo'")
    finished(page)
    page.press("ArrowUp")
    page.until("document.activeElement.classList.contains('edit-text')")
    page.press("Escape")
    page.until("document.activeElement.innerText === 'Edit'")
    page.tab_to("it.innerText === 'Regenerate'")
    page.press("Enter")
    page.until("document.querySelector('.place')?.innerText === '2/2'")
    finished(page)
    page.tab_to("it.id === 'message'")
    server.slow_down(0.02)
    page.type("long")
    page.press("Enter")
    page.until("[...document.querySelectorAll('.answer .words')].at(-1).innerText.startsWith('Line 1')")
    page.press("Escape")
    finished(page)
    server.slow_down(0)
    assert "stopped" in page.run("[...document.querySelectorAll('.figures')].at(-1).innerText")
    page.tab_to("it.classList.contains('skip')")
    page.press("Enter")
    page.tab_to("it.id === 'send'")
    page.close()


def test_every_control_has_a_name(bench):
    page = bench.page()
    say(page, "markdown")
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "textbox", "link", "spinbutton", "combobox", "checkbox", "dialog", "region", "image", "article"}
    nameless = [node["role"]["value"] for node in nodes
                if not node.get("ignored") and node.get("role", {}).get("value") in roles
                and not node.get("name", {}).get("value")]
    assert not nameless, nameless
    page.close()


def test_the_worker_dies_in_the_middle_of_an_answer(bench):
    server = bench.server()
    page = bench.page()
    server.slow_down(0.02)
    begin(page, "long")
    page.until("document.querySelector('.answer .words').innerText.length > 80")
    before = server.pid("scheduler")
    server.kill("scheduler")
    page.until("document.querySelector('.process[data-name=scheduler] .process-exit')?.innerText.startsWith('killed by SIGKILL')")
    server.slow_down(0)
    finished(page)
    assert server.pid("scheduler") != before
    assert last_answer(page) == scenes.LONG
    assert not page.is_shown(".answer .problem")
    assert "restart" in page.text(".process[data-name=scheduler]")
    page.close()


def test_the_front_dies_in_the_middle_of_an_answer(bench):
    server = bench.server()
    page = bench.page()
    server.slow_down(0.02)
    begin(page, "long")
    page.until("document.querySelector('.answer .words').innerText.length > 80")
    server.kill("http")
    page.until("document.querySelector('.answer .problem').checkVisibility()")
    assert "What was written is kept." in page.text(".answer .problem")
    bench.picture(page, "front-died")
    part = last_answer(page)
    server.slow_down(0)
    page.click(".problem button", "Continue")
    page.until("document.querySelector('.answer .words').innerText.includes('Line 12 of')")
    finished(page)
    assert last_answer(page) == scenes.LONG and len(part) < len(scenes.LONG)
    assert not page.is_shown(".answer .problem")
    page.until("document.getElementById('status-text').innerText === 'Ready'")
    page.close()


def test_a_server_that_is_gone_is_told_and_found_again(bench):
    server = bench.server()
    page = bench.page()
    page.until("document.getElementById('status-text').innerText === 'Ready'")
    page.call("Network.emulateNetworkConditions", {
        "offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
    page.until("document.getElementById('banner').checkVisibility()")
    begin(page, "say again")
    page.until("document.querySelector('.answer .problem').checkVisibility()")
    page.call("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
    page.until("!document.getElementById('banner').checkVisibility()")
    page.click(".problem button", "Try again")
    page.until("document.querySelector('.answer .words').innerText === 'again'")
    assert server.process.poll() is None
    page.close()


def test_live_state_follows_the_load(bench):
    page = bench.page()
    say(page, "long")
    page.until("[...document.querySelectorAll('.chart-value')].every((one) => one.innerText)")
    page.until("document.querySelector('.is-written').getAttribute('d').split('L').length > 4")
    titles = page.run("[...document.querySelectorAll('.chart-title')].map((one) => one.innerText)")
    assert titles == ["Written", "Prompts read", "Requests", "KV cache"], titles
    labels = page.run("[...document.querySelectorAll('.chart svg')].map((one) => one.getAttribute('aria-label'))")
    assert all("Now:" in label for label in labels), labels
    assert "cached" in page.text("#charts")
    page.close()


def test_a_key_is_asked_for_and_kept_as_told(bench):
    server = bench.server("--api-key", "sesame")
    page = bench.page(server)
    page.until("document.getElementById('key-dialog').open")
    bench.picture(page, "key")
    page.until("document.activeElement.id === 'key'")
    page.type("wrong")
    page.press("Enter")
    page.until("document.getElementById('key-wrong').checkVisibility()")
    page.type("sesame")
    page.press("Enter")
    page.until("document.getElementById('welcome').checkVisibility()")
    say(page, "say hello")
    assert last_answer(page) == "hello"
    stored = page.run("JSON.stringify(sessionStorage) + JSON.stringify(localStorage) + document.cookie")
    assert "sesame" not in stored, stored
    page.open(server.address)
    page.until("document.getElementById('key-dialog').open")
    page.click("#key-kept")
    page.click("#key")
    page.type("sesame")
    page.press("Enter")
    page.until("!document.getElementById('key-dialog').open")
    page.open(server.address)
    page.until("document.querySelector('.answer')")
    assert "sesame" in page.run("JSON.stringify(sessionStorage)") and "sesame" not in page.run("JSON.stringify(localStorage)")
    page.close()


def test_the_page_of_an_encoder_offers_no_chat(bench):
    page = bench.page(bench.server("--is-embedding", model=ENCODER))
    page.until("document.getElementById('welcome').checkVisibility()")
    assert "makes vectors" in page.text("#welcome-title")
    assert not page.is_shown("#composer") and not page.is_shown("#settings") and "v1/embeddings" in page.text("#from-code")
    bench.picture(page, "encoder")
    page.close()


def test_a_phone_has_one_thing_at_a_time(bench):
    page = bench.page(width=390, height=844, scale=2, touch=True)
    page.until("document.getElementById('composer').checkVisibility()")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    assert not page.is_shown("#server") and not page.is_shown("#settings")
    page.click("#server-toggle")
    page.until("document.activeElement.classList.contains('rail-close') && document.getElementById('main').inert")
    page.until("document.querySelectorAll('.process').length === 4")
    page.press("Escape")
    page.until("document.activeElement.id === 'server-toggle' && !document.getElementById('main').inert")
    page.click("#message")
    say(page, "markdown")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    small = page.run("[...document.querySelectorAll('.bar button, #send')].filter((one) => one.checkVisibility() && "
                     "one.getBoundingClientRect().height < 40).map((one) => one.id)")
    assert not small, small
    page.close()


def test_the_endpoints_are_shown(bench):
    page = bench.page(path="docs")
    page.until("document.querySelectorAll('.endpoint').length > 60")
    page.click("#filter")
    page.type("v1/chat/completions")
    page.until("[...document.querySelectorAll('.endpoint')].filter((one) => one.checkVisibility()).length <= 3")
    page.click(".endpoint summary")
    page.until("document.querySelector('.endpoint[open] table')")
    assert "messages" in page.text(".endpoint[open]")
    assert not page.complaints, page.complaints
    page.close()


def test_pictures(bench):
    """What designers look at; nothing without --pictures."""
    if not bench.pictures:
        return
    server = bench.server()
    sizes = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844, "scale": 2, "touch": True},
             "laptop": {"width": 1100, "height": 720}}
    for size, look in sizes.items():
        for dark in (False, True):
            name = f"{size}-{'dark' if dark else 'light'}"
            page = bench.page(dark=dark, **look)
            page.until("document.getElementById('welcome').checkVisibility()")
            page.until("document.getElementById('facts').childElementCount > 0")
            bench.picture(page, f"{name}-welcome")
            if size == "phone":
                for rail in ("server", "settings"):
                    page.click(f"#{rail}-toggle")
                    page.until(f"document.getElementById('{rail}').checkVisibility()")
                    if rail == "server":
                        page.until("document.querySelectorAll('.process').length === 4")
                    bench.picture(page, f"{name}-{rail}")
                    page.press("Escape")
            say(page, "Why is the sky blue?")
            say(page, "How do I find leap years?")
            page.run("document.getElementById('scroll').scrollTop = 200")
            bench.picture(page, f"{name}-markdown")
            say(page, "Good morning")
            server.slow_down(0.03)
            begin(page, "long")
            page.until("[...document.querySelectorAll('.answer .words')].at(-1).innerText.length > 250")
            bench.picture(page, f"{name}-stream")
            if size == "desktop" and not dark:
                server.kill("scheduler")
                page.until("document.querySelector('.process[data-name=scheduler] .process-exit')")
                bench.picture(page, f"{name}-killed")
            server.slow_down(0)
            finished(page)
            page.close()
            page = bench.page(path="docs", dark=dark, **look)
            page.until("document.querySelectorAll('.endpoint').length > 60")
            page.run("document.querySelector('.endpoint').open = true")
            bench.picture(page, f"{name}-docs")
            page.close()
