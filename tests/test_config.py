from __future__ import annotations

import errno
import json
import os
import tomllib
from collections import UserDict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brim.config import SETTINGS, Config, ConfigAttribute, default_config


class Base:
    TIMEOUT = 3
    helper = 4


class Production(Base):
    HOST = "db"

    @property
    def URI(self) -> str:
        return f"pg://{self.HOST}"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)


# The settings -----------------------------------------------------------------------


def test_defaults_are_those_of_flask_3_1_3() -> None:
    """Recorded from ``flask.Flask.default_config``; the rest is Brim's own."""
    own = {
        "BACKGROUND_TASK_SHUTDOWN_TIMEOUT": 5.0,
        "REDIRECT_CODE": 302,
        "WEBSOCKET_ALLOWED_ORIGINS": (),
        "WEBSOCKET_MAX_MESSAGE_SIZE": 1024 * 1024,
        "WEBSOCKET_MAX_THREADS": 500,
        "WEBSOCKET_PING_INTERVAL": 20.0,
        "WEBSOCKET_PING_TIMEOUT": 20.0,
    }
    assert dict(default_config) == own | {
        "APPLICATION_ROOT": "/",
        "DEBUG": False,
        "EXPLAIN_TEMPLATE_LOADING": False,
        "MAX_CONTENT_LENGTH": None,
        "MAX_COOKIE_SIZE": 4093,
        "MAX_FORM_MEMORY_SIZE": 500_000,
        "MAX_FORM_PARTS": 1000,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
        "PREFERRED_URL_SCHEME": "http",
        "PROPAGATE_EXCEPTIONS": None,
        "PROVIDE_AUTOMATIC_OPTIONS": True,
        "SECRET_KEY": None,
        "SECRET_KEY_FALLBACKS": None,
        "SEND_FILE_MAX_AGE_DEFAULT": None,
        "SERVER_NAME": None,
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_NAME": "session",
        "SESSION_COOKIE_PARTITIONED": False,
        "SESSION_COOKIE_PATH": None,
        "SESSION_COOKIE_SAMESITE": None,
        "SESSION_COOKIE_SECURE": False,
        "SESSION_REFRESH_EACH_REQUEST": True,
        "TEMPLATES_AUTO_RELOAD": None,
        "TESTING": False,
        "TRAP_BAD_REQUEST_ERRORS": None,
        "TRAP_HTTP_EXCEPTIONS": False,
        "TRUSTED_HOSTS": None,
        "USE_X_SENDFILE": False,
    }


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_setting_is_described(setting: Any) -> None:
    assert setting.name.isupper()
    assert setting.doc.endswith(".")
    assert type(setting.default).__name__.removesuffix("Type") in setting.type


def test_defaults_can_not_be_changed_for_every_app() -> None:
    with pytest.raises(TypeError):
        default_config["DEBUG"] = True  # type: ignore[index,unused-ignore]


# Files and objects ------------------------------------------------------------------


def test_python_file_is_run_and_its_upper_case_names_are_loaded(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "app.cfg").write_text(
        "import os\nhome = '/srv'\nMEDIA = os.path.join(home, 'media')\nWHERE = __file__\n"
    )

    assert config.from_pyfile("app.cfg") is True
    assert config == {"MEDIA": "/srv/media", "WHERE": str(tmp_path / "app.cfg")}


def test_python_file_says_its_encoding(config: Config, tmp_path: Path) -> None:
    (tmp_path / "app.cfg").write_bytes("# -*- coding: latin-1 -*-\nNAME = 'föö'".encode("latin-1"))

    config.from_pyfile(tmp_path / "app.cfg")

    assert config["NAME"] == "föö"


def load_python(config: Config, name: str, silent: bool) -> bool:
    return config.from_pyfile(name, silent=silent)


def load_json(config: Config, name: str, silent: bool) -> bool:
    return config.from_file(name, json.load, silent=silent)


