"""One thread, and those who ask it something."""

from __future__ import annotations

import threading

import pytest

from voxtui.inbox import Inbox, Work


def do(work: Work) -> None:
    work()


def test_who_asks_while_the_thread_ends_has_an_answer() -> None:
    inbox = Inbox("test", do)
    ending, asked = threading.Event(), threading.Event()

    def last() -> None:
        ending.set()
        asked.wait(5)

    inbox.put(last)
    inbox.start()
    ending.wait(5)
    closer = threading.Thread(target=inbox.close, args=(5,))
    closer.start()
    answers: list[int] = []
    asker = threading.Thread(target=lambda: answers.append(inbox.ask(lambda: 7)), daemon=True)
    asker.start()
    asked.set()
    asker.join(5)
    closer.join(5)
    assert answers == [7]


def test_an_error_is_for_who_asked() -> None:
    inbox = Inbox("test", do)
    inbox.start()
    with pytest.raises(ZeroDivisionError):
        inbox.ask(lambda: 1 // 0)
    assert inbox.ask(lambda: 7) == 7
    inbox.close(5)
