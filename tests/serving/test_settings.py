from __future__ import annotations

import re
import resource
from pathlib import Path
from typing import Any

import click
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from brim.cli.serve import serve_command
from brim.serving import Settings
from brim.serving.settings import LOG_SAMPLE, usable_cores
from tests.serving.support import certificate, settings


def test_there_is_a_worker_for_each_core_that_can_be_used() -> None:
    assert settings().worker_count == usable_cores() >= 1
    assert settings(workers=3).worker_count == 3


def test_a_worker_holds_half_as_many_connections_as_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = iter([1000, 100, 1_000_000, resource.RLIM_INFINITY])
    monkeypatch.setattr(resource, "getrlimit", lambda which: (next(limits), 0))
    assert [settings().connections_per_worker for _ in range(4)] == [500, 256, 8192, 8192]
    assert settings(connections=7).connections_per_worker == 7


def refused(given: Settings) -> str:
    with pytest.raises(click.UsageError) as caught:
        given.check_files()
    return caught.value.format_message()


def test_a_certificate_and_its_key_are_both_needed_and_have_to_fit(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    settings(cert=cert, key=key).check_files()
    settings().check_files()
    assert "'--cert' is given without '--key'" in refused(settings(cert=cert))
    assert "'--key' is given without '--cert'" in refused(settings(key=key))
    assert "No certificate with its key" in refused(settings(cert=key, key=cert))
    assert "No certificate with its key" in refused(settings(cert=cert, key=tmp_path))
    (tmp_path / "other").mkdir()
    _, other = certificate(tmp_path / "other")
    assert "No certificate with its key" in refused(settings(cert=cert, key=other))


def test_a_key_with_a_password_is_refused_rather_than_asked_for(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    key.write_bytes(locked)
    assert "is encrypted" in refused(settings(cert=cert, key=key))


def test_http2_without_tls_is_served_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    settings(http="2").check_files()
    assert "no browser does" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("%(foo)s", "there is no 'foo'"),
        ("%(addr)d", "%d format"),
        ("100%", "incomplete format"),
        ("%s %s", "not enough arguments"),
        ("%(header{host})d", "there is no 'header{host}'"),
    ],
)
def test_a_form_of_the_access_log_that_would_fail_at_each_request_is_refused(
    text: str, why: str
) -> None:
    said = refused(settings(access_log_format=text))
    assert why in said and "%(dt_ms).3f, %(status)d" in said


def test_a_form_of_the_access_log_has_what_the_help_says() -> None:
    (option,) = (each for each in serve_command.params if each.name == "access_log_format")
    said = re.findall(r"%\(.+?\)\.?\d?[a-z]", str(option.to_info_dict()["help"]))
    assert len(said) == len(LOG_SAMPLE) + 1
    settings(access_log_format=" ".join([*said, "100%% %(header{X-Id})s"])).check_files()


def test_a_folder_that_holds_the_project_or_the_application_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tmp_path / "shop"
    (shop / "static").mkdir(parents=True)
    monkeypatch.chdir(shop)
    for folder in (shop, tmp_path):
        said = refused(settings(static=(("/s", folder),)))
        assert f"--static /s={folder} would show everybody the working directory" in said
        assert said.endswith("--static /s=static.")
    below = settings(static=(("/s", shop / "static"),))
    below.check_files()
    assert below.published(shop / "web.py", "") == ""
    assert "the module" in below.published(shop / "static" / "web.py", "the module")


def test_a_quota_of_a_container_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def quota(self: Path, *args: Any) -> str:
        return "50000 100000\n"

    monkeypatch.setattr(Path, "read_text", quota)
    assert usable_cores() == 1
