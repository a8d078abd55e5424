// The page of one picture: follows its state, cancels, retries or deletes it, copies its command.

import { adopt, fetchPage, watch } from "./live.js";
import { fromQuery, previewed } from "./recipe.js";
import { Sketch } from "./preview.js";

const RESYNC = 10000;

const main = document.getElementById("main");
const uuid = main.dataset.uuid;
const announce = document.getElementById("announce");
let close;
let timer;

const pending = () => ["queued", "rendering"].includes(main.dataset.state);

function bind() {
  const remove = document.getElementById("delete");
  // Absent for those who may only look.
  if (remove) {
    remove.hidden = false;
    remove.addEventListener("click", () => document.getElementById("confirm").showModal());
  }
  // Absent when all is done, too.
  const turn = document.getElementById("turn");
  if (turn) {
    turn.hidden = false;
    turn.addEventListener("click", () => turned(turn));
  }
  document.querySelector("#confirm form").addEventListener("submit", confirmed);
  const copy = document.getElementById("copy");
  copy.hidden = false;
  copy.addEventListener("click", () => copyCommand(copy));
  if (pending()) sketch();
}

async function confirmed(event) {
  if (event.submitter?.value !== "delete") return;
  event.preventDefault();
  const problem = document.getElementById("confirm-error");
  problem.textContent = "";
  event.submitter.disabled = true;
  try {
    const answer = await fetch(`/v1/fractal/${uuid}`, { method: "DELETE" });
    if (answer.status !== 404) demandSuccess(answer);
    close?.();
    location.assign("/");
  } catch (error) {
    problem.textContent = `It could not be deleted. ${error.message}`;
    event.submitter.disabled = false;
  }
}

/** Cancels it, or has it tried again, and shows what has become of it. */
async function turned(button) {
  // A button that is disabled would lose the focus.
  if (button.ariaDisabled) return;
  button.ariaDisabled = "true";
  const { verb } = button.dataset;
  const problem = document.getElementById("turn-error");
  problem.textContent = "";
  try {
    const answer = await fetch(`/v1/fractal/${uuid}/${verb}`, { method: "POST" });
    // If it has moved on meanwhile, the page does as well.
    if (![404, 409].includes(answer.status)) demandSuccess(answer);
    await check();
  } catch (error) {
    problem.textContent = `${verb === "cancel" ? "It could not be cancelled" : "It could not be tried again"}. ${error.message}`;
  } finally {
    button.ariaDisabled = null;
  }
}

function demandSuccess(answer) {
  if ([401, 403].includes(answer.status)) throw new Error("You are no longer signed in: reload the page and sign in.");
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
}

async function copyCommand(button) {
  const command = document.getElementById("command");
  try {
    // Only secure origins have a clipboard; elsewhere the text is selected for the keyboard.
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = "Copied";
    announce.textContent = "The command is copied.";
  } catch {
    getSelection().selectAllChildren(command);
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

/** While the picture is awaited, a blurred idea of it. */
function sketch() {
  const canvas = document.getElementById("sketch");
  const link = document.querySelector('.actions a[href^="/new?"]');
  // The browser draws what the form knows.
  if (!link || document.getElementById("preview")) return;
  const recipe = fromQuery(new URL(link.href).searchParams);
  if (previewed(recipe) === "nothing") return;
  const drawn = new Sketch(canvas, 320);
  drawn.draw({ ...recipe, iterations: Math.min(recipe.iterations, 2000) });
  canvas.hidden = false;
  canvas.parentElement.classList.add("sketched");
}

function onEvent(event) {
  if (event.uuid !== uuid) return;
  if (event.change === "deleted") {
    gone();
  } else if (event.change === "rendering" && main.dataset.state === "rendering") {
    showProgress(event.progress, event.eta);
  } else if (event.change !== main.dataset.state) {
    refresh();
  }
}

function showProgress(part, seconds) {
  const bar = document.getElementById("progress");
  if (!bar) return;
  bar.value = part;
  document.getElementById("percent").textContent = `${Math.floor(part * 100)}\u202f%`;
  // Only posters, which are rendered in bands, take long enough to tell.
  document.getElementById("left").textContent = seconds == null ? "" : `about ${duration(seconds)} left`;
}

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Asks the row, which is the truth, and shows the page anew if it has moved on. */
async function check() {
  try {
    const answer = await fetch(`/v1/fractal/${uuid}`, { cache: "no-store" });
    if (answer.status === 404) return gone();
    if (!answer.ok) return;
    const row = await answer.json();
    if (row.state !== main.dataset.state) return refresh();
    showProgress(row.progress, row.eta);
  } catch {
    // The next look may succeed.
  }
}

let refreshing = false;

async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    const page = await fetchPage(location.pathname);
    if (!page) return gone();
    const state = page.getElementById("main").dataset.state;
    const dialog = document.getElementById("confirm");
    // Between waiting states there is nothing to exchange but the words.
    const waited = pending();
    main.dataset.state = state;
    if (waited && pending() && Boolean(page.getElementById("preview")) === Boolean(document.getElementById("preview"))) {
      document.getElementById("state").textContent = state;
      showProgress(Number(page.getElementById("progress").value));
    } else {
      const asking = dialog.open;
      const focused = document.activeElement?.id;
      adopt(".stage", page);
      adopt(".details", page);
      adopt("#confirm", page);
      bind();
      if (focused) document.getElementById(focused)?.focus();
      if (asking && !dialog.open) dialog.showModal();
      if (waited && pending()) return;
      announce.textContent = state === "done" ? "The picture is done." : `The picture is ${state}.`;
    }
  } catch {
    setTimeout(check, 3000);
  } finally {
    refreshing = false;
  }
}

function gone() {
  close?.();
  clearInterval(timer);
  main.dataset.state = "deleted";
  const message = document.createElement("p");
  message.className = "reason";
  message.textContent = "This picture was deleted.";
  document.querySelector(".stage").replaceChildren(message);
  document.querySelector(".details .actions").hidden = true;
  document.getElementById("confirm").close();
  announce.textContent = message.textContent;
}

bind();
close = watch({ onEvent, onOpen: check });
timer = setInterval(() => pending() && !document.hidden && check(), RESYNC);
