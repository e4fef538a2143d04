"""The session's cookie as text: finding it in a header, signing it, reading it, writing it.

The format is that of itsdangerous and Werkzeug, who are asked wherever the quick ways here
don't see at a glance what is to be done. Nothing here knows what a session is.
"""

from __future__ import annotations

import hmac
import re
import zlib
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from werkzeug.http import dump_cookie

from .lazy import lazy

if TYPE_CHECKING:
    from datetime import datetime

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")

# The longest text whose length when compressed is found with a small window.
_SHORT = 250


def _encode(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URLSAFE)


def _decode(text: bytes) -> bytes:
    return a2b_base64(text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4))


def _signature(mac: hmac.HMAC, text: bytes) -> bytes:
    mac = mac.copy()
    mac.update(text)
    return _encode(mac.digest())


class SessionSerializer(URLSafeTimedSerializer):
    """itsdangerous' serializer, which derives its keys once.

    What it writes is the same to the byte. What it can't read at once it leaves to
    itsdangerous, whose errors are the ones that are raised.

    PERF: a quarter of the time for each of the two; benchmarks/bench_session.py.
    """

    @lazy
    def _signer(self) -> TimestampSigner:
        return self.make_signer()  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    @lazy
    def _macs(self) -> list[hmac.HMAC]:
        """What signs, by each key: the newest, which is in use, first."""
        signer = self._signer
        return [
            hmac.new(signer.derive_key(key), digestmod=signer.digest_method)
            for key in reversed(self.secret_keys)
        ]

    def loads(  # type: ignore[override]  # as itsdangerous' own
        self,
        s: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
        salt: str | bytes | None = None,
    ) -> Any:
        """Verify and read what :meth:`dumps` wrote; see itsdangerous."""
        if type(s) is str and max_age is not None and salt is None and not return_timestamp:
            payload = self._verified(s.encode(), max_age)
            if payload is not None:
                return self.load_payload(payload)
        return super().loads(s, max_age, return_timestamp, salt)

    def _verified(self, signed: bytes, max_age: int) -> bytes | None:
        """Return the payload, if its signature is right and it is young enough."""
        text, _, signature = signed.rpartition(b".")
        payload, _, stamp = text.rpartition(b".")
        if len(stamp) != 6:
            # As many letters as four bytes take: the years 1970 to 2106.
            return None
        for mac in self._macs:
            if hmac.compare_digest(_signature(mac, text), signature):
                break
        else:
            return None
        try:
            age = self._signer.get_timestamp() - int.from_bytes(_decode(stamp), "big")
        except ValueError:
            return None
        return payload if 0 <= age <= max_age else None

    def load_payload(self, payload: bytes, *args: Any, **kwargs: Any) -> Any:
        """Read a payload that was verified; see itsdangerous."""
        if self.is_text_serializer and not (args or kwargs):
            try:
                if payload[:1] == b".":
                    data = zlib.decompress(_decode(payload[1:]))
                else:
                    data = _decode(payload)
                return self.serializer.loads(data.decode())
            except Exception:
                # itsdangerous says what is wrong with it, below.
                pass
        return super().load_payload(payload, *args, **kwargs)

    def dumps(self, obj: Any, salt: str | bytes | None = None) -> Any:
        """Write and sign; see itsdangerous."""
        if salt is not None or not self.is_text_serializer or self.serializer_kwargs:
            return super().dumps(obj, salt)
        text = _shortened(self.serializer.dumps(obj).encode())
        text += _stamp(self._signer.get_timestamp())
        return (text + b"." + _signature(self._macs[0], text)).decode()


@lru_cache(maxsize=2)
def _stamp(time: int) -> bytes:
    return b"." + _encode(time.to_bytes((time.bit_length() + 7) // 8, "big"))


def _shortened(data: bytes) -> bytes:
    """Return ``data`` in base64, compressed behind a dot where that is shorter.

    PERF: setting up zlib's tables takes longer than all else about a short session does.
    A window of 1 KiB, which costs a tenth of it, tells as well whether compressing pays;
    benchmarks/bench_session.py.
    """
    if len(data) <= _SHORT:
        small = zlib.compressobj(wbits=10, memLevel=4)
        if len(small.compress(data)) + len(small.flush()) > len(data) + 2:
            return _encode(data)
    compressed = zlib.compress(data)
    return b"." + _encode(compressed) if len(compressed) < len(data) - 1 else _encode(data)


def find_cookie(header: str, name: str) -> str | None:
    """Return the value of the one cookie ``name``; ``None`` where a parser has to look.

    That is: where the header has the name more than once or not at all, quotes, or a
    value of other characters than a signed session has.

    PERF: a tenth of what parsing all cookies takes; benchmarks/bench_session.py.
    """
    if '"' in header or not header.isascii() or header.count(name) != 1:
        return None
    found = _cookie_pattern(name).search(header)
    return None if found is None else found[1]


@lru_cache(maxsize=16)
def _cookie_pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\A|; ){re.escape(name)}=([A-Za-z0-9._-]+)(?:;|\Z)")


@lru_cache(maxsize=16)
def cookie_attributes(
    name: str,
    expires: datetime | None,
    domain: str | None,
    path: str,
    secure: bool,
    partitioned: bool,
    samesite: str | None,
    httponly: bool,
) -> str | None:
    """Return what comes after the value in a ``Set-Cookie`` header, as Werkzeug writes it.

    ``None`` for a name that Werkzeug changes.

    PERF: it stays the same for as long as the settings do, or for the second that
    ``expires`` names; benchmarks/bench_session.py.
    """
    written = dump_cookie(
        name,
        "",
        expires=expires,
        domain=domain,
        path=path,
        secure=secure,
        partitioned=partitioned,
        samesite=samesite,
        httponly=httponly,
        max_size=0,
    )
    head = f"{name}="
    return written[len(head) :] if written.startswith(head) else None
