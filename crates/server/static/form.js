// The form for a new picture: keeps fields, preview and starting points in step, and sends the request.

import { PRESETS } from "./presets.js";
import { Sketch, navigate } from "./preview.js";
import {
  drawConstant, drawable, fitted, fromQuery, isSquare, previewed, squared, stops, tidy,
} from "./recipe.js";

/** What is seen first of each kind, and what Reset returns to. */
const HOME = {
  julia: { x: 0, y: 0, w: 3.3, h: 1.86 },
  mandelbrot: { x: -0.7, y: 0, w: 2.9, h: 2.5 },
  "burning-ship": { x: -0.45, y: -0.5, w: 3.4, h: 2.8 },
  lambda: { x: 1, y: 0, w: 6.6, h: 4 },
  magnet1: { x: 1.3, y: 0, w: 5.2, h: 4 },
  magnet2: { x: 1.1, y: 0, w: 4.2, h: 3.4 },
};

/** The same for kinds that are not named there. */
const MIDDLE = { x: -0.3, y: 0, w: 4, h: 3.2 };

const form = document.getElementById("form");
const canvas = document.getElementById("preview");
const square = document.getElementById("square");
const sizes = document.getElementById("sizes");
const fields = form.elements;
const sketch = new Sketch(canvas, 640);
const maxArea = Number(form.dataset.maxArea);

/** The recipe's fields, with what each holds: a number, an option (a number that may be left out), a word or a flag. */
const HELD = new Map([...form.querySelectorAll("[data-holds]")].map(({ name, dataset }) => [name, dataset.holds]));

/** Offers only sizes that the service takes, and begins with one of them. */
function fitSizes() {
  const area = (option) => option.value.split("x").reduce((product, side) => product * side, 1);
  const offered = [...sizes.options].filter((option) => option.value);
  for (const option of offered.filter((option) => area(option) > maxArea)) option.remove();
  if (fields.width.value * fields.height.value <= maxArea) return;
  const left = offered.filter((option) => area(option) <= maxArea).sort((a, b) => area(b) - area(a));
  const side = Math.max(1, Math.floor(Math.sqrt(maxArea)));
  [fields.width.value, fields.height.value] = left[0]?.value.split("x") ?? [side, side];
  resized();
}

/** The recipe in the fields; what is no number is NaN. */
function read() {
  const recipe = {};
  for (const [name, holds] of HELD) {
    const text = fields[name].value.trim();
    if (holds === "flag") {
      if (fields[name].checked) recipe[name] = true;
    } else if (text) {
      recipe[name] = holds === "word" ? text : Number(text);
    } else if (holds === "number") {
      recipe[name] = NaN;
    }
  }
  return recipe;
}

/** The kind that is chosen, as its option describes it. */
const kind = () => fields.kind.selectedOptions[0]?.dataset ?? {};

/** The recipe in the fields as the service takes it: without what goes without saying or is for others. */
function request() {
  const recipe = read();
  const { constant } = kind();
  const blank = Number.isNaN(recipe.cx) && Number.isNaN(recipe.cy);
  if (constant === "none" || (constant === "possible" && blank)) {
    delete recipe.cx;
    delete recipe.cy;
  }
  for (const label of form.querySelectorAll("[data-kinds]")) {
    if (label.hidden) delete recipe[label.querySelector("input").name];
  }
  if (recipe.palette !== "gradient") delete recipe.gradient;
  if (recipe.gradient) recipe.gradient = stops(recipe.gradient) ?? recipe.gradient;
  return recipe;
}

/** Puts part of a recipe into the fields and shows it. */
function write(part) {
  for (const [name, value] of Object.entries(part)) {
    const field = fields[name];
    if (field instanceof HTMLSelectElement && ![...field.options].some((option) => option.value === String(value))) continue;
    if (field?.type === "checkbox") field.checked = value;
    else if (field && String(field.value) !== String(value)) field.value = String(value);
  }
  show();
}

