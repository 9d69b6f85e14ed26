"""Every websocket path."""

from django.urls import path

from leaderboard.consumers import BoardConsumer

websocket_urlpatterns = [path("ws/leaderboards/<str:period>/", BoardConsumer.as_asgi())]
