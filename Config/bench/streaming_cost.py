#!/usr/bin/env python3
"""What streaming costs the front: chunks of server-sent events a second on one core, and what it adds to the time to the first.

The front's process is bound to one core; clients and the worker that feeds it are this process, on the others. STREAMS (256) at a
time get a token each in every step, as fast as the clients get them, for SECONDS (10). Then single streams are asked for: the time
from request to first chunk, less the time that the request spent with the worker. A line for each interface. SRT names the binary."""
import json
import os
import select
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lone_front  # noqa: E402
from lone_front import field, server, varint  # noqa: E402

MODEL = os.environ.get("MODEL", os.path.join(server.ROOT, "Tests/Fixtures/llama-tied"))
STREAMS = int(os.environ.get("STREAMS", "256"))
SECONDS = float(os.environ.get("SECONDS", "10"))
SINGLES = int(os.environ.get("SINGLES", "500"))
TOKENS = 400
# Steps that the clients may be behind.
AHEAD = 4
WORD = " lamp"
CHAT = {"messages": [{"role": "user", "content": "Tell me of the lamp."}], "max_tokens": TOKENS}
TOOLS = [{"type": "function", "function": {"name": "climb", "parameters": {"type": "object"}}}]
KINDS = {
    "/generate": ("/generate", {"text": "Tell me.", "sampling_params": {"max_new_tokens": TOKENS}}),
    "/v1/completions": ("/v1/completions", {"prompt": "Tell me.", "max_tokens": TOKENS}),
    "/v1/chat/completions": ("/v1/chat/completions", CHAT),
    "chat with tools": ("/v1/chat/completions", {**CHAT, "tools": TOOLS}),
    "/v1/messages": ("/v1/messages", CHAT),
    "/v1/responses": ("/v1/responses", {"input": "Tell me.", "max_output_tokens": TOKENS + 2, "model": "m"}),
}


def request(path, body):
    text = json.dumps({**body, "stream": True}).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(text)}"
            "\r\n\r\n").encode() + text


class Steps:
    """What the detokenizer would say of some requests that all get a token in each step."""

    def __init__(self, keys):
        self.count = len(keys)
        self.ids = field(1, b"".join(varint(key) for key, _ in keys))
        self.attempts = field(2, b"".join(varint(attempt) for _, attempt in keys))
        self.texts = field(7, WORD) * self.count
        zeros, ones = bytes(self.count), b"\1" * self.count
        self.rest = field(9, b"\5" * self.count) + field(10, zeros) + field(11, zeros)
        self.ones = field(4, ones)

    def frame(self, step, of):
        """The step of that number, out of so many."""
        end = field(8, field(5, of) if step == of - 1 else b"") * self.count
        same = [varint(step), varint(1000 + step), varint(step * len(WORD))]
        offsets, ids, places = (value * self.count for value in same)
        return field(1, self.ids + self.attempts + field(3, offsets) + self.ones + field(5, ids) + field(6, places)
                     + self.texts + end + self.rest)


class Clients:
    """Connections that read streams."""

    def __init__(self, port, count):
        self.poll = select.epoll()
        self.sockets = {}
        for _ in range(count):
            stream = socket.create_connection(("127.0.0.1", port))
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream.setblocking(False)
            self.sockets[stream.fileno()] = stream
            self.poll.register(stream.fileno(), select.EPOLLIN)
        self.chunks = self.bytes = 0

    def ask(self, data):
        for stream in self.sockets.values():
            stream.send(data)

    def read(self, seconds=0.0):
        for number, _ in self.poll.poll(seconds):
            piece = self.sockets[number].recv(1 << 17)
            assert piece, "the front closed a connection"
            self.chunks += piece.count(b"data: ")
            self.bytes += len(piece)

    def close(self):
        for stream in self.sockets.values():
            stream.close()


def wave(front, clients, data):
    """All clients get a stream; what came of its middle: chunks, bytes, seconds and seconds of the front's processor."""
    clients.ask(data)
    keys = [front.command() for _ in range(STREAMS)]
    steps, sent, start = Steps(keys), 0, None
    first = clients.chunks
    while sent < TOKENS:
        # The clients are as far as their chunks tell: at least one for each token of each.
        if sent - (clients.chunks - first) / STREAMS < AHEAD:
            front.replies.send(steps.frame(sent, TOKENS))
            sent += 1
            if sent == 20:
                start = (clients.chunks, clients.bytes, time.monotonic(), front.processor_seconds())
        else:
            lone_front.wait(clients.poll.fileno(), front.launcher)
        clients.read()
        front.tell()
    end = (clients.chunks, clients.bytes, time.monotonic(), front.processor_seconds())
    quiet = time.monotonic() + 0.3
    while time.monotonic() < quiet:
        before = clients.chunks
        clients.read(0.1)
        if clients.chunks > before:
            quiet = time.monotonic() + 0.3
    return [b - a for a, b in zip(start, end)]


def first_chunks(front, data):
    """Milliseconds from request to first chunk, less those with the worker, in order."""
    clients, times = Clients(front.port, 1), []
    stream = next(iter(clients.sockets.values()))
    stream.setblocking(True)
    for _ in range(SINGLES):
        asked = time.perf_counter()
        stream.sendall(data)
        key = front.command()
        arrived = time.perf_counter()
        frame = Steps([key]).frame(0, 2)
        told = time.perf_counter()
        front.replies.send(frame)
        text = b""
        while b"lamp" not in text:
            text += stream.recv(1 << 16)
        times.append((arrived - asked + time.perf_counter() - told) * 1000)
        front.replies.send(Steps([key]).frame(1, 2))
        while not text.endswith(b"0\r\n\r\n"):
            text += stream.recv(1 << 16)
        front.tell()
    clients.close()
    return sorted(times)


def main():
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[1:]) or set(cores))
    front = lone_front.LoneFront(
        MODEL, "--served-model-name", "m", "--incremental-streaming-output", "--tool-call-parser", "qwen",
        cores={cores[0]})
    try:
        print(f"{STREAMS} streams, the front on one core")
        print(f"{'':22} {'chunks/s':>9} {'core used':>9} {'bytes/chunk':>11} {'adds to the first chunk':>25}")
        for name, (path, body) in KINDS.items():
            data, clients = request(path, body), Clients(front.port, STREAMS)
            total = [0.0] * 4
            while total[2] < SECONDS:
                total = [a + b for a, b in zip(total, wave(front, clients, data))]
            clients.close()
            chunks, size, took, spent = total
            added = first_chunks(front, data)
            print(f"{name:22} {chunks / took:9.0f} {spent / took:9.0%} {size / max(chunks, 1):11.0f}    "
                  f"{statistics.median(added):.2f} ms, p99 {added[int(len(added) * 0.99)]:.2f} ms", flush=True)
    finally:
        front.close()


if __name__ == "__main__":
    main()
