"""Attributes that older Flasks had: asking for one raises an error that says what to write now.

To ``hasattr`` and ``getattr`` with a default they are not there, as in Flask 3.1, and assigning
one sets an ordinary attribute. Names that are imported are :mod:`~brim.as_flask`'s.
"""

from __future__ import annotations

from typing import NoReturn

_JSON = "Use `app.json`, an instance of `json_provider_class`."

#: Of applications: the version that no longer had the attribute, and what to do.
OF_APPS = {
    "before_first_request": (
        "2.3",
        "Do it where the application is made: `with app.app_context(): ...`.",
    ),
    "env": ("2.3", "Use `app.debug`."),
    "error_handlers": ("1.0", "Use `app.errorhandler`; the table is `app.error_handler_spec`."),
    "got_first_request": ("3.0", "Set up where the application is made."),
    "init_jinja_globals": ("1.0", "Override `create_jinja_environment`."),
    "json_decoder": ("2.3", _JSON),
    "json_encoder": ("2.3", _JSON),
    "logger_name": ("1.0", "The logger has the name of the application, `app.name`."),
    "propagate_exceptions": ("2.3", 'Use `app.config["PROPAGATE_EXCEPTIONS"]`.'),
    "request_globals_class": ("1.0", "Use `app.app_ctx_globals_class`."),
    "send_file_max_age_default": ("2.3", 'Use `app.config["SEND_FILE_MAX_AGE_DEFAULT"]`.'),
    "session_cookie_name": ("2.3", 'Use `app.config["SESSION_COOKIE_NAME"]`.'),
    "static_path": ("1.0", "Use `app.static_url_path`."),
    "templates_auto_reload": ("2.3", 'Use `app.config["TEMPLATES_AUTO_RELOAD"]`.'),
    "use_x_sendfile": ("2.3", 'Use `app.config["USE_X_SENDFILE"]`.'),
}

#: Of blueprints.
OF_BLUEPRINTS = {
    "before_app_first_request": (
        "2.3",
        "Use `blueprint.record_once(lambda state: ...)`, which is called at registration.",
    ),
    "json_decoder": ("2.3", _JSON),
    "json_encoder": ("2.3", _JSON),
}

#: Of settings.
OF_CONFIGS = {
    "from_json": ("2.1", "Use `config.from_file(name, load=json.load)`."),
}


class Gone:
    """An attribute that isn't there any more, as a class has it."""

    def __init__(self, name: str, since: str, instead: str) -> None:
        self.name = name
        self.text = f"is gone since Flask {since}. {instead}"

    def __get__(self, obj: object | None, owner: type) -> NoReturn:
        """Raise ``AttributeError``; from the class too, which is asked what it has."""
        text = f"The attribute {self.name!r} of {owner.__name__!r} {self.text}"
        raise AttributeError(text, name=self.name, obj=owner if obj is None else obj)


def explain(cls: type, names: dict[str, tuple[str, str]]) -> None:
    """Have a class say what became of these attributes."""
    for name, (since, instead) in names.items():
        setattr(cls, name, Gone(name, since, instead))