/** Brings everything that depends on the fields up to date, once in each frame. */
let shown = false;
function show() {
  if (shown) return;
  shown = true;
  requestAnimationFrame(() => {
    shown = false;
    const recipe = read();
    showKind();
    showColours(recipe.palette);
    showSize(recipe);
    const seen = previewed(recipe);
    showNote(seen);
    if (seen !== "nothing" && drawable(recipe)) sketch.draw(seen === "all" ? recipe : { ...recipe, palette: "aurora" });
  });
}

function showKind() {
  const { iteration, constant } = kind();
  document.getElementById("constant").hidden = constant === "none";
  document.getElementById("constant-hint").hidden = constant !== "possible";
  document.getElementById("draw").hidden = constant !== "needed";
  document.getElementById("formula").textContent = iteration;
  for (const label of form.querySelectorAll("[data-kinds]")) {
    label.hidden = !label.dataset.kinds.split(" ").includes(fields.kind.value);
  }
}

function showColours(palette) {
  document.getElementById("swatch").className = `swatch ${palette}`;
  document.getElementById("gradient-label").hidden = palette !== "gradient";
}

/** Says what the preview does not show. */
function showNote(seen) {
  const note = document.getElementById("preview-note");
  note.hidden = seen === "all";
  canvas.classList.toggle("blind", seen === "nothing");
  note.textContent = {
    all: "",
    shape: "The preview shows the shape, but not all of these settings. The picture has them.",
    nothing: "There is no preview of this formula. The picture will show it.",
  }[seen];
}

function showSize({ width, height }) {
  const area = width * height;
  const megapixels = area / 1e6;
  const text = megapixels >= 10 ? megapixels.toFixed(0) : megapixels.toFixed(megapixels < 0.1 ? 3 : 1);
  document.getElementById("area").textContent = Number.isFinite(area) && area > 0 ? `${text} megapixels.` : "";
  canvas.classList.toggle("wide", width >= height);
  canvas.classList.toggle("tall", width < height);
  const known = [...sizes.options].some((option) => option.value === `${width}x${height}`);
  sizes.value = known ? `${width}x${height}` : "";
}

/** After a new size: the view follows, if it shall. */
function resized() {
  const recipe = read();
  if (square.checked && drawable(recipe)) write(tidy(squared(recipe)));
  else show();
}

function goHome() {
  const recipe = read();
  write(fitted(HOME[recipe.kind] ?? MIDDLE, recipe));
}

function showError(name, message) {
  const place = document.getElementById(`${name}-error`);
  if (!place) return false;
  place.textContent = message;
  const field = fields[name];
  if (field instanceof HTMLElement) {
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
  return true;
}

function clearErrors() {
  for (const place of form.querySelectorAll(".error")) place.textContent = "";
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/** The mistake that the server would find first, if the page can see it; null if there is none. */
function mistake(recipe) {
  const asked = [...HELD.keys()].filter((name) => HELD.get(name) === "number" && name in recipe);
  const empty = asked.find((name) => !Number.isFinite(recipe[name]));
  if (empty) return [empty, "A number is needed here."];
  if (recipe.width * recipe.height > maxArea) {
    const longer = recipe.width >= recipe.height ? "width" : "height";
    return [longer, `At most ${maxArea.toLocaleString("en")} pixels in all.`];
  }
  return null;
}

/** The session has ended. The way to a new one leads back to this recipe. */
function showSignIn() {
  showError("form", "You are no longer signed in. ");
  const link = Object.assign(document.createElement("a"), { textContent: "Sign in again", href: loginAddress() });
  document.getElementById("form-error").append(link);
}

function loginAddress() {
  const recipe = Object.entries(read()).filter(([, value]) => !Number.isNaN(value));
  return `/login?next=${encodeURIComponent(`/new?${new URLSearchParams(recipe)}`)}`;
}

async function submit(event) {
  event.preventDefault();
  clearErrors();
  const recipe = request();
  const wrong = mistake(recipe);
  if (wrong) return showError(...wrong);
  const button = document.getElementById("create");
  button.disabled = true;
  try {
    const answer = await fetch("/v1/fractal", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(recipe),
    });
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) return location.assign(`/picture/${body.uuid}`);
    if ([401, 403].includes(answer.status)) return showSignIn();
    const detail = body.detail ?? body.message ?? `The server answered ${answer.status}.`;
    const message = body.field ? detail.replace(`${body.field}: `, "") : detail;
    if (!body.field || !showError(body.field, message)) showError("form", detail);
  } catch {
    showError("form", "The server can't be reached. Please try again.");
  } finally {
    button.disabled = false;
  }
}

