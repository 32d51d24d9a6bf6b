"""A test server that publishes snapshots like the real server and misbehaves on request."""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dezky import Ruleset


def snapshot(revision, **flags):
    flags = [{"key": key, "state": state} for key, state in flags.items()]
    return {"format": 1, "revision": revision, "environment": "production", "flags": flags}


def canonical(document):
    from dezky import _native

    return _native.normalize("snapshot", document)


class FlagServer(ThreadingHTTPServer):
    """The server. `status` and `stream_status` replace the normal answers."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, document):
        self.body = canonical(document).encode()
        self.digest = Ruleset.from_snapshot(self.body).digest
        self.history = "history-1"
        self.status = None
        self.stream_status = None
        self.subjects = {}
        self.population = 1
        self.requests = []
        self.streams = set()
        self.changed = threading.Condition()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, document):
        with self.changed:
            self.body = canonical(document).encode()
            self.digest = Ruleset.from_snapshot(self.body).digest
            self.changed.notify_all()

    def replace_subject(self, subject):
        """Replaces the subject of a tenant and signals the change."""
        with self.changed:
            self.subjects[subject["tenantSlug"]] = subject
            self.population += 1
            self.changed.notify_all()

    def end_streams(self):
        with self.changed:
            for stream in self.streams:
                stream.is_ended = True
            self.changed.notify_all()

    def instances(self):
        """Returns the digest that each instance reported last."""
        with self.changed:
            return {request["dezky-instance"]: request.get("dezky-digest") for request in self.requests}

    def wait(self, condition, seconds=10):
        """Waits until the condition holds. It is checked after each change of the server."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds), f"the condition did not hold within {seconds} s"

    def handle_error(self, request, client_address):
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    is_ended = False

    def do_GET(self):
        server = self.server
        is_stream = "/stream" in self.path
        with server.changed:
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.requests.append({**headers, "path": self.path})
            body, digest, history = server.body, server.digest, server.history
            status = server.stream_status if is_stream else server.status
            population_header = {"Dezky-Population": str(server.population)}
            server.changed.notify_all()
        if self.path.startswith("/tenants/"):
            self.subject(status)
        elif status is not None:
            self.answer(status, b'{"code":"some_reason"}', {})
        elif is_stream:
            self.stream()
        elif self.headers["if-none-match"] == f'"{digest}"':
            self.answer(304, b"", {**population_header, "ETag": f'"{digest}"', "Dezky-History": history})
        else:
            self.answer(200, body, {**population_header, "ETag": f'"{digest}"', "Dezky-History": history})

    def subject(self, status):
        subject = self.server.subjects.get(self.path.split("/")[2])
        body = json.dumps(subject).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()}"'
        if status is not None or subject is None:
            self.answer(status or 404, b'{"code":"some_reason"}', {})
        elif self.headers["if-none-match"] == tag:
            self.answer(304, b"", {"ETag": tag})
        else:
            self.answer(200, body, {"ETag": tag})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        server = self.server
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        sent = None
        with server.changed:
            server.streams.add(self)
            server.changed.notify_all()
        try:
            while not self.is_ended:
                with server.changed:
                    server.changed.wait_for(
                        lambda: self.is_ended or (server.digest, server.population) != sent, timeout=0.1
                    )
                    digest, population = server.digest, server.population
                if (digest, population) == sent:
                    self.wfile.write(b":\n\n")
                else:
                    data = json.dumps({"revision": 1, "digest": digest, "population": population})
                    self.wfile.write(f"id: 1\nevent: revision\ndata: {data}\n\n".encode())
                    sent = (digest, population)
                self.wfile.flush()
        except OSError:
            pass
        finally:
            with server.changed:
                server.streams.discard(self)
                server.changed.notify_all()

    def log_message(self, format, *arguments):
        pass


def until(condition, seconds=10):
    """Polls until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s"
        time.sleep(0.005)


def client_threads():
    """Returns the number of client threads in this process."""
    count = 0
    for task in Path("/proc/self/task").iterdir():
        try:
            count += (task / "comm").read_text().startswith("dezky-client")
        except OSError:
            pass
    return count
