"""Every setting, once: name, type, default, unit and a sentence.

Read and checked by `settings_loading`. Secrets never show in a repr or in what `python -m server settings`
prints.
"""

import re
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "YUANXIN_"


class BadSetting(Exception):
    """A setting that cannot be used; the text says which one and why."""


def setting(default: Any, sentence: str, *, secret: bool = False) -> Any:
    """Declare a setting."""
    meta = {"sentence": sentence, "secret": secret}
    return field(default=default, repr=not secret, metadata=meta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may decide."""

    http_host: str = setting(
        "127.0.0.1", "Address to listen on; 0.0.0.0 behind a firewall or proxy."
    )
    http_port: int = setting(8080, "Port of pages, commands and sockets.")
    worker_port: int = setting(
        0,
        "First of the ports that workers have each for itself, beside the one they share: for figures, "
        "and for clients that have to stay with one; 0: none.",
    )
    public_url: str = setting(
        "",
        "How phones reach the server, as used in cards and sign-in; empty: this machine itself.",
    )
    tls_certificate: str = setting(
        "", "PEM file of a certificate with its chain, to serve TLS without a proxy; empty: plain."
    )
    tls_key: str = setting("", "PEM file of its key; empty: in the certificate's file.")
    trusted_proxies: str = setting(
        "", "Addresses, separated by commas, whose X-Forwarded-For is believed."
    )
    data_dir: Path = setting(Path("var"), "Folder of everything that is kept.")
    storage_url: str = setting(
        "",
        "Where data lives: empty = SQLite in the data folder, or mongodb://… of a replica set.",
        secret=True,
    )
    storage_queue: int = setting(
        10_000, "Changes that may wait for the disk before commands are answered with busy."
    )
    redis_url: str = setting(
        "", "Redis that links several nodes, redis://…; empty: one node.", secret=True
    )
    drain_seconds: int = setting(
        0,
        "How long a server that is told to stop still accepts while /readyz says no; as long as the "
        "proxy in front takes to notice.",
    )
    log_level: str = setting("info", "debug, info, warning or error.")

    session_idle_hours: int = setting(72, "Hours without use after which a sign-in ends.")
    session_days: int = setting(30, "Days after which a sign-in ends in any case.")
    ping_interval_ms: int = setting(25_000, "Milliseconds between two pings to a connection.")
    ping_timeout_ms: int = setting(10_000, "Milliseconds within which a ping must be answered.")

    recall_seconds: int = setting(
        120, "How long a message may be recalled by its sender (up to 86400)."
    )
    notice_first_seconds: int = setting(
        8, "How long a message waits for its reader before WeCom is asked to ring (up to 15)."
    )
    notice_merge_seconds: int = setting(
        60, "Further messages of a conversation are merged into one notice for this long."
    )
    notice_show_text: bool = setting(
        False, "Whether notices show the beginning of a message's text."
    )
    notice_calls_per_second: int = setting(50, "Calls to WeCom a second at most.")

    mail_recipients: int = setting(
        200, "People one mail may go to, but for leaders, editors and the administrator."
    )
    mail_notice_show: str = setting(
        "sender", "What a notice of new mail shows: nothing, sender, or subject (and sender)."
    )

    sandbox_port: int = setting(8090, "Port of the stand-ins for WeCom, OA and HIS.")

    wecom_api_base: str = setting(
        "", "WeCom's API, ends with /cgi-bin/; empty: no notices are sent."
    )
    wecom_corp_id: str = setting("", "The hospital's corp id in WeCom.")
    wecom_agent_id: int = setting(1_000_002, "The app's agent id in WeCom.")
    wecom_secret: str = setting("", "The app's secret.", secret=True)
    wecom_authorize_url: str = setting(
        "", "Where pages inside WeCom go to sign in; empty: WeCom's own address."
    )
    wecom_qr_url: str = setting(
        "", "Where other browsers go to show a QR picture; empty: WeCom's own address."
    )
    wecom_binding: str = setting(
        "listed",
        "Which WeCom ids are somebody's without being confirmed: none, listed (in the staff list), or "
        "account (also those that equal an account).",
    )
    wecom_asks_phone: bool = setting(
        False,
        "Whether members whose WeCom id is nobody's yet may show their phone number and company mail in "
        "WeCom, to be known by them without typing.",
    )
    wecom_groups: str = setting(
        "",
        "Groups in WeCom: off; owner_chooses: the owner of a group may have it made there, with its "
        "members and name; messages: and may have its texts shown there too. Empty: off.",
    )
    wecom_groups_except: str = setting(
        "", "Words separated by commas; a group whose name holds one is never shown in WeCom."
    )
    wecom_callback_token: str = setting("", "Token of WeCom's callback.", secret=True)
    wecom_callback_aes_key: str = setting(
        "", "EncodingAESKey of the callback, 43 characters.", secret=True
    )
    wecom_callback_max_age: int = setting(300, "Seconds a callback may be old; 0 = not checked.")

    sms_url: str = setting(
        "", "The hospital's SMS gateway, for codes that confirm a WeCom id; empty: passwords only."
    )
    sms_secret: str = setting("", "What the gateway knows us by.", secret=True)
    wecom_sync: str = setting(
        "off",
        "Whether people and departments are brought together with WeCom's contacts: off, from_wecom, or "
        "to_wecom.",
    )
    wecom_sync_secret: str = setting(
        "",
        "Secret of WeCom's contacts interface (通讯录同步); needed by to_wecom, useful to from_wecom.",
        secret=True,
    )
    wecom_sync_hour: int = setting(
        2, "Hour of the night, at the hospital, when all of it is compared."
    )
    wecom_sync_number: str = setting(
        "工号", "Name of the members' further field in WeCom that holds the staff number."
    )

    oa_wsdl: str = setting("", "WSDL of the OA, path or URL; empty: the bundled one.")
    oa_endpoint: str = setting("", "Address of the OA's WorkflowService; empty: no documents.")
    oa_calls_per_second: int = setting(20, "Calls to the OA a second at most.")
    oa_poll_seconds: int = setting(3, "Seconds between two readings for pages on screen.")
    oa_timezone: str = setting("Asia/Shanghai", "Zone of the times the OA gives.")
    oa_headers: str = setting(
        "", "Further headers of every OA call, as `Name: value` separated by |.", secret=True
    )

    oa_files_url: str = setting(
        "",
        "Address of a file of the OA, with {id} for its number; empty: attachments are named and "
        "cannot be opened.",
    )

    oa_card_kinds: str = setting(
        "*",
        "Kinds of documents (workflow names, separated by commas) that may be approved on a WeCom card; "
        "* = all, empty = none.",
    )
    oa_card_risks: str = setting(
        "金额,费用,付款,支付,借款,报销,采购,招标,合同,预算,薪,奖金,任免,处分,密级,机密,秘密,绝密,涉密,保密",
        "Words in a document's kind, title or form that keep it from being approved on a card.",
    )

    oa_webhook_keys: str = setting(
        "",
        "Keys the OA signs with when it says for whom something changed, `id:secret` separated by commas; "
        "empty: it cannot, and is only asked in turn.",
        secret=True,
    )

    his_keys: str = setting(
        "",
        "Keys the HIS signs with, `id:secret` separated by commas; empty: no live figures are taken.",
        secret=True,
    )
    his_period_seconds: int = setting(
        10, "How often the HIS sends something; figures are stale after two missed times."
    )
    his_timezone: str = setting(
        "Asia/Shanghai", "Zone in which the hospital's day begins, and of quiet hours for notices."
    )

    @property
    def url(self) -> str:
        """How phones reach the server, without a slash at the end."""
        return (self.public_url or f"{self.scheme}://127.0.0.1:{self.http_port}").rstrip("/")

    @property
    def scheme(self) -> str:
        """How this server itself is spoken to."""
        return "https" if self.tls_certificate else "http"

    @property
    def database(self) -> Path:
        """The embedded store's file."""
        return self.data_dir / "yuanxin.db"

    @property
    def proxies(self) -> frozenset[str]:
        """The addresses of trusted proxies."""
        return frozenset(p.strip() for p in self.trusted_proxies.split(",") if p.strip())

    @property
    def his_secrets(self) -> dict[str, str]:
        """The HIS's secrets by key id."""
        return _secrets(self.his_keys)

    @property
    def oa_webhook_secrets(self) -> dict[str, str]:
        """The OA's secrets by key id."""
        return _secrets(self.oa_webhook_keys)

    @property
    def hears_wecom(self) -> bool:
        """Whether WeCom can call back."""
        return bool(self.wecom_callback_token and self.wecom_callback_aes_key)

    @property
    def oa_kinds_on_cards(self) -> frozenset[str]:
        """The kinds of documents whose cards may have a yes; `*` stands for all."""
        return frozenset(_words(self.oa_card_kinds))

    @property
    def oa_words_of_risk(self) -> tuple[str, ...]:
        """Words that keep a document's card from having a yes."""
        return _words(self.oa_card_risks)

    @property
    def wecom_group_words(self) -> tuple[str, ...]:
        """What keeps a group out of WeCom when its name holds it, without case."""
        return tuple(word.casefold() for word in _words(self.wecom_groups_except))

    @property
    def oa_extra_headers(self) -> dict[str, str]:
        """Further headers of OA calls by name."""
        pairs = (line.partition(":") for line in self.oa_headers.split("|") if line.strip())
        return {name.strip(): value.strip() for name, _, value in pairs}


def _words(text: str) -> tuple[str, ...]:
    """What stands between commas, also those of a Chinese keyboard: unseen ones would switch a rule off."""
    return tuple(word.strip() for word in re.split("[,，、]", text) if word.strip())


def _secrets(keys: str) -> dict[str, str]:
    pairs = (pair.partition(":") for pair in keys.split(",") if pair.strip())
    return {id.strip(): secret.strip() for id, _, secret in pairs}


def describe() -> str:
    """All settings with type, default and sentence, as a table in plain text."""
    lines = []
    for declared in fields(Settings):
        assert declared.default is not MISSING
        kind = getattr(declared.type, "__name__", str(declared.type))
        default = "" if declared.metadata["secret"] else str(declared.default)
        also = f" (or {PREFIX}{declared.name.upper()}_FILE)" if declared.metadata["secret"] else ""
        lines.append(
            f"{PREFIX}{declared.name.upper()}{also}\n    {kind}, default: {default or '(empty)'}"
            f"\n    {declared.metadata['sentence']}"
        )
    return "\n".join(lines)
