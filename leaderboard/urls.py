"""The paths of the boards and the wallets: pages, and the same as JSON."""

from django.urls import path

from leaderboard import views
from leaderboard.api.boards import LeaderboardAPI, RankAPI
from leaderboard.api.wallets import PositionsAPI, RealizationsAPI, TradesAPI, WalletAPI

pages = [
    path("", views.board, name="home"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("leaderboards/<str:period>/", views.board, name="board"),
    path("wallets/", views.find_wallet, name="find-wallet"),
    path("wallets/<str:address>/", views.wallet, name="wallet"),
]

api = [
    path("leaderboards/<str:period>/", LeaderboardAPI.as_view(), name="api-board"),
    path("leaderboards/<str:period>/rank/<str:address>/", RankAPI.as_view(), name="api-rank"),
    path("wallets/<str:address>/", WalletAPI.as_view(), name="api-wallet"),
    path("wallets/<str:address>/positions/", PositionsAPI.as_view(), name="api-positions"),
    path("wallets/<str:address>/realizations/", RealizationsAPI.as_view(), name="api-realizations"),
    path("wallets/<str:address>/trades/", TradesAPI.as_view(), name="api-trades"),
]
