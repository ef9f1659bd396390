"""What the Google adapters share: how long a call may take, and when it is made again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import google.auth
import grpc
from google.api_core import exceptions, retry_async

DEADLINE = 2.8
"""Seconds within which a call ends, repetitions included. The clients' own policies would go on for minutes, in
which one outage fills every instance."""

TRANSIENT = (exceptions.Aborted, exceptions.ServiceUnavailable, exceptions.InternalServerError)
"""Answers after which the same call may succeed."""

_CHANNEL_OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    # Without these, gRPC waits up to two minutes before it tries a broken connection again.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]

Answer = TypeVar("Answer")


async def in_time(call: Callable[[], Awaitable[Answer]], repeated: tuple[type[Exception], ...] = TRANSIENT) -> Answer:
    """Call, and again after each of these errors. Raises TimeoutError at `DEADLINE`, or the last answer's error."""
    retry = retry_async.AsyncRetry(
        retry_async.if_exception_type(*repeated), initial=0.05, maximum=0.5, multiplier=2, timeout=DEADLINE
    )
    try:
        async with asyncio.timeout(DEADLINE):
            return await retry(call)()
    except exceptions.RetryError as error:
        raise TimeoutError(str(error.cause)) from error


async def channel_of(transport: Any, emulator: str | None) -> grpc.aio.Channel:
    """Open the channel of a client's transport class, or one to the emulator at that host and port.

    gRPC binds it to the event loop that runs. Raises GoogleAuthError where there are no credentials.
    """
    if emulator:
        return grpc.aio.insecure_channel(emulator, options=_CHANNEL_OPTIONS)
    # Looking for credentials may read files and ask the metadata server.
    credentials, _ = await asyncio.to_thread(google.auth.default, scopes=transport.AUTH_SCOPES)
    channel: grpc.aio.Channel = transport.create_channel(credentials=credentials, options=_CHANNEL_OPTIONS)
    return channel
