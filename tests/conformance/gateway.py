"""The HTTP gateway as any web page would use it."""

import json
import urllib.error
import urllib.request

# Only what runs beside us is called; a proxy in the environment is for the world outside.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HttpRefused(Exception):
    """An answer other than 2xx, with the JSON of google.rpc.Status if it has one."""

    def __init__(self, status, text):
        self.status = status
        try:
            self.body = json.loads(text)
        except ValueError:
            self.body = {}
        super().__init__(f"HTTP {status}: {text[:500]}")

    def detail(self, name):
        """The detail of the type google.rpc.`name`; empty if there is none."""
        details = self.body.get("details", [])
        return next((one for one in details if one.get("@type", "").endswith(f"/google.rpc.{name}")), {})


def send(method, url, timeout, data=None, content_type=None, token=None):
    """Sends one request; returns the text of the answer, raises HttpRefused or OSError."""
    headers = {"accept": "application/json"}
    if content_type:
        headers["content-type"] = content_type
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with OPENER.open(request, timeout=timeout) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            raise HttpRefused(error.code, error.read().decode(errors="replace")) from None


class Gateway:
    """The REST API under a base address."""

    def __init__(self, base, timeout):
        self.base = base.rstrip("/")
        self.timeout = timeout

    def get(self, path, token=None):
        """Reads JSON."""
        return json.loads(send("GET", self.base + path, self.timeout, token=token))

    def post(self, path, body, token=None):
        """Sends and reads JSON."""
        data = json.dumps(body).encode()
        return json.loads(send("POST", self.base + path, self.timeout, data, "application/json", token))
