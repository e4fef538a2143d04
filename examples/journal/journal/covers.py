"""Cover pictures: uploads are checked here, made new, stored and removed.

An upload is never kept as it came. It is decoded and encoded again, so what is stored is a picture
and nothing else: no script in disguise, no place where the photograph was taken.
"""

from __future__ import annotations

import secrets
from typing import IO

from brim import current_app
from PIL import Image, ImageOps

Picture = Image.Image

EXTENSIONS = ["jpg", "jpeg", "png", "webp", "gif"]
FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]
#: A small file can claim a vast size, and would fill the memory when it is decoded.
MAX_PIXELS = 40_000_000
#: The longer side of what is stored.
MAX_SIDE = 1600

TOO_MANY_PIXELS = "The picture has too many pixels: 40 million are the most."
NOT_A_PICTURE = "The file is not a picture, or is damaged. Choose a JPEG, PNG, WebP or GIF file."


class CoverError(Exception):
    """The upload can't be a cover; the message tells the user why."""


def read(file: IO[bytes]) -> Picture:
    """The picture in the file: upright, of a size to be stored, without metadata."""
    try:
        with Image.open(file, formats=FORMATS) as picture:
            # Known from the first bytes; nothing is decoded so far.
            if picture.width * picture.height > MAX_PIXELS:
                raise CoverError(TOO_MANY_PIXELS)
            # Small first: to turn it copies it.
            picture.thumbnail((MAX_SIDE, MAX_SIDE))
            upright = ImageOps.exif_transpose(picture)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except CoverError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise CoverError(TOO_MANY_PIXELS) from error
    except Exception as error:
        # At damaged files Pillow raises whatever it stumbles on: OSError, SyntaxError, TypeError...
        raise CoverError(NOT_A_PICTURE) from error


def store(picture: Picture) -> str:
    """Write the picture to a new file; return its name."""
    name = f"{secrets.token_hex(16)}.webp"
    try:
        picture.save(current_app.config["COVERS"] / name, "WEBP", quality=85)
    except BaseException:
        remove(name)
        raise
    return name


def remove(name: str) -> None:
    """Remove a file, if it is there."""
    try:
        (current_app.config["COVERS"] / name).unlink(missing_ok=True)
    except OSError:
        # Nobody will see the file again. That it lies there is for the log, not for the user.
        current_app.logger.exception("The cover %s can't be removed", name)
