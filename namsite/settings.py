"""Every setting, from the environment alone. `docs/settings.md` lists them; a test fails when one is missing there.

Without any variable this is a laptop: SQLite, a Redis-protocol server on loopback, local OCR and no model. A network of
clinics is the same code with other variables.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
ENV_FILE = env.str("ENV_FILE", default=str(BASE_DIR / ".env"))
if Path(ENV_FILE).is_file():
    env.read_env(ENV_FILE)

# --- What this installation is -------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
TESTING = env.bool("TESTING", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".demo")))

# A process without a secret key (the command line tools) gets one that dies with it; `check --deploy` refuses that.
SECRET_KEY = env.str("SECRET_KEY", default="") or secrets.token_urlsafe(50)
SECRET_KEY_IS_LASTING = bool(env.str("SECRET_KEY", default=""))
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Floors, top to bottom -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "namsite.apps.NamsiteConfig",
    "review.apps.ReviewConfig",
    "extraction.apps.ExtractionConfig",
    "accounts.apps.AccountsConfig",
    "audit.apps.AuditConfig",
    "vault.apps.VaultConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_rq",
    "ninja",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # for pages of allauth
]

MIDDLEWARE = [
    "namsite.middleware.OriginMiddleware",
    "namsite.metrics.requests.CountingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "namsite.middleware.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "namsite.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "namsite.middleware.SessionGuardMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "namsite.middleware.PrivateResponseMiddleware",
    "namsite.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "namsite.urls"
ASGI_APPLICATION = "namsite.asgi.application"
WSGI_APPLICATION = "namsite.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "namsite.context.site",
            ],
        },
    }
]

# --- State ---------------------------------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'namsite.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock when a transaction begins, so that two writers queue instead of failing; FULL
    # keeps a committed decision across a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    # A server or a network that went away without a word is noticed within half a minute, not in the two hours of the
    # kernel's own patience. What stands in DATABASE_URL wins.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,  # milliseconds
        **DATABASES["default"].get("OPTIONS", {}),
    }
    if env.bool("DATABASE_POOL", default=False):
        # For web processes only: a worker forks, and a pool's threads do not survive a fork.
        DATABASES["default"]["OPTIONS"]["pool"] = True
    # A connection that a restart of the server broke is replaced before it is used.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
ROW_SECURITY = env.bool("ROW_SECURITY", default=False)  # after `manage.py enable_row_security`
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
RQ_QUEUES = {
    "default": {
        "URL": REDIS_URL,
        "SERIALIZER": "rq.serializers.JSONSerializer",
        "DEFAULT_TIMEOUT": env.int("JOB_TIMEOUT", default=3600),
        # With redis-py's own patience of five seconds: a server that hangs is one that is away.
        "CONNECTION_CLASS": "redis.Redis",
    }
}
RQ = {"COMMIT_MODE": "auto", "JOB_CLASS": "extraction.jobs.QuietJob"}

# Sign-in counts its failures in the cache. In the database, so that a lost Redis locks nobody out and lets nobody in.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # With Django's 300, whoever fills the cache pushes out what counts their tries.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
SESSION_ENGINE = "accounts.sessions"

# --- Secrets: the vault --------------------------------------------------------------------------------------------

VAULT_KEYS = env.str("VAULT_KEYS", default="")
VAULT_INDEX_KEY = env.str("VAULT_INDEX_KEY", default="")
VAULT_KMS_KEY_ID = env.str("VAULT_KMS_KEY_ID", default="")
VAULT_DIR = Path(env.str("VAULT_DIR", default=str(DATA_DIR / "files")))
VAULT_KEY_DIR = env.str("VAULT_KEY_DIR", default="")  # empty: beside the documents
VAULT_S3_BUCKET = env.str("VAULT_S3_BUCKET", default="")
VAULT_S3_KEY_BUCKET = env.str("VAULT_S3_KEY_BUCKET", default="")
VAULT_S3_KMS_KEY_ID = env.str("VAULT_S3_KMS_KEY_ID", default="")
# Days for which a clinic's former key is kept: so long, and no longer, a backup of the database can be read.
VAULT_RENEW_DAYS = env.int("VAULT_RENEW_DAYS", default=365)  # 0: only by rotate_keys
VAULT_RETIRE_DAYS = env.int("VAULT_RETIRE_DAYS", default=35)

# --- The journal's anchors -----------------------------------------------------------------------------------------

AUDIT_ANCHOR_KEY_FILE = env.str("AUDIT_ANCHOR_KEY_FILE", default="")  # empty: no anchors
AUDIT_ANCHOR_PUBLIC_KEYS = env.str("AUDIT_ANCHOR_PUBLIC_KEYS", default="")
AUDIT_ANCHOR_DIRS = env.list("AUDIT_ANCHOR_DIRS", default=[str(DATA_DIR / "anchors")])
AUDIT_ANCHOR_S3_BUCKET = env.str("AUDIT_ANCHOR_S3_BUCKET", default="")
AUDIT_ANCHOR_S3_DAYS = env.int("AUDIT_ANCHOR_S3_DAYS", default=3653)

# --- Backups -------------------------------------------------------------------------------------------------------

BACKUP_STAMP_FILE = env.str("BACKUP_STAMP_FILE", default="")  # touched by whoever verified a backup: deploy/backup/
BACKUP_MAX_HOURS = env.int("BACKUP_MAX_HOURS", default=26)

# --- Limits on what is uploaded ------------------------------------------------------------------------------------

UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=50 * 1024 * 1024)
UPLOAD_MAX_PAGES = env.int("UPLOAD_MAX_PAGES", default=3000)
# Everything larger than the small part of a form is streamed to a handler that stops at UPLOAD_MAX_BYTES.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Uploaded bytes stay in memory: a temporary file on disk would be health information in clear text.
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_BYTES + 1024 * 1024
FILE_UPLOAD_HANDLERS = ["extraction.uploads.CappedMemoryUploadHandler"]

# --- Reading -------------------------------------------------------------------------------------------------------

OCR_READER = env.str("OCR_READER", default="local")  # local | textract
AWS_REGION = env.str("AWS_REGION", default="ca-central-1")
AWS_ENDPOINT_URL = env.str("AWS_ENDPOINT_URL", default="") or None
SAGEMAKER_ENDPOINT_URL = env.str("SAGEMAKER_ENDPOINT_URL", default="")  # a VPC endpoint of its runtime by its own name
TEXTRACT_OPTED_OUT = env.bool("TEXTRACT_OPTED_OUT", default=False)  # a person says so: docs/textract.md, step 1
TEXTRACT_BUCKET = env.str("TEXTRACT_BUCKET", default="")
TEXTRACT_KMS_KEY_ID = env.str("TEXTRACT_KMS_KEY_ID", default="")
TEXTRACT_PAGES_PER_SECOND = env.float("TEXTRACT_PAGES_PER_SECOND", default=1.0)
TEXTRACT_PARALLEL = env.int("TEXTRACT_PARALLEL", default=4)
TEXTRACT_ASYNC_PAGES = env.int("TEXTRACT_ASYNC_PAGES", default=30)

# --- The model server ----------------------------------------------------------------------------------------------

LLM_ENDPOINT = env.str("LLM_ENDPOINT", default="")  # http://10.0.3.50:8000/v1 or sagemaker://NAME; empty: pattern only
LLM_MODEL = env.str("LLM_MODEL", default="meta-llama/Llama-3.1-8B-Instruct")
LLM_PROMPT = env.str("LLM_PROMPT", default="")  # a version in extraction/llm/prompts; empty: the current one
LLM_API_KEY = env.str("LLM_API_KEY", default="")
LLM_TIMEOUT = env.float("LLM_TIMEOUT", default=60.0)
LLM_CONCURRENCY = env.int("LLM_CONCURRENCY", default=4)
LLM_ALLOWED_HOSTS = env.list("LLM_ALLOWED_HOSTS", default=[])
LLM_STATE_FILE = env.str("LLM_STATE_FILE", default="")  # where whoever starts a server of this host says how far it is
# On the model's own host: `manage.py fetch_model` and `manage.py serve_llm`.
LLM_MODELS_DIR = Path(env.str("LLM_MODELS_DIR", default=str(DATA_DIR / "models")))
VLLM_PYTHON = env.str("VLLM_PYTHON", default="")
HF_ENDPOINT = env.str("HF_ENDPOINT", default="https://huggingface.co")
HF_TOKEN = env.str("HF_TOKEN", default="")

# --- Review --------------------------------------------------------------------------------------------------------

# Per cent of signed-off pages that another person reviews again; of those with a risk, when that is more.
SECOND_REVIEW_SHARE = env.float("SECOND_REVIEW_SHARE", default=5.0)
SECOND_REVIEW_RISKY_SHARE = env.float("SECOND_REVIEW_RISKY_SHARE", default=25.0)

# --- Alerts ---------------------------------------------------------------------------------------------------------

ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])
CLOUDWATCH_NAMESPACE = env.str("CLOUDWATCH_NAMESPACE", default="")  # empty: nothing is sent
CLOUDWATCH_EMF = env.bool("CLOUDWATCH_EMF", default=False)  # as log lines, which somebody takes to CloudWatch
CLOUDWATCH_ALARM_PREFIX = env.str("CLOUDWATCH_ALARM_PREFIX", default="namsite-")
CLOUDWATCH_ALARM_ACTIONS = env.list("CLOUDWATCH_ALARM_ACTIONS", default=[])

# --- Metrics -------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # empty: there is no /metrics
# prometheus_client reads it too, when it is imported. A folder that is empty when the web processes of a port begin.
PROMETHEUS_MULTIPROC_DIR = env.str("PROMETHEUS_MULTIPROC_DIR", default="")
if not PROMETHEUS_MULTIPROC_DIR:
    env.ENVIRON.pop("PROMETHEUS_MULTIPROC_DIR", None)  # An empty one would be the folder that the process is in.

# --- People --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are opened by an administrator, never by sign-up
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {"login_failed": None, "login": None}  # accounts/limits.py counts these
# The second step. Off only where passwords are published or nothing is real: checks.py refuses anything else.
MFA_REQUIRED = env.bool("MFA_REQUIRED", default=not DEMO)
MFA_ADAPTER = "accounts.adapter.SealingAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]  # recovery codes are ours: hashed, and shown once
MFA_TOTP_ISSUER = "Repérage NAM"
MFA_TOTP_TOLERANCE = 1
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a PIN, finger or face: what is asked of a passkey alone
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}  # a clinic behind one address begins its day together
MFA_FORMS = {
    "authenticate": "accounts.sign_in_forms.CodeForm",
    "reauthenticate": "accounts.sign_in_forms.ConfirmingCodeForm",
    "activate_totp": "accounts.sign_in_forms.AppForm",
    "add_webauthn": "accounts.sign_in_forms.PasskeyForm",
}
REAUTHENTICATE_AFTER = env.int("REAUTHENTICATE_AFTER", default=5 * 60)
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 5  # seconds; the scheduler and the person who asked for a password wait for it
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="nam@localhost")

SESSION_IDLE = env.int("SESSION_IDLE", default=15 * 60)
SESSION_ABSOLUTE = env.int("SESSION_ABSOLUTE", default=12 * 3600)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

# --- Transport and headers -----------------------------------------------------------------------------------------

HTTPS = env.bool("HTTPS", default=not (DEBUG or DEMO or TESTING))
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]  # asked for on loopback, past the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Language ------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "fr-ca"
LANGUAGES = [("fr-ca", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "namsite" / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "America/Toronto"

# --- Static files --------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
# Production collects the files once into STATIC_ROOT; without it (laptop, tests) they are served from their sources.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is ever stored through it
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Logs ----------------------------------------------------------------------------------------------------------

DEFAULT_EXCEPTION_REPORTER = "namsite.logs.QuietReporter"
LOG_FORMAT = env.str("LOG_FORMAT", default="lines")  # lines | json
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "namsite.logs.ScrubFilter"}},
    "formatters": {
        "lines": {"()": "namsite.logs.LineFormatter"},
        "json": {"()": "namsite.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["scrub"],
            "formatter": "json" if LOG_FORMAT == "json" else "lines",
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "rq.worker": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        # uvicorn writes tracebacks with their texts, unless we write for it. Addresses of people are no log of ours.
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
        "pikepdf": {"level": "WARNING"},
    },
}
