// Draws previews, coarse first, away from the page. A new job ends the one before it.
//
// The same formulas, points and escape rule as the service's; the aurora gradient is interpolated more simply.

import { turning } from "./recipe.js";

/** Blocks of this many pixels a side are drawn first; each pass halves them. */
const COARSEST = 8;
const SLICE = 20;
const LARGE = 65536;
const TURNS = 0.118;
const INTERIOR = [2, 3, 12];
const STEPS = 2048;
const STOPS = [
  [0, 0x030620],
  [0.16, 0x0b226b],
  [0.28, 0x1c5ec2],
  [0.39, 0x7cbdee],
  [0.48, 0xfdfaf0],
  [0.58, 0xffcf5c],
  [0.69, 0xee8612],
  [0.8, 0x8c2e0a],
  [0.9, 0x1c0714],
  [1, 0x030620],
];

const channels = (rgb) => [rgb >> 16, (rgb >> 8) & 255, rgb & 255];

const gradient = Array.from({ length: STEPS }, (_, step) => {
  const at = step / STEPS;
  const right = STOPS.findIndex(([place]) => place > at);
  const [[from, left], [to, next]] = [STOPS[right - 1], STOPS[right]];
  const t = (at - from) / (to - from);
  const [a, b] = [channels(left), channels(next)];
  return a.map((value, index) => Math.round(value + (b[index] - value) * t));
});

let current = 0;

self.addEventListener("message", ({ data }) => {
  current = data.id;
  draw(data);
});

async function draw({ id, recipe, width, height }) {
  let pause = performance.now() + SLICE;
  const turn = turning(recipe);
  const [middleX, middleY] = [(recipe.xa + recipe.xb) / 2, (recipe.ya + recipe.yb) / 2];
  for (let block = COARSEST; block >= 1; block /= 2) {
    const columns = Math.ceil(width / block);
    const rows = Math.ceil(height / block);
    let first = 0;
    let pixels = new Uint8ClampedArray(columns * rows * 4);
    const send = (end) => {
      const part = pixels.slice(first * columns * 4, end * columns * 4);
      self.postMessage({ id, block, columns, row: first, rows: end - first, pixels: part }, [part.buffer]);
      first = end;
    };
    for (let row = 0; row < rows; row++) {
      const y = at(row, rows, recipe.ya, recipe.yb);
      for (let column = 0; column < columns; column++) {
        let point = [at(column, columns, recipe.xa, recipe.xb), y];
        if (recipe.rotation) {
          const [dx, dy] = turn(point[0] - middleX, y - middleY);
          point = [middleX + dx, middleY + dy];
        }
        colour(recipe, ...point, pixels, (row * columns + column) * 4);
      }
      if (performance.now() > pause) {
        send(row + 1);
        // Lets a newer job in.
        await new Promise((resolve) => setTimeout(resolve));
        if (id !== current) return;
        pause = performance.now() + SLICE;
      }
    }
    if (first < rows) send(rows);
  }
  self.postMessage({ id, finished: true });
}

const at = (index, count, from, to) => (count === 1 ? from : (index * (to - from)) / (count - 1) + from);

function colour(recipe, px, py, pixels, offset) {
  const limit = recipe.iterations;
  let [x, y, cx, cy] = recipe.kind === "julia" ? [px, py, recipe.cx, recipe.cy] : [0, 0, px, py];
  let x2 = x * x;
  let y2 = y * y;
  let count = 0;
  // Brent: an orbit that comes back to the very same number never escapes.
  let [seenX, seenY, look] = [NaN, NaN, 64];
  while (count < limit && x2 + y2 <= 4) {
    const cross = x * y;
    x = x2 - y2 + cx;
    y = cross + cross + cy;
    x2 = x * x;
    y2 = y * y;
    count++;
    if (x === seenX && y === seenY) {
      count = limit;
      break;
    }
    if (count === look) {
      [seenX, seenY, look] = [x, y, 2 * look];
    }
  }
  const escaped = count < limit;
  // The original colours by the last value of its loop's variable, also what never escapes.
  const [red, green, blue] =
    recipe.palette === "classic" ? classic(escaped ? count : recipe.depth - 1) : escaped ? aurora() : INTERIOR;
  pixels[offset] = red;
  pixels[offset + 1] = green;
  pixels[offset + 2] = blue;
  pixels[offset + 3] = 255;

  function aurora() {
    let time = count;
    while (x2 + y2 < LARGE) {
      const cross = x * y;
      x = x2 - y2 + cx;
      y = cross + cross + cy;
      x2 = x * x;
      y2 = y * y;
      time++;
    }
    const smooth = Math.max(time + 1.5 - Math.log2(Math.log2(x2 + y2)), 0);
    return gradient[Math.floor(Math.sqrt(smooth) * TURNS * STEPS) % STEPS];
  }
}

const classic = (i) => [(i % 8) * 32, (i % 16) * 16, (i % 32) * 8];
