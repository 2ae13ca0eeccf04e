// Questions to a person. An answer is kept here until the server has said that it is in the file,
// and is sent again, to the millisecond the same, if the server was gone in between.
import { ask, colourDots } from "./board.js";

const $ = (id) => document.getElementById(id);
const { game, file, kind } = $("judge").dataset;
const figures = [...document.querySelectorAll("#pictures figure")];
const keys = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "equal", ArrowUp: "skip" };
const place = `judge ${game} ${file} ${kind}`; // of what this window keeps
const patience = 2000; // milliseconds between attempts to send

let view = null; // the question, as the server gave it
let asked = 0, hidden = 0, since = null; // when it was shown, how long the page was hidden, since when
let busy = false;

$("who").value ||= localStorage.getItem("judge who") ?? "";
begin();

async function begin() {
  const pending = kept("answer");
  // A window that was duplicated must not have the question of the other one.
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  if (pending) await send("/judge/answer", pending);
  else await send("/judge/next", { held: (again && kept("token")) || "" });
}

async function answer(verdict) {
  if (busy || !view) return;
  const seconds = ((performance.now() - asked - hidden) / 1000).toFixed(3);
  const { token, moves, other } = view;
  const found = { token, moves, other, verdict, seconds, who: $("who").value };
  keep("answer", found);
  await send("/judge/answer", found);
}

async function send(path, body) {
  busy = true;
  $("judge").dataset.state = "asked";
  for (const button of document.querySelectorAll(".answers button")) button.disabled = true;
  const found = await patiently(path, { game, file, kind, who: $("who").value, ...body });
  busy = false;
  if (found) show(found);
}

// What the server refuses is said; while it cannot be reached, it is asked again and again.
async function patiently(path, body) {
  for (;;) {
    try {
      const found = await ask(path, body);
      keep("answer", null);
      $("error").textContent = "";
      return found;
    } catch (error) {
      if (error instanceof TypeError) { // there was no answer
        $("error").textContent = "The server does not answer; what you said is kept and sent again.";
        await new Promise((done) => setTimeout(done, patience));
      } else {
        keep("answer", null);
        $("error").textContent = error.message;
        return null;
      }
    }
  }
}

function show(found) {
  view = found;
  keep("token", view.token);
  $("prompt").textContent = view.prompt;
  $("left").querySelector("b").textContent = view.left;
  $("right").querySelector("b").textContent = view.right;
  view.pictures.forEach((picture, n) => {
    draw(figures[n], picture);
    const slider = figures[n].querySelector("input");
    if (slider) {
      slider.max = slider.value = view.plies[n];
    }
  });
  colourDots(figures[0]);
  $("count").textContent = view.count.toLocaleString("en");
  $("mine").textContent = view.mine.toLocaleString("en");
  const { right, decided } = view.held_out ?? { right: 0, decided: 0 };
  $("held-out").textContent = decided
    ? `${right} of ${decided} held-out verdicts, ${Math.round(100 * right / decided)} %` : "not yet";
  for (const button of document.querySelectorAll(".answers button")) button.disabled = false;
  $("judge").dataset.state = "shown";
  $("judge").dataset.token = view.token;
  asked = performance.now();
  hidden = 0;
  since = document.hidden ? asked : null;
}

function draw(figure, picture) {
  const board = figure.querySelector(".board");
  board.innerHTML = picture.board;
  for (const cell of board.querySelectorAll("[data-cell]")) {
    cell.classList.toggle("last", picture.last.includes(cell.dataset.cell));
  }
  figure.querySelector("figcaption").textContent = picture.note;
}

async function turn(figure, n) {
  const moves = n ? view.other : view.moves, token = view.token;
  const slider = figure.querySelector("input"), ply = slider.value;
  try {
    const picture = await ask("/judge/position", { game, file, moves, ply });
    if (view.token === token && slider.value === ply) draw(figure, picture);
  } catch (error) {
    $("error").textContent = error.message;
  }
}

// Each window keeps what is its own.
function keep(name, value) {
  if (value === null) sessionStorage.removeItem(`${place} ${name}`);
  else sessionStorage.setItem(`${place} ${name}`, JSON.stringify(value));
}

function kept(name) {
  return JSON.parse(sessionStorage.getItem(`${place} ${name}`) ?? "null");
}

for (const button of document.querySelectorAll(".answers button")) {
  button.addEventListener("click", () => answer(button.dataset.verdict));
}
figures.forEach((figure, n) => {
  figure.querySelector("input")?.addEventListener("input", () => turn(figure, n));
  if (kind === "seats") return;
  figure.querySelector(".board").addEventListener("click", () => answer(figure.dataset.side));
});
addEventListener("keydown", (event) => {
  const verdict = keys[event.key];
  if (!verdict || event.repeat || event.target.closest("input") || event.ctrlKey || event.altKey
    || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  answer(verdict);
});
$("who").addEventListener("change", () => localStorage.setItem("judge who", $("who").value));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) since = performance.now();
  else if (since !== null) {
    hidden += performance.now() - since;
    since = null;
  }
});
