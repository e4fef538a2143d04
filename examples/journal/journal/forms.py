"""The forms, and what their fields accept. Each message tells the reader what to do."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import FileAllowed, FileField
from wtforms import BooleanField, PasswordField, StringField, TextAreaField
from wtforms.validators import DataRequired, EqualTo, Length, Regexp, ValidationError

from . import covers


def one_line(value: str | None) -> str:
    """The value with each run of spaces and line ends as one space."""
    return " ".join((value or "").split())


def unix_lines(value: str | None) -> str:
    """The value with line ends as Python writes them; browsers send CRLF."""
    return (value or "").replace("\r\n", "\n").strip()


def plain_text(form: FlaskForm, field: StringField) -> None:
    """Refuse what JSON can say and no database keeps: half characters, and NUL."""
    if "\0" in field.data or any("\ud800" <= character <= "\udfff" for character in field.data):
        raise ValidationError("This contains a character that is not text.")


class TextForm(FlaskForm):
    """What an entry says. The JSON API checks by this form too."""

    title = StringField(
        filters=[one_line],
        validators=[
            DataRequired("Give the entry a title."),
            Length(max=120, message="Keep the title to 120 characters."),
            plain_text,
        ],
    )
    text = TextAreaField(
        filters=[unix_lines],
        validators=[
            DataRequired("Write something."),
            Length(max=50_000, message="Keep the text to 50,000 characters."),
            plain_text,
        ],
    )
    private = BooleanField("Only for me")


class EntryForm(TextForm):
    """The whole entry, as its page sends it."""

    #: The cover as a picture, once the form is valid.
    picture: covers.Picture | None = None

    cover = FileField(
        "Cover picture",
        validators=[FileAllowed(covers.EXTENSIONS, "Choose a JPEG, PNG, WebP or GIF file.")],
    )
    remove_cover = BooleanField("Remove the cover")

    def validate_cover(self, field: FileField) -> None:
        """Only a file that can be decoded is a picture, whatever it is called."""
        if field.data and not field.errors:
            try:
                self.picture = covers.read(field.data.stream)
            except covers.CoverError as error:
                raise ValidationError(str(error)) from error


class DeleteForm(FlaskForm):
    """Nothing but the CSRF token."""


class RegisterForm(FlaskForm):
    """A new account."""

    name = StringField(
        validators=[
            Length(3, 30, "Choose a name of 3 to 30 characters."),
            Regexp(r"^[A-Za-z0-9_-]*\Z", message="Use letters without accents, digits, _ and -."),
        ],
    )
    password = PasswordField(
        validators=[Length(8, 200, "Choose a password of 8 to 200 characters.")]
    )
    confirm = PasswordField(
        "Password again", validators=[EqualTo("password", "The two passwords differ.")]
    )


class LoginForm(FlaskForm):
    """Name and password of an account."""

    name = StringField(validators=[DataRequired("Enter your name."), Length(max=30)])
    password = PasswordField(validators=[DataRequired("Enter your password."), Length(max=200)])
    remember = BooleanField("Stay logged in")
