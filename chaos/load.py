"""The senders: they post at a steady pace and repeat, as real senders do, until they are answered 200."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from chaos.events import Post
from chaos.senders import address_of, signature_of

SENDERS = 8
#: Every so many events are posted a second time after they were accepted, as senders do whose line is bad.
TWICE_EVERY = 8
PAUSE_SECONDS = 0.3
#: Seconds for which a sender waits for an answer; Shopify waits five.
ANSWER_WITHIN = 10.0
#: Seconds for which a sender repeats one event. Real ones do for hours.
PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that was answered 200; `ids` are what the answers called it. Times in seconds since 1970."""

    post: Post
    ids: tuple[str, ...]
    at: float
    seconds: float


@dataclass
class Outcome:
    """What the senders saw."""

    accepted: list[Accepted] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unanswered: list[Post] = field(default_factory=list)
    repeats: int = 0


class Load:
    """`number` events, `rate` of them in a second, from `SENDERS` senders; `first` is the first one's number."""

    def __init__(
        self,
        url: str,
        make: Callable[[int], Post],
        number: int,
        rate: float,
        first: int = 0,
    ) -> None:
        self._url = url
        # One for all: making one costs more than what it sends.
        self._client = httpx.Client(timeout=ANSWER_WITHIN, trust_env=False)
        self._make = make
        self.number = number
        self._rate = rate
        self._first = first
        self._lock = threading.Lock()
        self._taken = 0
        self._began = 0.0
        self.outcome = Outcome()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(SENDERS)]

    def start(self) -> None:
        """Begin to send, in threads of its own."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def is_over(self) -> bool:
        """Say whether every event has been answered or given up."""
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Close the senders' connections, once it is over."""
        self._client.close()

    def _next(self) -> int | None:
        with self._lock:
            if self._taken >= self.number:
                return None
            self._taken += 1
            return self._taken - 1

    def _send(self) -> None:
        while (index := self._next()) is not None:
            wait = self._began + index / self._rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self._until_answered(self._make(self._first + index))

    def _until_answered(self, post: Post) -> None:
        began, until = time.time(), time.monotonic() + PATIENCE
        while time.monotonic() < until:
            answer = self._post(post)
            if answer is not None and answer.status_code == 200:
                accepted = Accepted(post, _ids(answer), time.time(), time.time() - began)
                if post.number % TWICE_EVERY == 0:
                    again = self._post(post)
                    ids = _ids(again) if again is not None and again.status_code == 200 else ()
                    accepted = replace(accepted, ids=tuple(dict.fromkeys((*accepted.ids, *ids))))
                with self._lock:
                    self.outcome.accepted.append(accepted)
                return
            if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                with self._lock:
                    self.outcome.refused.append(f"{post.token}: {answer.status_code} {answer.text[:200]}")
                return
            with self._lock:
                self.outcome.repeats += 1
            time.sleep(PAUSE_SECONDS)
        with self._lock:
            self.outcome.unanswered.append(post)

    def _post(self, post: Post) -> httpx.Response | None:
        headers = {"content-type": post.content_type, **post.headers, **signature_of(post)}
        try:
            return self._client.post(f"{self._url}{address_of(post)}", content=post.body, headers=headers)
        except httpx.HTTPError:
            return None  # refused, reset, or no answer in time


def _ids(answer: httpx.Response) -> tuple[str, ...]:
    content = answer.json()
    return (str(content["event_id"]),) if "event_id" in content else ()
