"""A running server for scripts, and what its clients send to it. Nothing but Python's own library is needed."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading


class Answer:
    """Status, headers and text of an answer."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode("utf-8")

    def json(self):
        """The text as JSON."""
        return json.loads(self.text)

    def frames(self):
        """The values of an event stream, whose end must be there."""
        lines = [line[6:] for line in self.text.split("\n") if line.startswith("data: ")]
        assert lines and lines[-1] == "[DONE]", "a stream without its end"
        return [json.loads(line) for line in lines[:-1]]


class Server:
    """A server of one model, and what a client sends to it."""

    def __init__(self, srt, model, flags):
        self.model = model
        self.folder = tempfile.mkdtemp(prefix="srt-")
        command = [srt, "launch_server", "--model-path", model, "--host", "0.0.0.0", "--port", "0", "--run-dir",
                   os.path.join(self.folder, "run"), "--weight-cache-dir", os.path.join(self.folder, "weights"), *flags]
        variables = dict(os.environ, SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR=self.folder)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace", env=variables)
        self.log = []
        self.begun = threading.Event()
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()
        self.port = self.opened()

    def follow(self):
        """Takes the log line by line until nobody writes it any more; tells when the server has begun, or never will."""
        for line in self.process.stdout:
            self.log.append(line)
            if "The server is fired up and ready to roll!" in line:
                self.begun.set()
        self.begun.set()

    def opened(self):
        """The port of the server once it has begun; then, as the page waits for, `/v1/models` answers to an unknown token."""
        try:
            assert self.begun.wait(300), "the server does not begin"
            with open(os.path.join(self.folder, "run", "state.json"), encoding="utf-8") as file:
                self.port = json.load(file)["port"]
            assert self.get("/v1/models", headers={"Authorization": "Bearer None"}).status == 200
            assert self.get("/ready").status == 200
            return self.port
        except (OSError, AssertionError) as error:
            self.end()
            raise RuntimeError("the server does not serve:\n" + "".join(self.log)[-2000:]) from error

    def call(self, method, path, body=None, headers=None):
        """Sends a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        with contextlib.closing(connection):
            data = None if body is None else json.dumps(body).encode()
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, {**kind, **(headers or {})})
            return Answer(connection.getresponse())

    def get(self, path, headers=None):
        """GET."""
        return self.call("GET", path, headers=headers)

    def post(self, path, body=None):
        """POST."""
        return self.call("POST", path, body)

    def asked(self, path, body=None):
        """The JSON of a POST that must succeed."""
        answer = self.post(path, body)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text[:300]}"
        return answer.json()

    def end(self):
        """Ends it as a service manager does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join(60)
        shutil.rmtree(self.folder, ignore_errors=True)
        return status
