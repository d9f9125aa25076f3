#!/usr/bin/env python3
"""Uses the server's page as people do, in headless Chromium: `make page-test`, or page_test.py SRT [NAME …] [--pictures FOLDER]."""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

import echo_model
import scenes
from browser import Browser

HERE = os.path.dirname(os.path.abspath(__file__))
ENCODER = os.path.join(os.path.dirname(HERE), "Fixtures", "bert-mean")


class Server:
    """A running `srt` on a port of its own."""

    def __init__(self, program, model, *flags):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/"
        self.key = flags[flags.index("--api-key") + 1] if "--api-key" in flags else None
        self.process = subprocess.Popen(
            [program, "launch_server", "--model-path", model, "--port", str(port), "--served-model-name", "echo", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if "ready to roll" in line:
                break
        else:
            raise SystemExit("".join(lines[-20:]))
        # What it writes from now on nobody reads.
        threading.Thread(target=lambda: self.process.stderr.read(), daemon=True).start()

    def ask(self, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address + path, body, headers), timeout=60) as answer:
            return answer.read()

    def pid(self, name):
        return next(one["pid"] for one in json.loads(self.ask("v1/processes")) if one["name"] == name)

    def kill(self, name):
        os.kill(self.pid(name), signal.SIGKILL)

    def slow_down(self, seconds):
        """Has every step of the model take some seconds more, so that there is time to do something in the middle."""
        self.ask("slow_down", {"forward_sleep_time": seconds})

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Bench:
    """What the tests share: a browser, and servers that are started when they are needed."""

    def __init__(self, program, pictures):
        self.program, self.pictures = program, pictures
        self.folder = tempfile.mkdtemp(prefix="srt-echo.")
        echo_model.write(self.folder, scenes.ANSWERS)
        self.servers = {}
        self.browser = Browser()

    def server(self, *flags, model=None):
        key = (model, flags)
        if key not in self.servers:
            if model is None:
                flags = (*flags, "--reasoning-parser", "qwen3", "--dtype", "float32", "--max-total-tokens", "40000")
            self.servers[key] = Server(self.program, model or self.folder, *flags)
        return self.servers[key]

    def page(self, server=None, path="", **looks):
        return self.browser.page((server or self.server()).address + path, **looks)

    def picture(self, page, name):
        if self.pictures:
            page.picture(os.path.join(self.pictures, name + ".png"))

    def close(self):
        self.browser.close()
        for server in self.servers.values():
            server.stop()
        shutil.rmtree(self.folder)


def say(page, text):
    """Sends a message and waits for the end of its answer."""
    begin(page, text)
    finished(page)


def begin(page, text):
    page.until("document.getElementById('composer').checkVisibility() && document.getElementById('message').focus() === undefined")
    page.type(text)
    # On a phone Enter begins a line.
    if page.run("matchMedia('(pointer: coarse)').matches"):
        page.click("#send")
    else:
        page.press("Enter")


def finished(page):
    page.until("document.querySelector('.answer') && !document.querySelector('.answer.is-running')")


def last_answer(page):
    return page.run("[...document.querySelectorAll('.answer .words')].at(-1).innerText")


def last_body(page):
    """The newest request for an answer, as the page sent it."""
    return json.loads([one for one in page.requests if one["url"].endswith("v1/chat/completions")][-1]["postData"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("srt", help="the server's program")
    parser.add_argument("names", nargs="*", help="these tests only")
    parser.add_argument("--pictures", help="a folder for screenshots")
    options = parser.parse_args()
    import cases
    tests = [value for name, value in vars(cases).items() if name.startswith("test_")]
    tests = [test for test in tests if not options.names or test.__name__ in options.names]
    if options.pictures:
        os.makedirs(options.pictures, exist_ok=True)
    # Servers and the browser end with the test, however that ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench = Bench(os.path.abspath(options.srt), options.pictures)
    failed = 0
    try:
        for test in tests:
            try:
                start = time.monotonic()
                test(bench)
                print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {test.__name__}\n{traceback.format_exc()}", flush=True)
    finally:
        bench.close()
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not tests else 0)


if __name__ == "__main__":
    sys.modules["page_test"] = sys.modules["__main__"]
    main()
