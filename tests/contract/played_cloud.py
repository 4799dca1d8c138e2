"""A cloud on this machine: it answers as it is told, and keeps what it was asked."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit


class Played:
    """A cloud on this machine that answers as it is told, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        played = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                url = urlsplit(self.path)
                played.asked.append((self.command, url.path, parse_qs(url.query), body))
                form = {key: values[0] for key, values in parse_qs(body).items()}
                key = form.get("Action") or url.path
                status, text = played.answers.get(key, (404, f"nobody planned for {key}"))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = answer

            def log_message(self, format, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def forms(self):
        """What was posted as a form, field by field."""
        return [{k: v[0] for k, v in parse_qs(b).items()} for m, _, _, b in self.asked if b]
