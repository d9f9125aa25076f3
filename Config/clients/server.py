"""Servers for the scripts beside this one: starts srt, waits until it is ready, and ends it."""
import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SRT = os.environ.get("SRT", os.path.join(ROOT, ".build/release/srt"))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "srt")
MODEL = os.environ.get("MODEL", os.path.join(CACHE, "models/SmolLM2-135M-Instruct.Q4_1.gguf"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running srt and where it answers."""

    def __init__(self, model, *flags, log=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [SRT, "launch_server", "--model-path", model, "--host", "127.0.0.1", "--port", str(self.port), *flags]
        self.log = open(log, "w") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)

    def wait(self, seconds=180):
        """Waits until the server serves."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"srt ended with {self.process.returncode}")
            with contextlib.suppress(urllib.error.URLError, OSError):
                with urllib.request.urlopen(self.url + "/health", timeout=5):
                    return self
            time.sleep(0.1)
        raise RuntimeError("srt did not become ready")

    def stop(self, how=signal.SIGTERM):
        """Ends the server."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        if self.process.poll() is None:
            self.process.kill()


@contextlib.contextmanager
def serving(model, *flags, log=None):
    """A server for the length of a block."""
    server = Server(model, *flags, log=log)
    try:
        yield server.wait()
    finally:
        server.stop()
