"""HTTP answers that end: within a time in all, of a size that fits, and from the server that was asked."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

LARGEST = 64 << 20
_PIECE = 64 << 10


def bounded(retries: Retry) -> HTTPAdapter:
    """An adapter for `requests` whose `timeout` is that of the whole answer, with all repetitions.

    Of itself `requests` bounds silence only: a server that sends a byte now and then would never time out. The adapter
    raises ReadTimeout then, and RequestException for an answer of more than `LARGEST` bytes, or that leads elsewhere.
    """
    from requests.adapters import HTTPAdapter
    from requests.exceptions import ReadTimeout

    class Bounded(HTTPAdapter):
        def send(
            self,
            request: PreparedRequest,
            stream: bool = False,
            timeout: Any = None,
            verify: bool | str = True,
            cert: Any = None,
            proxies: Any = None,
        ) -> Response:
            answer: SimpleQueue[Response | Exception] = SimpleQueue()

            def ask() -> None:
                try:
                    with super(Bounded, self).send(request, stream, timeout, verify, cert, proxies) as response:
                        _read(response)
                    answer.put(response)
                except Exception as error:  # Raised below, in the thread that asked.
                    answer.put(error)

            # What is left waiting at the deadline does not keep the process.
            Thread(target=ask, daemon=True).start()
            try:
                found = answer.get(timeout=timeout)
            except Empty:
                raise ReadTimeout(request=request) from None
            if isinstance(found, Exception):
                raise found
            return found

    return Bounded(max_retries=retries)


def _read(response: Response) -> None:
    from requests.exceptions import RequestException

    if response.is_redirect:
        raise RequestException(f"it leads to another address, {response.headers['location']}")
    pieces, size = [], 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > LARGEST:
            raise RequestException(f"its answer is larger than {LARGEST >> 20} MiB")
        pieces.append(piece)
    # As `requests` keeps what it has read itself.
    response._content = b"".join(pieces)
