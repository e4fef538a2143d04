"""Draws the sample's covers: hills in haze below a sun or a moon.

A palette and a seed make a picture; the same two make the same one again.
"""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

SIZE = WIDTH, HEIGHT = 1200, 800
#: Drawn this much larger and made smaller at the end: edges become smooth.
FINE = 2
LAYERS = 6

#: Sky above, sky at the horizon, sun or moon, the farthest hills, the nearest ones.
PALETTES: dict[str, tuple[str, str, str, str, str]] = {
    "dawn": ("#7d8fb3", "#f6cdb0", "#fff1d6", "#c79aa0", "#2e2f4a"),
    "noon": ("#7fb2cf", "#e6f1ea", "#fffbe6", "#a9c9bd", "#2c5547"),
    "harvest": ("#d98b54", "#fbe3a8", "#fff6d8", "#d7a15e", "#5a3422"),
    "dusk": ("#3c3a6b", "#e7907e", "#ffd9a8", "#935a79", "#1f1b38"),
    "night": ("#0e1a33", "#3d5a80", "#f1efe2", "#35507a", "#080f1f"),
    "mist": ("#b9c4c6", "#eef0ea", "#ffffff", "#b4c3c1", "#45595c"),
    "frost": ("#9db7cf", "#f3e9ec", "#fffdf6", "#bccbdb", "#41597a"),
    "moss": ("#c2c9a4", "#f4efd8", "#fffbe9", "#a6b489", "#33432e"),
}


def draw(palette: str, seed: int) -> Image.Image:
    """A landscape in the palette's colours."""
    chance = random.Random(f"{palette} {seed}")
    high, horizon, light, far, near = (rgb(colour) for colour in PALETTES[palette])
    picture = sky(high, horizon)
    add_light(picture, light, chance)
    for layer in range(LAYERS):
        depth = layer / (LAYERS - 1)
        # Each layer is lighter at its foot, where the haze of the valley before it lies.
        crest = mix(far, near, depth**1.15)
        foot = mix(crest, horizon, 0.45 * (1 - depth) + 0.06)
        add_hills(picture, crest, foot, depth, chance)
    return picture


def rgb(colour: str) -> Colour:
    """#ff8000 as (255, 128, 0)."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two: 0 is the one, 1 the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def gradient(top: Colour, bottom: Colour, height: int) -> Image.Image:
    """As wide as the picture, from one colour down to another."""
    column = Image.new("RGB", (1, height))
    column.putdata([mix(top, bottom, y / height) for y in range(height)])
    return column.resize((WIDTH, height))


def sky(high: Colour, horizon: Colour) -> Image.Image:
    """The sky, brightest where the hills will begin; below is what the hills will cover."""
    picture = Image.new("RGB", SIZE, horizon)
    picture.paste(gradient(high, horizon, HEIGHT * 2 // 3))
    return picture


def add_light(picture: Image.Image, light: Colour, chance: random.Random) -> None:
    """A sun or a moon, and its glow."""
    x, y = chance.uniform(0.2, 0.8) * WIDTH, chance.uniform(0.2, 0.4) * HEIGHT
    radius = chance.uniform(42, 66)
    for spread, strength, blur in [(4.2, 70, 110), (1.9, 90, 34), (1, 255, 0.8)]:
        mask = Image.new("L", SIZE)
        box = (x - radius * spread, y - radius * spread, x + radius * spread, y + radius * spread)
        ImageDraw.Draw(mask).ellipse(box, fill=strength)
        picture.paste(light, mask=mask.filter(ImageFilter.GaussianBlur(blur)))


def add_hills(
    picture: Image.Image, crest: Colour, foot: Colour, depth: float, chance: random.Random
) -> None:
    """One layer of hills: a line of waves, and all below it."""
    middle = HEIGHT * (0.5 + 0.4 * depth)
    swell = HEIGHT * (0.035 + 0.055 * depth)
    waves = [
        (swell / strength, chance.uniform(0.7, 1.3) * strength, chance.uniform(0, math.tau))
        for strength in (1, 2.3, 5.1, 11)
    ]

    def line(x: float) -> float:
        turn = x / WIDTH * math.tau
        return middle + sum(a * math.sin(f * turn * 0.8 + start) for a, f, start in waves)

    points = [(x * FINE, line(x) * FINE) for x in range(-4, WIDTH + 8, 4)]
    points += [(WIDTH * FINE, HEIGHT * FINE), (0, HEIGHT * FINE)]
    mask = Image.new("L", (WIDTH * FINE, HEIGHT * FINE))
    ImageDraw.Draw(mask).polygon(points, fill=255)

    top = max(0, int(middle - 2 * swell))
    hills = Image.new("RGB", SIZE, crest)
    hills.paste(gradient(crest, foot, HEIGHT - top), (0, top))
    picture.paste(hills, mask=mask.resize(SIZE, Image.Resampling.LANCZOS))
