// A recipe on a canvas, drawn by a worker; and a canvas on which the view can be moved and zoomed.

import { turning } from "./recipe.js";

/** Deeper than this a preview does not look; the picture does. */
const DEEPEST = 20000;

/** Draws recipes on a canvas, whose longer side gets `side` pixels. */
export class Sketch {
  #canvas;
  #context;
  #side;
  #worker;
  #buffer = document.createElement("canvas");
  #id = 0;
  #finished = () => {};

  constructor(canvas, side) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#side = side;
    this.#worker = new Worker("/static/preview-worker.js", { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => this.#show(data));
  }

  /** Shows a recipe instead of what is shown or being drawn. The promise is kept when it is complete. */
  draw(recipe, canvas = this.#canvas) {
    const scale = Math.min(1, this.#side / Math.max(recipe.width, recipe.height));
    // Tiny pictures are drawn larger, so that there is something to see.
    const grow = Math.max(1, Math.round((this.#side * scale) / Math.max(recipe.width, recipe.height)));
    const width = Math.max(1, Math.round(recipe.width * scale * grow));
    const height = Math.max(1, Math.round(recipe.height * scale * grow));
    if (canvas !== this.#canvas) {
      this.#canvas = canvas;
      this.#context = canvas.getContext("2d", { alpha: false });
    }
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const limited = { ...recipe, depth: recipe.iterations, iterations: Math.min(recipe.iterations, DEEPEST) };
    this.#worker.postMessage({ id: ++this.#id, recipe: limited, width, height });
    return new Promise((resolve) => (this.#finished = resolve));
  }

  /** Lets go of the worker. */
  close() {
    this.#worker.terminate();
  }

  #show({ id, block, columns, row, rows, pixels, finished }) {
    if (id !== this.#id) return;
    if (finished) return this.#finished();
    const image = new ImageData(pixels, columns, rows);
    if (block === 1) return this.#context.putImageData(image, 0, row);
    this.#buffer.width = columns;
    this.#buffer.height = rows;
    this.#buffer.getContext("2d").putImageData(image, 0, 0);
    this.#context.drawImage(this.#buffer, 0, row * block, columns * block, rows * block);
  }
}

/**
 * Lets people move the view on a canvas: drag, wheel, pinch, double click, arrow keys, + and -. `view()` tells the
 * current one, `change(view)` is called with the next.
 */
export function navigate(canvas, { view, change }) {
  const pointers = new Map();

  /** Where on the canvas, each 0 to 1. */
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };

  const move = (dx, dy) => {
    const { xa, xb, ya, yb, rotation } = view();
    const [x, y] = turning({ xa, xb, ya, yb, rotation })(dx * (xb - xa), dy * (yb - ya));
    change({ xa: xa - x, xb: xb - x, ya: ya - y, yb: yb - y });
  };

  /** The view `factor` times as large, with the point at (fx, fy) staying where it is. */
  const zoom = (factor, fx = 0.5, fy = 0.5) => {
    const { xa, xb, ya, yb, rotation } = view();
    const [w, h] = [xb - xa, yb - ya];
    // Beyond, neighbouring pixels would have the same number.
    const finest = 1e-13 * Math.max(1, Math.abs(xa), Math.abs(ya));
    if (factor < 1 && Math.min(Math.abs(w), Math.abs(h)) * factor < finest) return;
    if (factor > 1 && Math.max(Math.abs(w), Math.abs(h)) * factor > 1000) return;
    const [dx, dy] = turning({ xa, xb, ya, yb, rotation })((fx - 0.5) * w, (fy - 0.5) * h);
    const [x, y] = [(xa + xb) / 2 + dx * (1 - factor), (ya + yb) / 2 + dy * (1 - factor)];
    change({
      xa: x - (w * factor) / 2,
      xb: x + (w * factor) / 2,
      ya: y - (h * factor) / 2,
      yb: y + (h * factor) / 2,
    });
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    pointers.set(event.pointerId, now);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return move(now[0] - before[0], now[1] - before[1]);
    const distance = ([x, y]) => Math.hypot((x - other[0]) * canvas.width, (y - other[1]) * canvas.height);
    const factor = distance(before) / Math.max(distance(now), 1);
    zoom(Math.min(Math.max(factor, 0.5), 2), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  });

  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => pointers.delete(event.pointerId));
  }

  canvas.addEventListener("dblclick", (event) => zoom(event.shiftKey ? 3 : 1 / 3, ...place(event)));

  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      // Lines and pages are turned into about as many pixels.
      const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
      zoom(Math.exp(Math.min(Math.max(pixels, -240), 240) * 0.002), ...place(event));
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 0.1;
    const actions = {
      ArrowLeft: () => move(step, 0),
      ArrowRight: () => move(-step, 0),
      ArrowUp: () => move(0, step),
      ArrowDown: () => move(0, -step),
      "+": () => zoom(2 / 3),
      "=": () => zoom(2 / 3),
      "-": () => zoom(3 / 2),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });

  return { zoom };
}