/** The starting points as buttons, each with its picture. */
async function showPresets() {
  const list = document.getElementById("presets");
  const size = { width: 168, height: 112 };
  const buttons = PRESETS.map((preset) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "preset";
    const picture = document.createElement("canvas");
    picture.width = size.width;
    picture.height = size.height;
    button.append(picture, preset.name);
    button.addEventListener("click", () => choose(preset));
    return button;
  });
  list.replaceChildren(...buttons);
  let painter;
  for (const [index, preset] of PRESETS.entries()) {
    const picture = buttons[index].firstElementChild;
    painter ??= new Sketch(picture, size.width);
    const depth = Math.min(preset.iterations, 1500);
    await painter.draw({ ...preset, ...fitted(preset, size), ...size, iterations: depth, palette: "aurora" }, picture);
  }
  painter.close();
}

function choose(preset) {
  const { name, x, y, w, h, ...part } = preset;
  square.checked = true;
  const size = read();
  write({ ...part, ...(size.width >= 1 && size.height >= 1 ? fitted(preset, size) : {}) });
}

form.addEventListener("submit", (event) => {
  // Who may not create anything yet can explore, and takes the recipe along.
  if (document.getElementById("create")) return submit(event);
  event.preventDefault();
  document.getElementById("to-login")?.click();
});

document.getElementById("to-login")?.addEventListener("click", (event) => {
  event.currentTarget.href = loginAddress();
});

form.addEventListener("input", ({ target }) => {
  target.removeAttribute("aria-invalid");
  const place = document.getElementById(`${target.name}-error`);
  if (place) place.textContent = "";
  if (target === sizes) {
    const [width, height] = sizes.value.split("x");
    if (!height) return;
    fields.width.value = width;
    fields.height.value = height;
    resized();
  } else if (["width", "height"].includes(target.name) || target === square) {
    resized();
  } else if (target.name === "kind") {
    // A constant of one kind is none of another.
    const needed = kind().constant === "needed";
    [fields.cx.value, fields.cy.value] = needed ? ["-0.8", "0.156"] : ["", ""];
    goHome();
  } else {
    show();
  }
});

document.getElementById("draw").addEventListener("click", () => {
  const recipe = read();
  if (!drawable({ ...recipe, cx: 0, cy: 0 })) return;
  const home = fitted(HOME.julia, { width: 4, height: 3 });
  // Deep inside a set no view holds a constant worth drawing; the whole plane does.
  const [cx, cy] = drawConstant(Math.abs(recipe.xb - recipe.xa) < 0.5 ? home : recipe);
  write({ cx: Number(cx.toFixed(6)), cy: Number(cy.toFixed(6)) });
});

const { zoom } = navigate(canvas, { view: read, change: (view) => write(tidy(view)) });
document.getElementById("zoom-in").addEventListener("click", () => zoom(1 / 2));
document.getElementById("zoom-out").addEventListener("click", () => zoom(2));
document.getElementById("reset").addEventListener("click", goHome);

fitSizes();
const asked = fromQuery(new URLSearchParams(location.search));
for (const [name, value] of Object.entries(asked)) {
  const isNumber = ["number", "option"].includes(HELD.get(name));
  if (!HELD.has(name) || (isNumber && typeof value !== "number")) delete asked[name];
}
// The constant that the form begins with is that of its first kind.
if (asked.kind && asked.kind !== "julia" && !("cx" in asked)) [fields.cx.value, fields.cy.value] = ["", ""];
if (Object.keys(asked).length > 0) {
  const merged = { ...read(), ...asked };
  square.checked = !drawable(merged) || isSquare(merged);
}
write(asked);
showPresets();
