"""The callback cipher against Tencent's samples and against everything that is wrong with them."""

import base64
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from server.integrations.wecom.crypto import BadCallback, CallbackCipher, key_fault
from server.integrations.wecom.envelope import encrypted_part, read_flat

VECTORS = json.loads(
    (Path(__file__).parents[2] / "data" / "wecom_callback.json").read_text("utf-8")
)["vectors"]
KEY = "KIkfMYcwnfIT8IKFRFhNi0WL2WJiDH3YCCM5Yx6yqXY"


def vectors(*kinds: str, wrong: bool = False) -> list[Any]:
    return [
        pytest.param(vector, id=vector["id"])
        for vector in VECTORS
        if vector["kind"] in kinds and ("expect_error" in vector) is wrong
    ]


def cipher_of(vector: dict[str, str], max_age_s: int = 0) -> CallbackCipher:
    return CallbackCipher(
        vector["token"], vector["encoding_aes_key"], vector["receive_id"], max_age_s
    )


def opened(vector: dict[str, str], max_age_s: int = 0, now_s: float = 0) -> bytes:
    encrypted = vector.get("echostr") or encrypted_part(vector["body_xml"].encode())
    proof = (vector["msg_signature"], vector["timestamp"], vector["nonce"])
    return cipher_of(vector, max_age_s).open(encrypted, *proof, now_s)


@pytest.mark.parametrize("vector", vectors("url_verify", "message_decrypt"))
def test_a_genuine_callback_opens(vector: dict[str, str]) -> None:
    assert opened(vector).decode() == vector["expect_plaintext"]


@pytest.mark.parametrize("vector", vectors("url_verify", "message_decrypt", wrong=True))
def test_a_wrong_one_is_refused_for_what_is_wrong_with_it(vector: dict[str, str]) -> None:
    with pytest.raises(BadCallback) as refused:
        opened(vector)

    assert refused.value.fault == vector["expect_error"]


@pytest.mark.parametrize("vector", vectors("encrypt_payload", "encrypt_envelope"))
def test_a_reply_is_sealed_as_the_samples_are(vector: dict[str, str]) -> None:
    envelope = cipher_of(vector).seal(
        vector["plaintext"].encode(),
        vector.get("timestamp", "1"),
        vector.get("nonce", "n"),
        vector["random16"].encode(),
    )

    assert envelope.encrypted == vector["expect_encrypt"]
    assert vector.get("expect_msg_signature", envelope.signature) == envelope.signature
    assert read_flat(envelope.xml().encode())["Encrypt"] == envelope.encrypted


def test_a_plus_in_the_address_is_still_one_after_decoding() -> None:
    vector = next(one for one in VECTORS if "query_string" in one)
    query = {name: values[0] for name, values in parse_qs(vector["query_string"]).items()}

    assert opened({**vector, "echostr": query["echostr"]}).decode() == vector["expect_plaintext"]


@given(st.binary(max_size=200), st.text(st.sampled_from("abc0123"), max_size=20))
def test_what_is_sealed_opens_whatever_its_length(message: bytes, receive_id: str) -> None:
    cipher = CallbackCipher("token", KEY, receive_id, 0)
    sealed = cipher.seal(message, "1700000000", "n")

    assert cipher.open(sealed.encrypted, sealed.signature, "1700000000", "n", 0) == message


@given(st.binary(max_size=96))
def test_garbage_with_a_good_signature_is_refused(garbage: bytes) -> None:
    """Whoever knows the token but not the key."""
    cipher = CallbackCipher("token", KEY, "corp", 0)
    encrypted = base64.b64encode(garbage).decode()
    with pytest.raises(BadCallback):
        cipher.open(encrypted, cipher.sign("1", "n", encrypted), "1", "n", 0)


@pytest.mark.parametrize(
    "plain",
    [
        b"short" + bytes([27]) * 27,
        b"p" * 16 + (1_000).to_bytes(4, "big") + b"x" * 11 + b"\x01",
        b"p" * 31 + b"\x00",
        b"p" * 31 + b"\x21",
        b"p" * 30 + b"\x01\x02",
    ],
    ids=["no length", "length too great", "no padding", "padding too great", "padding mixed"],
)
def test_a_damaged_inside_is_refused(plain: bytes) -> None:
    cipher = CallbackCipher("token", KEY, "corp", 0)
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    encrypted = base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
    with pytest.raises(BadCallback) as refused:
        cipher.open(encrypted, cipher.sign("1", "n", encrypted), "1", "n", 0)

    assert refused.value.fault == "decrypt"


def opened_at(now_s: float, timestamp: str) -> bytes:
    cipher = CallbackCipher("token", KEY, "corp", 300)
    sealed = cipher.seal(b"m", timestamp, "n")
    return cipher.open(sealed.encrypted, sealed.signature, timestamp, "n", now_s)


@pytest.mark.parametrize("timestamp", ["1700000000", "1700000300", "1699999700"])
def test_a_recent_callback_opens(timestamp: str) -> None:
    assert opened_at(1_700_000_000, timestamp) == b"m"


@pytest.mark.parametrize(
    "timestamp", ["1700000301", "1699999699", "soon", "", "١٧", "1" * 5_000], ids=lambda t: t[:10]
)
def test_an_old_callback_is_refused(timestamp: str) -> None:
    with pytest.raises(BadCallback, match="age"):
        opened_at(1_700_000_000, timestamp)


@pytest.mark.parametrize("signature", ["", "x", "é", "\ud800"])
def test_a_signature_of_any_shape_is_compared(signature: str) -> None:
    with pytest.raises(BadCallback, match="signature"):
        CallbackCipher("token", KEY, "corp", 0).open("AAAA", signature, "1", "n", time.time())


@pytest.mark.parametrize(
    ("token", "key", "words"),
    [
        ("token", KEY, None),
        ("token", KEY[:-1], "43 characters, it has 42"),
        ("token", KEY + "=", "43 characters, it has 44"),
        ("token", "", "43 characters, it has 0"),
        ("token", KEY[:-1] + "+", "letters and digits only"),
        ("", KEY, "callback token"),
        ("t" * 33, KEY, "callback token"),
        ("to-ken", KEY, "callback token"),
    ],
)
def test_wrong_settings_are_named_at_start(token: str, key: str, words: str | None) -> None:
    fault = key_fault(token, key)

    assert (fault is None) if words is None else (fault is not None and words in fault)
    assert fault is None or not key or key not in fault
    if fault:
        with pytest.raises(ValueError, match="callback"):
            CallbackCipher(token, key, "corp")


def test_neither_token_nor_key_is_shown() -> None:
    shown = repr(CallbackCipher("thetoken", KEY, "corp"))

    assert "thetoken" not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml>",
        b"<xml></xml>",
        b"<xml><Encrypt/></xml>",
        b"not xml",
        b"\xff\xfe<",
        b'<?xml version="1.0" encoding="klingon"?><xml/>',
        b"<xml>" * 100,
        b'<!DOCTYPE x [<!ENTITY e "z">]><xml><Encrypt>&e;</Encrypt></xml>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml><Encrypt>a</Encrypt></xml>',
        b"<xml><Encrypt>" + b"A" * 1_100_000 + b"</Encrypt></xml>",
    ],
    ids=lambda body: str(body[:20]),
)
def test_a_malformed_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        encrypted_part(body)


def test_nested_parts_are_named_by_their_path() -> None:
    body = b"<xml><Event>batch_job_result</Event><BatchJob><JobId>7</JobId></BatchJob></xml>"

    assert read_flat(body)["BatchJob.JobId"] == "7"
