"""How the site is: alive, ready, its numbers for machines, and its status for everybody."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.request import Request

import ingest.queries
import ingest.waiting
import leaderboard.queries
import pnl.queries
from ingest.queries import Backlog, Storage
from leaderboard.models import Board, Period
from pnl import alarms
from pnl.api import Endpoint, answer, choice, described, moment, open_to_all, shape
from pnl.models import Alarm, Touched

log = logging.getLogger(__name__)

ESTIMATED = ("pnl_trade", "pnl_trader", "pnl_position", "pnl_realization", "ingest_delivery")
ESTIMATE = """
SELECT relname, greatest(reltuples, 0)::int8 FROM pg_class
 WHERE oid = ANY(%s::regclass[]) ORDER BY relname
"""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, int | float]


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """Whether the process answers. It asks nobody else."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Whether the site can serve: not without its database, a little slower without Redis."""
    checks = {"database": _failure(_ask_database), "redis": _failure(_ask_redis)}
    checks["migrations"] = "unknown" if checks["database"] else _failure(_ask_migrations)
    failed = [name for name, failure in checks.items() if failure]
    unavailable = bool(checks["database"] or checks["migrations"])
    status = "unavailable" if unavailable else "degraded" if failed else "ready"
    content = {"status": status, **{name: failure or "ok" for name, failure in checks.items()}}
    return JsonResponse({**content, "failed": failed}, status=503 if unavailable else 200)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers that alarms are set on, for Prometheus."""
    try:
        lines = [*_gauge("database_up", "Whether PostgreSQL answers.", [("", 1)]), *_measured()]
    except (DatabaseError, InterfaceError) as error:
        log.error("No metrics without the database: %s", error)
        lines = _gauge("database_up", "Whether PostgreSQL answers.", [("", 0)])
    return HttpResponse("\n".join([*lines, ""]), content_type=METRICS_TYPE)


class StatusAPI(Endpoint):
    """How far behind the site is: what waits in the inbox, when a board was last looked at."""

    Output = shape(
        "Status",
        {
            "as_of": moment(),
            "inbox": shape(
                "Inbox",
                {
                    "pending": serializers.IntegerField(),
                    "set_aside": serializers.IntegerField(),
                    "oldest_pending_seconds": serializers.IntegerField(allow_null=True),
                    "size_bytes": serializers.IntegerField(),
                    "archived_estimate": serializers.IntegerField(),
                    "oldest_archived_day": serializers.DateField(allow_null=True),
                },
            )(),
            "prices": shape(
                "Prices",
                {
                    "newest_minute": moment(allow_null=True),
                    "trades_waiting": serializers.IntegerField(
                        help_text="Trades in another quote that wait for the SOL price of their "
                        f"minute, counted to {pnl.queries.WAITING_COUNTED_MAX}."
                    ),
                },
            )(),
            "alarms": shape(
                "Alarm",
                {"kind": serializers.CharField(), "since": moment()},
            )(many=True),
            "boards": shape(
                "BoardStatus",
                {
                    "period": choice(*Period.values),
                    "version": serializers.IntegerField(),
                    "refreshed_at": moment(allow_null=True),
                },
            )(many=True),
        },
    )

    @described(Output, name="status")
    def get(self, request: Request) -> HttpResponse:
        now = datetime.now(UTC)
        return answer(
            {
                "as_of": leaderboard.queries.iso(now),
                "inbox": _inbox(ingest.queries.backlog(), ingest.queries.storage(), now),
                "prices": _prices(),
                "alarms": [_alarm(alarm) for alarm in alarms.standing()],
                "boards": [_board(board) for board in _boards()],
            }
        )


class SchemaAPI(SpectacularAPIView):
    """The API described by itself."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Scripts of any site may read it, like every answer."""
        return open_to_all(super().finalize_response(request, response, *args, **kwargs))


def _inbox(backlog: Backlog, storage: Storage, now: datetime) -> dict[str, Any]:
    day = storage.oldest_day
    return {
        "pending": backlog.pending,
        "set_aside": backlog.set_aside,
        "oldest_pending_seconds": _age(backlog, now),
        "size_bytes": storage.inbox_bytes,
        "archived_estimate": storage.archived_estimate,
        "oldest_archived_day": None if day is None else day.isoformat(),
    }


def _prices() -> dict[str, Any]:
    newest = pnl.queries.newest_price_minute()
    return {
        "newest_minute": None if newest is None else leaderboard.queries.iso(newest),
        "trades_waiting": pnl.queries.trades_waiting(),
    }


