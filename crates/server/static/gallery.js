// Page 1 of the gallery follows what happens. Events only say that something changed: progress bars are moved at
// once, everything else is read from the page itself, fetched again at most once a second however much happens.

import { adopt, fetchPage, watch } from "./live.js";

const LEAST_PAUSE = 1000;
const RESYNC = 15000;

const main = document.getElementById("main");
const strip = document.getElementById("strip");
const grid = document.getElementById("grid");
const button = document.getElementById("live");
const announce = document.getElementById("announce");

let close = null;
let timer = null;
let fetching = false;
let stale = false;
let earliest = 0;
let unannounced = 0;
const progress = new Map();

function onEvent({ uuid, change, progress: part }) {
  if (change === "rendering") {
    if (progress.size === 0) setTimeout(showProgress, 150);
    progress.set(uuid, part);
  } else {
    refresh();
  }
}

function showProgress() {
  for (const [uuid, part] of progress) {
    const item = itemOf(strip, uuid);
    if (!item) continue;
    item.querySelector("progress").value = part;
    if (item.dataset.state !== "rendering") {
      item.dataset.state = "rendering";
      item.querySelector(".state").textContent = "rendering";
    }
  }
  // One that is not on the strip began before this page knew of it.
  if (strip.children.length < 8 && [...progress.keys()].some((uuid) => !itemOf(strip, uuid))) refresh();
  progress.clear();
}

function itemOf(list, uuid) {
  return list.querySelector(`:scope > [data-uuid="${CSS.escape(uuid)}"]`);
}

/** Fetches the page soon; many calls make one fetch. */
function refresh() {
  stale = true;
  if (fetching || timer !== null || document.hidden || !close) return;
  timer = setTimeout(update, Math.max(0, earliest - performance.now()));
}

async function update() {
  timer = null;
  fetching = true;
  stale = false;
  const begun = performance.now();
  try {
    show(await fetchPage(location.pathname));
  } catch {
    stale = true;
  }
  // A slow server is asked less often.
  const took = performance.now() - begun;
  earliest = performance.now() + (stale ? 5 * LEAST_PAUSE : Math.max(LEAST_PAUSE, 4 * took));
  fetching = false;
  if (stale) refresh();
}

function show(page) {
  if (!page || !close) return;
  adopt("#counts", page);
  adopt("#pager", page);
  document.getElementById("active").hidden = page.getElementById("active").hidden;
  document.getElementById("empty").hidden = page.getElementById("empty").hidden;
  merge(strip, page.getElementById("strip"));
  const added = merge(grid, page.getElementById("grid"));
  for (const item of added) item.classList.add("fresh");
  if (added.length > 0) {
    if (unannounced === 0) setTimeout(tell, 3000);
    unannounced += added.length;
  }
}

/** Makes the list hold what the other holds, in its order, and keeps the items that both have. Returns the new ones. */
function merge(list, other) {
  const known = new Map([...list.children].map((item) => [item.dataset.uuid, item]));
  const added = [];
  let place = list.firstElementChild;
  for (const theirs of other.children) {
    let item = known.get(theirs.dataset.uuid);
    known.delete(theirs.dataset.uuid);
    if (!item || item.dataset.state !== theirs.dataset.state) {
      const copy = document.importNode(theirs, true);
      if (item) {
        if (item === place) place = copy;
        item.replaceWith(copy);
      } else {
        added.push(copy);
      }
      item = copy;
    }
    if (item === place) {
      place = place.nextElementSibling;
    } else {
      list.insertBefore(item, place);
    }
  }
  for (const item of known.values()) item.remove();
  return added;
}

function tell() {
  announce.textContent = unannounced === 1 ? "One new picture" : `${unannounced} new pictures`;
  unannounced = 0;
}

function showState(state) {
  button.dataset.state = state;
  button.lastElementChild.textContent = { live: "Live", waiting: "Reconnecting", paused: "Paused" }[state];
  button.setAttribute("aria-pressed", String(state !== "paused"));
  button.title = state === "paused" ? "Show new pictures as they come" : "Hold the page still";
}

function start() {
  close = watch({ onEvent, onOpen: refresh, onState: showState });
}

function pause() {
  close?.();
  close = null;
  clearTimeout(timer);
  timer = null;
  showState("paused");
}

if (main.dataset.page === "1") {
  button.hidden = false;
  button.addEventListener("click", () => (close ? pause() : start()));
  document.addEventListener("visibilitychange", () => stale && refresh());
  // Events may be lost: as long as something is in work, look from time to time.
  setInterval(() => strip.children.length > 0 && refresh(), RESYNC);
  // The page may come back from the browser's cache of pages.
  window.addEventListener("pageshow", (event) => event.persisted && refresh());
  showState("waiting");
  start();
}
