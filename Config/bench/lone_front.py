"""A front by itself: its process runs as in a server, this one stands for the launcher and for all other processes.

What it says to them and they to it are the messages of Sources/Messages/Protos, written here by hand: few fields are needed, and
whoever runs this has neither generated code nor a package for ZeroMQ."""
import ctypes
import ctypes.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clients"))
import server  # noqa: E402

PULL, PUSH, ROUTER = 7, 8, 6
LINGER, RCVMORE, SNDHWM, RCVHWM, DONTWAIT, SNDMORE = 17, 13, 23, 24, 1, 2
READY_REPORT = 6  # a field of ChildReport
LIFELINE, LISTENER, SESSIONS, WORDS, WEIGHTS = 3, 4, 5, 7, 8  # descriptors of the front
HTTP, TOKENIZER, SCHEDULER, DETOKENIZER, READY = 1, 2, 3, 4, 2
zmq = ctypes.CDLL(ctypes.util.find_library("zmq") or "libzmq.so.5")
zmq.zmq_ctx_new.restype = zmq.zmq_socket.restype = ctypes.c_void_p


class PollItem(ctypes.Structure):
    _fields_ = [("socket", ctypes.c_void_p), ("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


def wait(*endpoints, milliseconds=100):
    """Sleeps until something can be read from one of these sockets or descriptors, or for a time.

    Whoever looks again and again instead keeps the threads of ZeroMQ from their work."""
    items = (PollItem * len(endpoints))()
    for item, endpoint in zip(items, endpoints):
        item.events = 1
        if isinstance(endpoint, int):
            item.fd = endpoint
        else:
            item.socket = endpoint.handle
    zmq.zmq_poll(items, len(endpoints), ctypes.c_long(milliseconds))


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One field of a message: a number, or bytes, a text or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    """The fields of a message, the last of each number."""
    found, place = {}, 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        tag = number()
        if tag & 7 == 0:
            found[tag >> 3] = number()
            continue
        length = number() if tag & 7 == 2 else 4 if tag & 7 == 5 else 8
        found[tag >> 3] = data[place:place + length]
        place += length
    return found


class Socket:
    """A ZeroMQ socket that binds, or connects, to a file."""

    def __init__(self, context, kind, path, binds):
        self.handle = ctypes.c_void_p(zmq.zmq_socket(ctypes.c_void_p(context), kind))
        for option, value in ((LINGER, 0), (SNDHWM, 10_000), (RCVHWM, 10_000)):
            zmq.zmq_setsockopt(self.handle, option, ctypes.byref(ctypes.c_int(value)), ctypes.c_size_t(4))
        join = zmq.zmq_bind if binds else zmq.zmq_connect
        assert join(self.handle, b"ipc://" + path.encode()) == 0, path
        self.buffer = ctypes.create_string_buffer(1 << 20)

    def receive(self):
        """A frame that is there; None if none is."""
        size = zmq.zmq_recv(self.handle, self.buffer, ctypes.c_size_t(len(self.buffer)), DONTWAIT)
        return None if size < 0 else self.buffer.raw[:size]

    def send(self, data, more=False):
        zmq.zmq_send(self.handle, data, ctypes.c_size_t(len(data)), SNDMORE if more else 0)

    def close(self):
        zmq.zmq_close(self.handle)


def topology():
    """Everyone is there and ready."""
    processes = b"".join(
        field(1, field(1, role) + field(3, f"stage {role}") + field(5, 1) + field(6, READY))
        for role in (HTTP, TOKENIZER, SCHEDULER, DETOKENIZER))
    model = b"".join(field(n, value) for n, value in ((1, 8192), (2, 32000), (3, 1 << 24), (4, 8000), (5, 4096)))
    return field(1, processes + field(2, 1) + field(4, model))


class LoneFront:
    """The front's process, bound to some cores, for a model folder and flags."""

    def __init__(self, model, *flags, cores):
        self.folder = tempfile.mkdtemp(prefix="srtfront.")
        # A real server writes what its front is told.
        with server.serving(model, "--run-dir", self.folder + "/whole", *flags):
            shutil.copy(self.folder + "/whole/settings.http.json", self.folder)
        self.context = zmq.zmq_ctx_new()
        self.launcher = Socket(self.context, ROUTER, self.folder + "/supervisor.ipc", True)
        self.commands = Socket(self.context, PULL, self.folder + "/tokenizer.ipc", True)
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = listener.getsockname()[1]
        self.lifeline = os.pipe()
        given = {
            LIFELINE: self.lifeline[0], LISTENER: listener.fileno(), SESSIONS: os.memfd_create("sessions"),
            WORDS: os.open(os.devnull, os.O_WRONLY), WEIGHTS: os.memfd_create("weights")}
        high = {number: os.dup(own) for number, own in given.items()}
        identity = f"{HTTP},0,1,1,{os.getpid()},{self.folder}"

        def prepare():
            os.sched_setaffinity(0, cores)
            spare = {number: os.dup2(own, 100 + number) for number, own in high.items()}
            for number, own in spare.items():
                os.dup2(own, number)

        self.process = subprocess.Popen(
            ["sglang::http"], executable=server.SRT, preexec_fn=prepare, close_fds=False,
            env={**os.environ, "SRT_CHILD": identity}, stderr=subprocess.DEVNULL)
        self.replies = Socket(self.context, PUSH, self.folder + "/front-1.ipc", False)
        self.isReady = False
        while not self.isReady:
            wait(self.launcher)
            self.tell()

    def tell(self):
        """Answers what the front reports, if anything, with the table of processes."""
        sender = self.launcher.receive()
        if sender is None:
            return
        self.isReady = READY_REPORT in fields(self.launcher.receive()) or self.isReady
        self.launcher.send(sender, more=True)
        self.launcher.send(topology())

    def command(self):
        """Id and attempt of the next request, once it comes."""
        while True:
            frame = self.commands.receive()
            if frame is None:
                wait(self.commands)
                continue
            generate = fields(frame).get(1)
            if generate is not None:
                key = fields(fields(generate)[1])
                return key[1], key.get(2, 0)

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            numbers = file.read().rsplit(")", 1)[1].split()
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.kill()
        self.process.wait()
        for endpoint in (self.launcher, self.commands, self.replies):
            endpoint.close()
        shutil.rmtree(self.folder, ignore_errors=True)
