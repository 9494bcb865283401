"""A headless Chromium, driven over DevTools' own pipe: no driver, no library, no port.

Messages are JSON ended by a zero byte, to file descriptor 3 and from 4, as
https://chromium.googlesource.com/chromium/src/+/main/content/browser/devtools/devtools_pipe_handler.cc
says; commands and events: https://chromedevtools.github.io/devtools-protocol/.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-extensions", "--disable-dev-shm-usage", "--mute-audio", "--hide-scrollbars",
         "--remote-debugging-pipe")
SECONDS = 60


def find_browser() -> str:
    """The browser's path. A missing one is a failure, never a skip."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise AssertionError("the pages are judged by a real browser and there is none; install one "
                         "as the tests need it: apt-get install -y chromium")


class Browser:
    """One page of one browser; a context manager."""

    def __init__(self, profile: Path) -> None:
        reading, self._command = os.pipe()
        self._answer, writing = os.pipe()
        # The shell gives the pipes the numbers that the browser wants.
        line = f'exec "$0" "$@" 3<&{reading} 4>&{writing}'
        self._process = subprocess.Popen(
            ["bash", "-c", line, find_browser(), *FLAGS, f"--user-data-dir={profile}",
             "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(reading, writing))
        os.close(reading)
        os.close(writing)
        self._numbers = itertools.count(1)
        self._unread = b""
        self.events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._command)
        os.close(self._answer)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command's result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._command, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self._receive(deadline, method)
            if answer.get("id") != number:
                self.events.append(answer)
                continue
            assert "error" not in answer, f"{method}: {answer['error']}"
            result: dict[str, Any] = answer["result"]
            return result

    def _receive(self, deadline: float, waiting_for: str) -> dict[str, Any]:
        while b"\0" not in self._unread:
            left = deadline - time.monotonic()
            assert left > 0, f"the browser was silent for {SECONDS} s after {waiting_for}"
            if select.select([self._answer], [], [], left)[0]:
                read = os.read(self._answer, 1 << 16)
                assert read, "the browser ended"
                self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """The value of an expression once it is true."""
        deadline = time.monotonic() + SECONDS
        while not (found := self.evaluate(script)):
            assert time.monotonic() < deadline, f"still false after {SECONDS} s: {script}"
            time.sleep(0.02)
        return found

    def open(self, url: str) -> None:
        """Goes to a page, and waits until it has loaded."""
        self.call("Page.navigate", url=url)
        self.wait_for(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def drag(self, *points: tuple[float, float]) -> None:
        """The mouse pressed at the first point, moved through the others, and let go."""
        self._mouse("mousePressed", points[0], buttons=1)
        for point in points[1:]:
            self._mouse("mouseMoved", point, buttons=1)
        self._mouse("mouseReleased", points[-1], buttons=0)

    def _mouse(self, kind: str, point: tuple[float, float], buttons: int) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=point[0], y=point[1], button="left",
                  buttons=buttons, clickCount=1)

    def touch(self, *points: tuple[float, float]) -> None:
        """One finger along the points."""
        for position, (x, y) in enumerate(points):
            self.call("Input.dispatchTouchEvent", touchPoints=[{"x": x, "y": y}],
                      type="touchMove" if position else "touchStart")
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, key: str, times: int = 1) -> None:
        """A key, down and up."""
        text = {"text": key} if len(key) == 1 else {}
        for _ in range(times):
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """The window's size in CSS pixels, and the theme that the user prefers."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG."""
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("innerWidth")
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": width, "height": height, "scale": 1})["data"]
        path.write_bytes(base64.b64decode(data))

    @property
    def complaints(self) -> list[str]:
        """Exceptions, errors in the console and requests to anywhere else, so far."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"]))
            if event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(str(parameters["entry"]))
        return found

    @property
    def requested(self) -> list[str]:
        """The addresses that pages asked for, so far."""
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]
