"""Helpers of the tests of the production server: settings, and a certificate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from brim.serving import Settings


def settings(**given: Any) -> Settings:
    """Settings as the command has them by default, on a free port."""
    defaults: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "unix_socket": None,
        "unix_socket_mode": None,
        "workers": None,
        "threads": 4,
        "interface": "auto",
        "cert": None,
        "key": None,
        "http": "auto",
        "access_log": False,
        "access_log_format": None,
        "static": (),
        "static_max_age": 0,
        "log_level": "info",
        "graceful_timeout": 30.0,
        "backlog": 128,
        "connections": None,
    }
    return Settings(**{**defaults, **given})


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