@pytest.mark.parametrize("load", [load_python, load_json])
@pytest.mark.parametrize(
    ("name", "number"), [("missing.cfg", errno.ENOENT), ("folder", errno.EISDIR)]
)
def test_file_that_is_none_is_an_error_or_silence(
    config: Config, tmp_path: Path, load: Any, name: str, number: int
) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match="Unable to load configuration file") as caught:
        load(config, name, False)

    assert caught.value.errno == number
    assert caught.value.filename == str(tmp_path / name)
    assert os.strerror(number) in str(caught.value)
    assert load(config, name, True) is False
    assert config == {}


def test_silence_is_for_missing_files_only(config: Config) -> None:
    def load(file: Any) -> dict[str, Any]:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(PermissionError, match=r"configuration file \(Permission denied\)"):
        config.from_file(__file__, load, silent=True)


def test_data_file_is_read_by_the_parser_given(config: Config, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('NAME = "föö"\nlower = 1', encoding="utf-8")
    (tmp_path / "c.json").write_text('{"SIZE": "ü"}', encoding="utf-8")

    assert config.from_file("c.toml", tomllib.load, text=False) is True
    assert config.from_file("c.json", json.load) is True
    assert config == {"NAME": "föö", "SIZE": "ü"}


def test_envvar_names_a_python_file(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.cfg").write_text("A = 1")

    monkeypatch.setenv("SHOP_SETTINGS", "app.cfg")
    assert config.from_envvar("SHOP_SETTINGS") is True
    assert config == {"A": 1}

    monkeypatch.setenv("SHOP_SETTINGS", "missing.cfg")
    assert config.from_envvar("SHOP_SETTINGS", silent=True) is False
    with pytest.raises(FileNotFoundError):
        config.from_envvar("SHOP_SETTINGS")

    monkeypatch.setenv("SHOP_SETTINGS", "")
    assert config.from_envvar("SHOP_SETTINGS", silent=True) is False
    with pytest.raises(RuntimeError, match="'SHOP_SETTINGS' is not set"):
        config.from_envvar("SHOP_SETTINGS")


def test_object_is_loaded_by_itself_or_by_name(config: Config) -> None:
    config.from_object("json.decoder")
    config.from_object(Production)

    assert config["TIMEOUT"] == 3
    assert config["HOST"] == "db"
    assert isinstance(config["URI"], property)
    assert "FLAGS" in config  # a constant of json.decoder's
    assert "helper" not in config

    config.from_object(Production())
    assert config["URI"] == "pg://db"

    with pytest.raises(ImportError, match=r"json\.nothing"):
        config.from_object("json.nothing")


def test_mapping_is_loaded_as_dict_would(config: Config) -> None:
    assert config.from_mapping() is True
    config.from_mapping({"A": 1, "b": 2})
    config.from_mapping([("C", 3), ("D", 4)], D=5, e=6)

    assert config == {"A": 1, "C": 3, "D": 5}


# The environment --------------------------------------------------------------------


def test_prefixed_variables_are_parsed_as_json_or_kept(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_MOTTO", "hello")
    monkeypatch.setenv("FLASK_RETRIES", "3")
    monkeypatch.setenv("FLASK_MAIL", '{"tls": true}')
    monkeypatch.setenv("FLASKY_OTHER", "1")

    assert config.from_prefixed_env() is True
    assert config == {"MOTTO": "hello", "RETRIES": 3, "MAIL": {"tls": True}}


def test_prefix_and_parser_can_be_chosen(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_A", "0x1F")
    monkeypatch.setenv("SHOP_B", "none")

    config.from_prefixed_env("SHOP", loads=lambda text: int(text, 0))

    assert config == {"A": 31, "B": "none"}


keys = st.text("abcXYZ_", min_size=1, max_size=4).filter(
    lambda key: "__" not in key and not key.startswith("_") and not key.endswith("_")
)
leaves = st.one_of(st.booleans(), st.integers(), st.lists(st.integers(), max_size=3))
trees = st.dictionaries(
    keys,
    st.recursive(leaves, lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3)),
    max_size=4,
)


def flatten(tree: dict[str, Any], way: str) -> dict[str, str]:
    variables: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            variables |= flatten(value, f"{way}{key}__")
        else:
            variables[way + key] = json.dumps(value)
    return variables


@given(trees)
def test_nested_variables_are_the_dict_they_spell(tree: dict[str, Any]) -> None:
    config = Config("/")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", flatten(tree, "FLASK_"))
        config.from_prefixed_env()

    assert config == tree


def test_nested_variables_add_to_what_is_there(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = {"size": 1, "wait": 2}
    config.update(DB={"pool": pool}, CACHE=None, LATE=UserDict())
    monkeypatch.setenv("FLASK_DB__pool__size", "5")
    monkeypatch.setenv("FLASK_DB__name", "shop")
    monkeypatch.setenv("FLASK_CACHE__kind", "redis")
    monkeypatch.setenv("FLASK_MAIL", '{"tls": true}')
    monkeypatch.setenv("FLASK_MAIL__port", "25")
    monkeypatch.setenv("FLASK_LATE__x", "1")

    config.from_prefixed_env()

    assert config == {
        "DB": {"pool": {"size": 5, "wait": 2}, "name": "shop"},
        "CACHE": {"kind": "redis"},
        "MAIL": {"tls": True, "port": 25},
        "LATE": UserDict(x=1),
    }
    assert config["DB"]["pool"] is pool


@pytest.mark.parametrize(
    ("before", "variables", "words"),
    [
        (
            {},
            {"FLASK_DB": "sqlite", "FLASK_DB__pool": "5"},
            "'FLASK_DB__pool' sets a key in the dict 'DB', but the environment variable"
            " 'FLASK_DB' has a value of type 'str'",
        ),
        (
            {},
            {"FLASK_DB": '{"pool": [1]}', "FLASK_DB__pool__size": "5"},
            "in the dict 'DB__pool', but the environment variable 'FLASK_DB' has a value of"
            " type 'list'",
        ),
        (
            {"DB": "sqlite"},
            {"FLASK_DB__pool": "5"},
            "in the dict 'DB', but the config has a value of type 'str'",
        ),
    ],
)
def test_contradicting_variables_are_named_and_nothing_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
    before: dict[str, Any],
    variables: dict[str, str],
    words: str,
) -> None:
    config = Config("/", before)
    for name, value in ({"FLASK_A": "1"} | variables).items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ValueError, match=words):
        config.from_prefixed_env()

    assert config == before


def test_dict_in_one_variable_may_replace_what_is_in_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config("/", {"DB": "sqlite"})
    monkeypatch.setenv("FLASK_DB", "{}")
    monkeypatch.setenv("FLASK_DB__pool", "5")

    config.from_prefixed_env()

    assert config == {"DB": {"pool": 5}}


# Reading ----------------------------------------------------------------------------


def test_namespace_is_a_dict_of_its_own(config: Config) -> None:
    config.from_mapping(STORE_TYPE="fs", STORE_PATH="/m", STORAGE=1)

    assert config.get_namespace("STORE_") == {"type": "fs", "path": "/m"}
    assert config.get_namespace("STORE_", lowercase=False) == {"TYPE": "fs", "PATH": "/m"}
    assert config.get_namespace("STORE_", trim_namespace=False) == {
        "store_type": "fs",
        "store_path": "/m",
    }


def test_repr_tells_a_config_from_a_dict() -> None:
    class ShopConfig(Config):
        pass

    assert repr(ShopConfig("/", {"A": 1})) == "<ShopConfig {'A': 1}>"


def test_attribute_reads_and_writes_the_config() -> None:
    class App:
        def __init__(self) -> None:
            self.config: dict[str, Any] = {"AGE": "3"}

        age = ConfigAttribute[str]("AGE")
        years = ConfigAttribute[int]("AGE", int)

    app = App()
    assert (app.age, app.years) == ("3", 3)

    app.years = "4"
    assert app.config == {"AGE": "4"}
    assert App.age.__name__ == "AGE"
    with pytest.raises(KeyError):
        ConfigAttribute[str]("MISSING").__get__(app)
