// Recipes in the browser: the numbers of a picture, and small mathematics about them.

/** Fields whose values may look like numbers, but are not. */
const COLOURS = ["interior"];

/** What the preview shows, or what makes no difference to it. */
const SEEN = new Set([
  "kind", "cx", "cy", "power", "memory", "relaxation", "xa", "xb", "ya", "yb", "rotation", "width", "height",
  "iterations", "palette", "colouring", "gradient", "density", "offset", "interior", "supersampling", "adaptive", "depth", "format",
]);

/** What a query string says about a recipe, as numbers, words and flags. */
export function fromQuery(query) {
  const recipe = {};
  for (const [name, value] of query) {
    const text = value.trim();
    const number = COLOURS.includes(name) ? NaN : Number(text);
    if (text) recipe[name] = text === "true" || (Number.isFinite(number) ? number : text);
  }
  return recipe;
}

/** What a preview can show of a recipe: all, its shape but not its colours, or nothing. */
export function previewed(recipe) {
  const { kind, palette, colouring, density, offset, interior } = recipe;
  if (!["julia", "mandelbrot"].includes(kind)) return "nothing";
  const natural = { aurora: "smooth", classic: "classic" }[palette];
  const usual = (density ?? 1) === 1 && (offset ?? 0) === 0 && !interior;
  const seen = Object.keys(recipe).every((name) => SEEN.has(name));
  return seen && natural && usual && (colouring ?? natural) === natural ? "all" : "shape";
}

/** Stops such as 0:03051a,0.5:ffffff as the service takes them; null if they are none. */
export function stops(text) {
  const list = text.split(",").map((stop) => /^\s*([0-9.eE-]+)\s*:\s*#?([0-9a-fA-F]{6})\s*$/.exec(stop));
  if (!list.every(Boolean)) return null;
  return list.map(([, position, colour]) => ({ position: Number(position), colour: `#${colour}` }));
}

/** Whether a recipe can be drawn at all. */
export function drawable(recipe) {
  const finite = (name) => Number.isFinite(recipe[name]) && Math.abs(recipe[name]) <= 1e100;
  const whole = (name) => Number.isInteger(recipe[name]) && recipe[name] >= 1;
  return (
    ["xa", "xb", "ya", "yb"].every(finite) &&
    ["width", "height", "iterations"].every(whole) &&
    (recipe.kind !== "julia" || ["cx", "cy"].every(finite)) &&
    recipe.xa !== recipe.xb &&
    recipe.ya !== recipe.yb
  );
}

/** Turns distances in the picture, in the plane's units, into those in the plane. */
export function turning({ xa, xb, ya, yb, rotation }) {
  const angle = ((rotation || 0) * Math.PI) / 180;
  // In a mirrored picture counter-clockwise is clockwise in the plane.
  const mirrored = Math.sign(xb - xa) * Math.sign(yb - ya);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle) * mirrored];
  return (x, y) => [x * cos - y * sin, y * cos + x * sin];
}

/** The width of a view in which the pixels of a picture are squares, given the height of one, and the other way round. */
const aspect = ({ width, height }) => Math.max(width - 1, 1) / Math.max(height - 1, 1);

/** Whether circles are round in this picture. */
export function isSquare(recipe) {
  const ratio = Math.abs((recipe.xb - recipe.xa) / (recipe.yb - recipe.ya)) / aspect(recipe);
  return Math.abs(ratio - 1) < 0.01;
}

/** The view that has the same middle and columns, with rows as far apart as columns. */
export function squared(recipe) {
  const middle = (recipe.ya + recipe.yb) / 2;
  const half = (Math.abs(recipe.xb - recipe.xa) / aspect(recipe) / 2) * Math.sign(recipe.yb - recipe.ya || 1);
  return { xa: recipe.xa, xb: recipe.xb, ya: middle - half, yb: middle + half };
}

/** The smallest view of this picture's shape that shows the box of this middle, width and height. */
export function fitted({ x, y, w, h }, size) {
  const wide = Math.max(w, h * aspect(size));
  const high = wide / aspect(size);
  return tidy({ xa: x - wide / 2, xb: x + wide / 2, ya: y - high / 2, yb: y + high / 2 });
}

/** A view without digits that make no difference to be seen. */
export function tidy({ xa, xb, ya, yb }) {
  const round = (value, span) => {
    const digits = Math.ceil(5 - Math.log10(Math.abs(span)));
    return digits >= 0 && digits <= 100 ? Number(value.toFixed(digits)) : value;
  };
  return { xa: round(xa, xb - xa), xb: round(xb, xb - xa), ya: round(ya, yb - ya), yb: round(yb, yb - ya) };
}

/** Constants for views in which the rule below finds none. */
const FALLBACKS = [
  [-0.8, 0.156],
  [0.285, 0.01],
  [-0.70176, -0.3842],
  [-0.4, 0.6],
  [-0.835, -0.2321],
  [-0.7269, 0.1889],
];

/** A constant inside the view whose own orbit escapes after more than 10 and fewer than 100 iterations. */
export function drawConstant({ xa, xb, ya, yb }) {
  for (let tries = 0; tries < 10000; tries++) {
    const cx = Math.random() * (xb - xa) + xa;
    const cy = Math.random() * (yb - ya) + ya;
    const time = escapeTime(cx, cy);
    if (time > 10 && time < 100) return [cx, cy];
  }
  return FALLBACKS[Math.floor(Math.random() * FALLBACKS.length)];
}

function escapeTime(cx, cy) {
  let x = cx;
  let y = cy;
  for (let i = 0; i < 100; i++) {
    if (x * x + y * y > 4) return i;
    [x, y] = [x * x - y * y + cx, 2 * x * y + cy];
  }
  return 100;
}
