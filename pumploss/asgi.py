"""One port for everything: the webhook door, then sockets by Channels, the rest by Django."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pumploss.settings")

# Django must be set up before anything that imports models.
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

from ingest import operations as inbox
from ingest.receiver import Door, Receiver
from leaderboard.hub import hub
from leaderboard.routing import websocket_urlpatterns

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

WEBHOOK_PATHS = {"/webhooks/helius/", "/webhooks/helius"}

receiver = Receiver(
    Door(
        settings.DATABASE_URL,
        tuple(secret.encode() for secret in settings.HELIUS_WEBHOOK_SECRETS),
        settings.RECEIVER_MAX_BODY_BYTES,
        settings.RECEIVER_BODY_SECONDS,
        settings.RECEIVER_READING_BYTES,
    ),
    kick=inbox.wake,
)
protocols = ProtocolTypeRouter(
    {"http": django_application, "websocket": URLRouter(websocket_urlpatterns)}
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI entry point."""
    if scope["type"] == "http" and scope["path"] in WEBHOOK_PATHS:
        await receiver(scope, receive, send)
    elif scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await protocols(scope, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """Start with nothing to do; stop only after every open delivery has its answer."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await receiver.close()
            await hub.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
