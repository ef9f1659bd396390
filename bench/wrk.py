"""HTTP load by wrk: one signed body, sent as fast as the server answers. A Python client would measure itself."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.google.parts import MissingPart

CONNECTIONS = 8

_SCRIPT = """
wrk.method = "POST"
wrk.body = [==[{body}]==]
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Hub-Signature-256"] = "{signature}"
done = function(summary, latency)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("\\n%d %d %d %d", summary.requests, summary.duration, latency:percentile(99), bad))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: answers per second, and the 99th percentile of their latency in seconds."""

    rate: float
    p99: float


def wrk() -> str:
    """Path of wrk. Raises MissingPart."""
    found = shutil.which("wrk")
    if not found:
        raise MissingPart("The load needs wrk: apt-get install wrk.")
    return found


def load(url: str, body: bytes, signature: str, *, seconds: int, folder: Path) -> Load:
    """Put the load on a server. Raises RuntimeError when an answer was not 2xx or 3xx, or did not come."""
    script = folder / "post.lua"
    script.write_text(_SCRIPT.format(body=body.decode(), signature=signature))
    command = [wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 20, check=True)
    requests, duration, p99, bad = map(int, done.stdout.splitlines()[-1].split())
    if bad:
        raise RuntimeError(f"{bad} of {requests} requests to {url} failed")
    return Load(requests / duration * 1e6, p99 / 1e6)
