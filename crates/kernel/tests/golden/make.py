#!/usr/bin/env python3
"""Makes the golden pictures and recipes.json, next to this file.

An independent implementation of the classic palette, in plain Python complex numbers, as the original First App
Application computed it. Needs Pillow. Run it only to add recipes: the pictures of the present ones must not change.
"""

import json
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent

WHOLE_JULIA = (-2.0, 2.0, -1.5, 1.5)
WHOLE_MANDELBROT = (-2.5, 1.1, -1.35, 1.35)
DRAGON = (-0.8, 0.156)

# name: (c of a Julia set or None, (xa, xb, ya, yb), width, height, iterations)
RECIPES = {
    "julia-one-pixel": (DRAGON, WHOLE_JULIA, 1, 1, 100),
    "julia-one-pixel-inside": ((-0.4, 0.2), (0.1, 2.0, 0.1, 2.0), 1, 1, 50),
    "julia-one-column": (DRAGON, (0.1, 2.0, -1.5, 1.5), 1, 97, 200),
    "julia-one-row": (DRAGON, (-2.0, 2.0, 0.05, 1.5), 301, 1, 200),
    "mandelbrot-one-pixel": (None, (-0.75, 1.0, 0.1, 1.0), 1, 1, 1000),
    "mandelbrot-one-column": (None, (-0.7435, 0.0, -0.3, 0.3), 1, 211, 300),
    "mandelbrot-one-row": (None, (-0.77, -0.72, 0.1, 0.2), 203, 1, 300),
    "two-by-two": (DRAGON, (-0.5, 0.5, -0.5, 0.5), 2, 2, 64),
    "julia-one-iteration": (DRAGON, WHOLE_JULIA, 40, 30, 1),
    "mandelbrot-one-iteration": (None, WHOLE_MANDELBROT, 40, 30, 1),
    "julia-two-iterations": (DRAGON, WHOLE_JULIA, 64, 48, 2),
    "mandelbrot-two-iterations": (None, WHOLE_MANDELBROT, 64, 48, 2),
    "julia-eleven-iterations": ((-0.70176, -0.3842), WHOLE_JULIA, 160, 120, 11),
    "mandelbrot-eleven-iterations": (None, WHOLE_MANDELBROT, 160, 120, 11),
    "julia-dragon": (DRAGON, WHOLE_JULIA, 133, 101, 512),
    "julia-spirals": ((0.285, 0.01), (-1.2, 1.2, -1.2, 1.2), 101, 103, 400),
    "julia-full": ((-0.4, 0.6), WHOLE_JULIA, 127, 95, 150),
    "julia-circle": ((0.0, 0.0), (-1.5, 1.5, -1.5, 1.5), 99, 99, 33),
    "julia-mirrored": (DRAGON, (2.0, -2.0, -1.5, 1.5), 111, 83, 100),
    "julia-upside-down": (DRAGON, (-2.0, 2.0, 1.5, -1.5), 111, 83, 100),
    "mandelbrot-turned": (None, (1.1, -2.5, 1.35, -1.35), 111, 83, 100),
    "mandelbrot-whole": (None, WHOLE_MANDELBROT, 137, 103, 1000),
    "mandelbrot-needle": (None, (-2.01, -1.7, -0.05, 0.05), 155, 51, 256),
    "mandelbrot-seahorses": (None, (-0.76, -0.74, 0.09, 0.105), 101, 77, 600),
    "mandelbrot-tiny-view": (
        None,
        (-0.743668887037151, -0.743618887037151, 0.13180717420533, 0.13184467420533),
        91,
        67,
        5000,
    ),
    "julia-tiny-view": (DRAGON, (0.3, 0.3 + 1e-9, 0.2, 0.2 + 1e-9), 71, 53, 700),
    "view-below-resolution": (None, (-0.75, -0.75 + 1e-15, 0.1, 0.1 + 1e-15), 40, 30, 300),
    "julia-far": (DRAGON, (-500.0, 300.0, 100.0, 900.0), 60, 60, 20),
    "mandelbrot-far": (None, (-3.0, 40.0, -2.0, 30.0), 86, 64, 20),
    "julia-very-far": (DRAGON, (-1e200, 1e200, -1e180, 1e180), 31, 29, 12),
    "julia-no-area": (DRAGON, (0.25, 0.25, -0.125, -0.125), 20, 10, 90),
    "julia-wide": (DRAGON, WHOLE_JULIA, 50000, 5, 9),
    "mandelbrot-tall": (None, WHOLE_MANDELBROT, 3, 40000, 12),
    "mandelbrot-inside-long": (None, (-0.2, 0.1, -0.1, 0.1), 6, 5, 20000),
    "mandelbrot-edge-long": (None, (0.2499, 0.2502, -0.0001, 0.0001), 9, 7, 50000),
}


def coordinate(pixel, pixels, a, b):
    return a if pixels == 1 else pixel * (b - a) / (pixels - 1) + a


def last_index(z, c, iterations):
    for i in range(iterations):
        if z.real * z.real + z.imag * z.imag > 4.0:
            break
        z = z * z + c
    return i


def picture(c, view, width, height, iterations):
    xa, xb, ya, yb = view
    image = Image.new("RGB", (width, height))
    for y in range(height):
        zy = coordinate(y, height, ya, yb)
        for x in range(width):
            point = complex(coordinate(x, width, xa, xb), zy)
            if c is None:
                i = last_index(0j, point, iterations)
            else:
                i = last_index(point, complex(*c), iterations)
            image.putpixel((x, y), ((i % 8) * 32, (i % 16) * 16, (i % 32) * 8))
    return image


def main():
    recipes = {}
    for name, (c, view, width, height, iterations) in RECIPES.items():
        formula = {"kind": "mandelbrot"} if c is None else {"kind": "julia", "cx": c[0], "cy": c[1]}
        recipes[name] = {
            **formula,
            **dict(zip(("xa", "xb", "ya", "yb"), view)),
            "width": width,
            "height": height,
            "iterations": iterations,
            "palette": "classic",
        }
        image = picture(c, view, width, height, iterations)
        # At most 32 colours: the palette is exact.
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(HERE / f"{name}.png", optimize=True)
        if Image.open(HERE / f"{name}.png").convert("RGB").tobytes() != image.tobytes():
            raise SystemExit(f"{name}: the palette changed colours")
    (HERE / "recipes.json").write_text(json.dumps(recipes, indent=1) + "\n")


if __name__ == "__main__":
    main()
