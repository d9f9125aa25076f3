#!/usr/bin/env python3
"""What streaming costs the front: chunks of server-sent events for each second of its processor time.

Serves a tiny model, so that the worker feeds the front as fast as it can, opens STREAMS (256) streams at a time and counts the chunks
that come in SECONDS (10); the front's processor time is read from /proc. One line for /generate, completions and chats each.
The clients and the worker take the other cores, and take turns with the front where there are too few: chunks for each second of
processor time do not depend on that, chunks per second do. SRT names the binary, MODEL a model."""
import json
import os
import select
import socket
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clients"))
import server  # noqa: E402

MODEL = os.environ.get("MODEL", os.path.join(server.ROOT, "Tests/Fixtures/llama-tied"))
STREAMS = int(os.environ.get("STREAMS", "256"))
SECONDS = float(os.environ.get("SECONDS", "10"))
TOKENS = 400
CHAT = {"messages": [{"role": "user", "content": "Tell me of the lamp."}], "max_tokens": TOKENS}
KINDS = {
    "/generate": {"text": "Tell me of the lamp.", "sampling_params": {"max_new_tokens": TOKENS, "ignore_eos": True}},
    "/v1/completions": {"prompt": "Tell me of the lamp.", "max_tokens": TOKENS, "ignore_eos": True},
    "/v1/chat/completions": {**CHAT, "ignore_eos": True},
}
TICKS = os.sysconf("SC_CLK_TCK")


def pid_of_front(worker):
    """The process of the front."""
    with urllib.request.urlopen(worker.url + "/v1/processes") as answer:
        return next(p["pid"] for p in json.load(answer) if p["title"] == "sglang::http")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Load:
    """Streams that are opened anew whenever one ends."""

    def __init__(self, port, path, body):
        text = json.dumps({**body, "stream": True}).encode()
        self.request = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(text)}\r\n\r\n").encode() + text
        self.address = ("127.0.0.1", port)
        self.poll = select.epoll()
        self.sockets = {}
        self.chunks = self.bytes = self.ended = 0
        for _ in range(STREAMS):
            self.open()

    def open(self):
        stream = socket.create_connection(self.address)
        stream.sendall(self.request)
        stream.setblocking(False)
        self.sockets[stream.fileno()] = stream
        self.poll.register(stream.fileno(), select.EPOLLIN)

    def run(self, seconds):
        """Reads for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for number, _ in self.poll.poll(0.1):
                stream = self.sockets[number]
                piece = stream.recv(1 << 16)
                self.chunks += piece.count(b"data: ")
                self.bytes += len(piece)
                if not piece:
                    self.poll.unregister(number)
                    del self.sockets[number]
                    stream.close()
                    self.ended += 1
                    self.open()

    def close(self):
        for stream in self.sockets.values():
            stream.close()


def main():
    flags = ["--served-model-name", "m", "--max-running-requests", str(STREAMS), "--incremental-streaming-output"]
    with server.serving(MODEL, *flags) as worker:
        pid = pid_of_front(worker)
        print(f"{'':22} {'chunks/s':>10} {'front CPU':>10} {'chunks/CPU s':>13} {'bytes/chunk':>12}")
        for path, body in KINDS.items():
            load = Load(worker.port, path, body)
            load.run(2)
            (chunks, size), spent, start = (load.chunks, load.bytes), processor_seconds(pid), time.monotonic()
            load.run(SECONDS)
            took, spent = time.monotonic() - start, processor_seconds(pid) - spent
            chunks, size = load.chunks - chunks, load.bytes - size
            load.close()
            print(f"{path:22} {chunks / took:10.0f} {spent / took:9.0%} {chunks / max(spent, 1e-9):13.0f} "
                  f"{size / max(chunks, 1):12.0f}")
            time.sleep(1)


if __name__ == "__main__":
    main()
