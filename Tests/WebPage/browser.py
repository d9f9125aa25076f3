"""Drives Debian's Chromium by the DevTools protocol over a pipe: no packages, no ports."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40, " ": 32}


class Browser:
    """A headless Chromium with a profile of its own."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not program:
            raise SystemExit("no Chromium: apt-get install chromium")
        self.folder = tempfile.mkdtemp(prefix="srt-page.")
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        command = [
            "bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "chromium", program, "--headless=new",
            "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "--no-first-run", "--disable-gpu",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-US",
            "--force-color-profile=srgb", "--disable-dev-shm-usage", "--disable-software-rasterizer"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        self.process = subprocess.Popen(
            command, pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.serial = 0
        self.pages = {}

    def call(self, method, parameters=None, session=None, seconds=60):
        """Sends a command and returns its result."""
        self.serial += 1
        message = {"id": self.serial, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + seconds
        while True:
            answer = self.read(deadline, method)
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def read(self, deadline, what):
        """The next message; events go to their page."""
        while b"\0" not in self.buffer:
            if not select.select([self.input], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no answer to {what}")
            piece = os.read(self.input, 1 << 20)
            if not piece:
                raise AssertionError("the browser ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(message)
        page = self.pages.get(message.get("sessionId"))
        if "method" in message and page:
            page.heard(message["method"], message["params"])
        return message

    def page(self, url, **looks):
        """A page in a window without history, storage or cache of others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, target, session)
        self.pages[session] = page
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.look(**looks)
        page.open(url)
        return page

    def close(self):
        try:
            self.call("Browser.close", seconds=10)
            self.process.wait(10)
        except (AssertionError, subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    """A page: what a person does to it, and what it shows."""

    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session
        self.requests = []
        self.complaints = []

    def call(self, method, parameters=None, seconds=60):
        return self.browser.call(method, parameters, self.session, seconds)

    def heard(self, method, parameters):
        """Keeps requests, and everything that the browser complains of."""
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"])
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            entry = parameters["entry"]
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    def look(self, width=1440, height=900, scale=1, dark=False, touch=False):
        """Sets the size of the window, its colours, and how it is pointed at."""
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": touch})
        self.call("Emulation.setTouchEmulationEnabled", {"enabled": touch})
        self.call("Emulation.setEmulatedMedia", {
            "features": [
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                # Nothing moves: a browser without a graphics card paints every step with the processor.
                {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def open(self, url):
        self.call("Page.navigate", {"url": url})
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, expression, seconds=60):
        """The value of an expression, which may be a promise."""
        result = self.call(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}, seconds)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise AssertionError(f"{expression[:300]}: {details.get('exception', {}).get('description', details['text'])}")
        return result["result"].get("value")

    def until(self, condition, seconds=120):
        """Returns the first value of a condition that is true."""
        deadline = time.monotonic() + seconds
        while True:
            # A page that is left in the meantime takes the promise with it.
            try:
                return self.run(
                    "new Promise((done) => { const look = () => { const value = (() => { try { return "
                    f"{condition}" " } catch { return null } })(); if (value) done(value); else setTimeout(look, 100) };"
                    " look() })", max(0.1, deadline - time.monotonic()))
            except AssertionError as failure:
                if time.monotonic() > deadline:
                    raise AssertionError(f"never true: {condition[:300]}\n{self.text('body')[:1500]}") from failure

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def count(self, selector):
        return self.run(f"document.querySelectorAll({json.dumps(selector)}).length")

    def is_shown(self, selector):
        return self.run(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)}); return !!it && it.checkVisibility() }})()")

    def click(self, selector, words=None):
        """Clicks at the middle of an element, the last one of those with some words where these are given."""
        place = self.until(
            "(() => { const all = [...document.querySelectorAll(" + json.dumps(selector) + ")].filter((one) => "
            "one.checkVisibility() && !one.disabled" + (f" && one.innerText.trim() === {json.dumps(words)}" if words else "")
            + "); const it = all.at(-1); if (!it) return null; it.scrollIntoView({block: 'nearest'}); "
            "const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2] })()", 20)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1})

    def type(self, text):
        self.call("Input.insertText", {"text": text})

    def press(self, key, shift=False):
        text = {"Enter": "\r", " ": " "}.get(key)
        for kind in ("keyDown", "keyUp"):
            event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 * shift}
            if kind == "keyDown" and text:
                event["text"] = text
            self.call("Input.dispatchKeyEvent", event)

    def tab_to(self, condition, most=60):
        """Presses Tab until the focused element, `it`, fits."""
        for _ in range(most):
            self.press("Tab")
            if self.run(f"((it) => Boolean({condition}))(document.activeElement)"):
                return
        raise AssertionError(f"Tab never reaches {condition}")

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", {"format": "png"})["data"]))

    def close(self):
        self.browser.pages.pop(self.session, None)
        self.browser.call("Target.closeTarget", {"targetId": self.target})
