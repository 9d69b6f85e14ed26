"""The alarm clock: the Celery app, its queues, and every period of the system."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pumploss.settings")

INBOX_QUEUE = "inbox"
BOARDS_QUEUE = "boards"
# What waits for other sites has a process of its own: neither inbox nor boards wait with it.
ERRANDS_QUEUE = "errands"

# Only with a key is there anything to ask. A look costs 100 credits, a walk 100 a page.
HELIUS_PERIODS = {
    "look after the webhooks": {
        "task": "ingest.tasks.watch_webhooks",
        "schedule": 120.0,
        "options": {"expires": 120},
    },
    "queue the walks that are due": {
        "task": "ingest.tasks.queue_due_backfills",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "fetch raw what came enhanced": {
        "task": "ingest.tasks.fetch_enrichments",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "fetch what is queued": {
        "task": "ingest.tasks.work_backfills",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
}

app = Celery("pumploss")
app.conf.update(
    broker_url=os.environ.get("REDIS_URL"),
    task_ignore_result=True,
    # A task is a wake-up over durable rows, so running it twice is harmless and losing it is not:
    # it is acknowledged late, and comes back within seconds when its worker was killed.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # No time limits: a pool of one, the worker itself, has nobody who could enforce them. A task
    # looks at the clock between its steps and ends after some seconds; a step is bounded by what it
    # takes up (a batch, a page), each call to another site by a timeout of its own.
    broker_connection_retry_on_startup=True,
    # A worker outlives any outage of its broker.
    broker_connection_max_retries=None,
    broker_connection_timeout=2,
    broker_transport_options={
        "visibility_timeout": 120,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "global_keyprefix": "pumploss:",
    },
    worker_hijack_root_logger=False,
    timezone="UTC",
    task_routes={
        "ingest.tasks.watch_sol_price": {"queue": ERRANDS_QUEUE},
        "ingest.tasks.watch_webhooks": {"queue": ERRANDS_QUEUE},
        "ingest.tasks.queue_due_backfills": {"queue": ERRANDS_QUEUE},
        "ingest.tasks.work_backfills": {"queue": ERRANDS_QUEUE},
        "ingest.tasks.fetch_enrichments": {"queue": ERRANDS_QUEUE},
        "ingest.tasks.*": {"queue": INBOX_QUEUE},
        "leaderboard.tasks.*": {"queue": BOARDS_QUEUE},
    },
    # A wake-up that nobody took before the next one is due is worth nothing: it expires.
    beat_schedule={
        "sweep the inbox": {
            "task": "ingest.tasks.process_inbox",
            "schedule": 1.0,
            "options": {"expires": 2},
        },
        "archive the inbox": {
            "task": "ingest.tasks.archive_inbox",
            "schedule": 10.0,
            "options": {"expires": 20},
        },
        "refresh the boards": {
            "task": "leaderboard.tasks.refresh_boards",
            "schedule": 1.0,
            "options": {"expires": 2},
        },
        "watch the price of SOL": {
            "task": "ingest.tasks.watch_sol_price",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        **(HELIUS_PERIODS if os.environ.get("HELIUS_API_KEY") else {}),
    },
)
app.autodiscover_tasks(["ingest", "leaderboard"])
