"""The one settings file. The environment decides; README.md documents every variable."""

from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from pumploss import env

ROOT = Path(__file__).resolve().parent.parent

DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "pumploss.urls"
ASGI_APPLICATION = "pumploss.asgi.application"
WSGI_APPLICATION = "pumploss.wsgi.application"

# The door. Two secrets may be valid at once, so that one can be replaced without losing a delivery.
HELIUS_WEBHOOK_SECRETS = env.words("HELIUS_WEBHOOK_SECRETS")
RECEIVER_MAX_BODY_BYTES = env.integer("RECEIVER_MAX_BODY_BYTES", 16 * 1024 * 1024, least=1024)
# A body that trickles in, and many that do at once, must not hold the door open or fill the memory.
RECEIVER_BODY_SECONDS = env.integer("RECEIVER_BODY_SECONDS", 10, least=1)
RECEIVER_READING_BYTES = env.integer(
    "RECEIVER_READING_BYTES",
    max(128 * 1024 * 1024, RECEIVER_MAX_BODY_BYTES),
    least=RECEIVER_MAX_BODY_BYTES,
)
# Helius as we call it: completeness needs the key, the door does without.
HELIUS_API_KEY = env.text("HELIUS_API_KEY", "")
HELIUS_API_URL = env.text("HELIUS_API_URL", "https://api-mainnet.helius-rpc.com")
HELIUS_RPC_URL = env.text("HELIUS_RPC_URL", "https://mainnet.helius-rpc.com")
HELIUS_REQUESTS_PER_SECOND = env.integer("HELIUS_REQUESTS_PER_SECOND", 10, least=1)
# Helius documents 100,000; above about 95,000 addresses were seen to vanish without a word.
HELIUS_ADDRESSES_PER_WEBHOOK = env.integer("HELIUS_ADDRESSES_PER_WEBHOOK", 90_000, least=1)
HELIUS_SILENCE_MINUTES = env.integer("HELIUS_SILENCE_MINUTES", 30)
HELIUS_HISTORY_DAYS = env.integer("HELIUS_HISTORY_DAYS", 30)
# Where Helius reaches us from outside, such as https://your.host.
PUBLIC_URL = env.text("PUBLIC_URL", "").rstrip("/")
# Whom a booked batch wakes: ingest knows no board, so the wiring names the task.
WAKE_AFTER_BOOKING = ["leaderboard.tasks.refresh_boards"]
INBOX_BATCH_DELIVERIES = env.integer("INBOX_BATCH_DELIVERIES", 3000, least=1)
# Days for which processed bodies are kept.
INBOX_KEEP_DAYS = env.integer("INBOX_KEEP_DAYS", 14, least=1)
# Where minute prices of SOL are asked for; nowhere if empty. See pumploss/checks.py for its form.
SOL_PRICE_URL = env.text("SOL_PRICE_URL", "")
BOARD_ROWS = 100
BOARD_CACHE_SECONDS = 5

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "pumploss",
    "pnl",
    "ingest",
    "leaderboard",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASE_URL = env.text("DATABASE_URL")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60)}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must point at PostgreSQL (postgresql://…).")
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis carries wake-ups, frames and rendered boards. It may vanish: nothing true lives in it.
REDIS_URL = env.text("REDIS_URL")
REDIS_TIMEOUT_SECONDS = 1
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "pumploss",
        "OPTIONS": {
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        },
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "pumploss"},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "pumploss.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pump Loss API",
    "DESCRIPTION": "Who loses most on Pump.fun, exactly how much, and why. Money is a decimal "
    "string with its unit in the key; every answer carries `as_of`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
# Serve straight from the apps' folders where nobody ran collectstatic: development and the demo.
SERVESTATIC_USE_FINDERS = env.boolean("PUMPLOSS_STATIC_FINDERS", DEBUG)
STATIC_ROOT = None if SERVESTATIC_USE_FINDERS else ROOT / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if SERVESTATIC_USE_FINDERS
        else "pumploss.storage.HashedStaticFiles"
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
HTTPS_ONLY = env.boolean("HTTPS_ONLY", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Scanners ask for hosts we are not; the answer is a plain 400 and needs no traceback.
    "loggers": {
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # At DEBUG it tells every URL, and Helius' have the key in them.
        "urllib3": {"level": "INFO"},
    },
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}
