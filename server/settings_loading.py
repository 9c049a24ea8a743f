"""Reading settings, and refusing what would not work or would quietly do nothing.

A value comes from the environment (`YUANXIN_<NAME>`, or a file named by `YUANXIN_<NAME>_FILE` for
secrets), else from the TOML file named by `YUANXIN_CONFIG`, else it is the default.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from server.settings import PREFIX, BadSetting, Settings

LOG_LEVELS = ("debug", "info", "warning", "error")
REDIS_SCHEMES = ("redis", "rediss", "unix")
CHOICES = {
    "mail_notice_show": ("nothing", "sender", "subject"),
    "wecom_binding": ("none", "listed", "account"),
    "wecom_sync": ("off", "from_wecom", "to_wecom"),
    "wecom_groups": ("off", "owner_chooses", "messages", ""),
}
ADDRESSES = "public_url wecom_api_base wecom_authorize_url wecom_qr_url sms_url oa_endpoint".split()
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {  # the least and the most
    "http_port": (0, 65_535),
    "worker_port": (0, 65_000),
    "sandbox_port": (0, 65_535),
    "storage_queue": (1, 10_000_000),
    "session_idle_hours": (1, 8_760),
    "session_days": (1, 3_650),
    "ping_interval_ms": (50, 3_600_000),
    "ping_timeout_ms": (50, 3_600_000),
    "drain_seconds": (0, 600),
    "recall_seconds": (0, 86_400),
    "notice_first_seconds": (1, 15),
    "notice_merge_seconds": (0, 86_400),
    "notice_calls_per_second": (1, 10_000),
    "mail_recipients": (1, 100_000),
    "wecom_callback_max_age": (0, 86_400),
    "wecom_sync_hour": (0, 23),
    "oa_calls_per_second": (1, 10_000),
    "oa_poll_seconds": (1, 86_400),
    "his_period_seconds": (1, 86_400),
}


def load(environ: Mapping[str, str]) -> Settings:
    """Read all settings. Raises BadSetting."""
    given = _from_file(environ.get(PREFIX + "CONFIG", ""))
    for declared in fields(Settings):
        name = PREFIX + declared.name.upper()
        if name in environ:
            given[declared.name] = environ[name]
        elif name + "_FILE" in environ:
            given[declared.name] = _read_secret(name, environ[name + "_FILE"])
    values = {f.name: _convert(f, given[f.name]) for f in fields(Settings) if f.name in given}
    return _check(Settings(**values))


def unknown_names(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none: misspelt ones, most likely."""
    known = {PREFIX + "CONFIG"}
    for declared in fields(Settings):
        name = PREFIX + declared.name.upper()
        known |= {name, name + "_FILE"}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _from_file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise BadSetting(f"{PREFIX}CONFIG: {path} cannot be read: {fault}") from None
    known = {f.name for f in fields(Settings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadSetting(f"{path}: unknown settings {', '.join(unknown)}")
    for name, value in given.items():
        if not isinstance(value, str | int):
            # A list would become words with brackets and quotes, which nothing ever equals.
            raise BadSetting(f'{path}: {name} must be one value; several stand in one text: "a,b"')
    return given


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise BadSetting(f"{name}_FILE: {path} cannot be read: {fault}") from None


def _convert(declared: Field[Any], value: Any) -> Any:
    kind, name = declared.type, PREFIX + declared.name.upper()
    text = str(value).strip()
    if kind is bool:
        if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
            raise BadSetting(f"{name} must be on or off, not {text!r}")
        return text.lower() in ("1", "true", "yes", "on")
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise BadSetting(f"{name} must be a whole number, not {text!r}") from None
    if kind is not Path:
        return text
    if not text:
        raise BadSetting(f"{name} is empty: name a folder, or leave it out")
    return Path(text)


def _check(settings: Settings) -> Settings:
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(settings, name) <= most:
            raise BadSetting(f"{PREFIX}{name.upper()} must be between {least} and {most}")
    if settings.log_level.lower() not in LOG_LEVELS:
        raise BadSetting(f"{PREFIX}LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}")
    for name, words in CHOICES.items():
        if getattr(settings, name) not in words:
            known = ", ".join(filter(None, words))
            raise BadSetting(f"{PREFIX}{name.upper()} must be one of {known}")
    for name in ADDRESSES:
        if not _is_address(getattr(settings, name)):
            raise BadSetting(f"{PREFIX}{name.upper()} must be http://host/… or https://host/…")
    if settings.wecom_sync == "to_wecom" and not settings.wecom_sync_secret:
        raise BadSetting(f"{PREFIX}WECOM_SYNC=to_wecom needs {PREFIX}WECOM_SYNC_SECRET")
    for name in ("oa_timezone", "his_timezone"):
        zone = getattr(settings, name)
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise BadSetting(f"{PREFIX}{name.upper()}: there is no zone {zone!r} here") from None
    for name, keys in (
        ("HIS_KEYS", settings.his_secrets),
        ("OA_WEBHOOK_KEYS", settings.oa_webhook_secrets),
    ):
        if not all(id and secret for id, secret in keys.items()):
            raise BadSetting(f"{PREFIX}{name} must be id:secret, several separated by commas")
    if settings.storage_url and not settings.storage_url.startswith("mongodb://"):
        raise BadSetting(f"{PREFIX}STORAGE_URL must begin with mongodb://, or be empty")
    if settings.tls_key and not settings.tls_certificate:
        raise BadSetting(f"{PREFIX}TLS_KEY without {PREFIX}TLS_CERTIFICATE would serve without TLS")
    _check_proxies(settings.proxies)
    _check_files(settings.oa_files_url)
    _check_redis(settings.redis_url)
    if settings.wecom_api_base and not settings.wecom_api_base.endswith("/cgi-bin/"):
        raise BadSetting(f"{PREFIX}WECOM_API_BASE must end with /cgi-bin/")
    if settings.wecom_callback_aes_key and len(settings.wecom_callback_aes_key) != 43:
        raise BadSetting(f"{PREFIX}WECOM_CALLBACK_AES_KEY must have 43 characters")
    return settings


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return not url or (parts.scheme in ("http", "https") and bool(parts.hostname))
    except ValueError:
        return False


def _check_proxies(proxies: frozenset[str]) -> None:
    """Raises BadSetting: with one that is never met, all share the proxy's limit of failed sign-ins."""
    try:
        set(map(ip_address, proxies))
    except ValueError as fault:
        raise BadSetting(f"{PREFIX}TRUSTED_PROXIES must be IP addresses: {fault}") from None


def _check_files(url: str) -> None:
    """Raises BadSetting: whatever goes into the place of the number, the host has to stay the same."""
    try:
        parts = urlsplit(url)
        is_good = not url or (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.username is None
            and "{id}" not in parts.netloc
            and url.count("{id}") == 1
        )
    except ValueError:
        is_good = False
    if not is_good:
        raise BadSetting(
            f"{PREFIX}OA_FILES_URL must be http(s)://host/… with {{id}} once, after the host"
        )


def _check_redis(url: str) -> None:
    """Raises BadSetting, which does not show the url: there may be a password in it."""
    try:
        parts = urlsplit(url)
        is_good = not url or (parts.scheme in REDIS_SCHEMES and parts.port != 0)
    except ValueError:
        is_good = False
    if not is_good:
        raise BadSetting(
            f"{PREFIX}REDIS_URL must be redis://[[user]:password@]host[:port][/database], "
            "rediss:// the same, or unix://path"
        )