def _alarm(alarm: Alarm) -> dict[str, str]:
    """That there is an alarm, for everybody; its detail is for staff."""
    return {"kind": alarm.kind, "since": leaderboard.queries.iso(alarm.since)}


def _age(backlog: Backlog, now: datetime) -> int | None:
    oldest = backlog.oldest_at
    return None if oldest is None else max(0, int((now - oldest).total_seconds()))


def _boards() -> list[Board]:
    """The boards in the order in which they are shown."""
    found = {board.period: board for board in Board.objects.all()}
    return [found[period] for period in Period.values]


def _board(board: Board) -> dict[str, Any]:
    seen = board.refreshed_at
    refreshed_at = None if seen is None else leaderboard.queries.iso(seen)
    return {"period": board.period, "version": board.version, "refreshed_at": refreshed_at}


def _failure(check: Callable[[], str]) -> str:
    """What is wrong, or nothing. The reason goes to the log, not to the world."""
    try:
        return check()
    except (DatabaseError, InterfaceError, RedisError) as error:
        log.warning("Not ready: %s", error)
        return "does not answer"


def _ask_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _ask_redis() -> str:
    cache.get("ready")
    return ""


def _ask_migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} not applied" if missing else ""


def _measured() -> list[str]:
    backlog, boards = ingest.queries.backlog(), _boards()
    age = _age(backlog, datetime.now(UTC)) or 0
    versions: list[Sample] = [(_label("period", board.period), board.version) for board in boards]
    refreshed: list[Sample] = [
        (_label("period", board.period), int(board.refreshed_at.timestamp()))
        for board in boards
        if board.refreshed_at is not None
    ]
    queued = ingest.waiting.queued()
    touched, unknown = Touched.objects.count(), ingest.queries.unknown_layouts()
    sounding: list[Sample] = [(_label("kind", alarm.kind), 1) for alarm in alarms.standing()]
    newest = pnl.queries.newest_price_minute()
    prices: list[Sample] = [] if newest is None else [("", int(newest.timestamp()))]
    unpriced = pnl.queries.trades_waiting()
    storage = ingest.queries.storage()
    oldest_day = storage.oldest_day
    since: list[Sample] = [] if oldest_day is None else [("", _midnight(oldest_day))]
    return [
        *_gauge("inbox_pending", "Deliveries not looked at yet.", [("", backlog.pending)]),
        *_gauge("inbox_set_aside", "Deliveries kept with an error.", [("", backlog.set_aside)]),
        *_gauge("inbox_oldest_pending_seconds", "Age of the oldest pending one.", [("", age)]),
        *_gauge("unknown_layouts", "Events kept, beyond what we know.", [("", unknown)]),
        *_gauge("backfill_queued", "Pages and signatures to fetch.", [("", queued)]),
        *_gauge("inbox_size_bytes", "The inbox on disk.", [("", storage.inbox_bytes)]),
        *_gauge("archived_estimate", "Archived deliveries.", [("", storage.archived_estimate)]),
        *_gauge("archived_since_timestamp_seconds", "The oldest day kept.", since),
        *_gauge("boards_waiting", "Notes that a trader must be summed again.", [("", touched)]),
        *_gauge("sol_price_timestamp_seconds", "The newest minute with a price of SOL.", prices),
        *_gauge("trades_unpriced", "Trades waiting for a price, to a limit.", [("", unpriced)]),
        *_gauge("alarms", "How many alarms stand.", [("", len(sounding))]),
        *_gauge("alarm", "What somebody must look at.", sounding),
        *_gauge("board_version", "Changes of a board's visible top.", versions),
        *_gauge("board_refreshed_timestamp_seconds", "When a board was looked at.", refreshed),
        *_gauge("rows_estimate", "Rows of a table, as the planner estimates.", _estimates()),
    ]


def _midnight(day: date) -> int:
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp())


def _estimates() -> list[Sample]:
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATE, [list(ESTIMATED)])
        return [(_label("table", table), rows) for table, rows in cursor.fetchall()]


def _label(name: str, value: str) -> str:
    return f'{{{name}="{value}"}}'


def _gauge(name: str, meaning: str, samples: list[Sample]) -> list[str]:
    """One metric in the text format: what it is, then a line a sample; nothing without samples."""
    if not samples:
        return []
    full = f"pumploss_{name}"
    return [
        f"# HELP {full} {meaning}",
        f"# TYPE {full} gauge",
        *(f"{full}{labels} {value}" for labels, value in samples),
    ]
