// A game against an agent. The server says what the position of an address is, and what can be
// played there; this shows it, and goes from one address to the next.
import { Board, ask, colourDots } from "./board.js";

const $ = (id) => document.getElementById(id);
let view = JSON.parse($("view").textContent);
let waiting = null; // aborts what has been asked for
const board = new Board($("board"), $("choices"), (label) => play(label));
show(view);
if (view.turn === "agent") answer();

async function play(label) {
  const found = await request("/play/move", { search: view.address, move: label });
  if (!found) return;
  history.pushState(null, "", `/play?${found.address}`);
  show(found);
  if (found.turn === "agent") await answer();
}

async function answer() {
  $("thinking").hidden = false;
  const found = await request("/play/answer", { search: view.address });
  $("thinking").hidden = true;
  if (!found) return;
  history.replaceState(null, "", `/play?${found.address}`);
  show(found);
  if (found.turn === "agent") await answer(); // where a seat moves twice, or the other passes
}

// One at a time: what is asked now takes the place of what was asked before.
async function request(path, body) {
  waiting?.abort();
  const mine = waiting = new AbortController();
  board.live = false;
  $("play").dataset.turn = "asked";
  try {
    $("error").textContent = "";
    return await ask(path, body, mine.signal);
  } catch (error) {
    if (mine.signal.aborted) return null;
    $("error").textContent = error.message;
    show(view);
    return null;
  } finally {
    if (waiting === mine) waiting = null;
  }
}

function show(found) {
  view = found;
  const mine = view.turn === "you";
  $("play").dataset.turn = view.turn;
  board.show(view.board, { legal: view.legal, last: view.last, live: mine });
  colourDots($("board"));
  $("status").textContent = view.status;
  $("status").dataset.result = view.result === null ? "" : String(Math.sign(view.result));
  $("text").textContent = view.text;
  $("move").disabled = $("type").querySelector("button").disabled = !mine;
  $("legal").replaceChildren(...view.legal.slice(0, 400).map((move) => new Option(move.label)));
  $("undo").disabled = !view.undo;
  $("undo").hidden = !view.undo && hidden();
  $("hint").disabled = !mine;
  $("resign").disabled = view.turn === "over";
  $("reveal").hidden = !(hidden() && view.final);
  showMade();
  const at = new URLSearchParams(view.address);
  const plain = new URLSearchParams();
  for (const key of ["game", "start", "moves", "deal"]) if (at.has(key)) plain.set(key, at.get(key));
  $("here").href = `/play?${plain}`;
  $("here").parentElement.hidden = $("analyse").parentElement.hidden = hidden();
  plain.set("agent", at.get("agent"));
  $("analyse").href = `/analyse?${plain}`;
  $("records").hidden = view.turn !== "over" && at.has("deal");
  for (const link of $("records").querySelectorAll("a")) {
    link.href = `/play/record?${view.address}&format=${link.dataset.format}`;
  }
}

// A sealed address has no moves in it: the game hides something.
function hidden() {
  const at = new URLSearchParams(view.address);
  return at.has("deal") && !at.has("moves") && at.get("deal").length > 40;
}

function showMade() {
  const rows = [];
  let turn = null;
  for (const [seat, label] of view.made) {
    if (!turn || seat === 0 || turn.last === seat) {
      turn = { last: null, cells: [null, null] };
      rows.push(turn);
    }
    turn.cells[seat] = label;
    turn.last = seat;
  }
  $("made").replaceChildren(...rows.flatMap(({ cells }, n) => cells.map((label, seat) => {
    const item = document.createElement("li");
    if (seat === 0) {
      const number = document.createElement("span");
      number.className = "number";
      number.textContent = `${n + 1}.`;
      item.append(number);
    }
    item.append(label ?? (seat === 0 ? "…" : ""));
    return item;
  })));
  $("made").scrollTop = $("made").scrollHeight;
}

async function go(address, { push = true } = {}) {
  const found = await request("/play/look", { search: address });
  if (!found) return;
  if (push) history.pushState(null, "", `/play?${found.address}`);
  show(found);
  if (found.turn === "agent") await answer();
}

$("type").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("move").value.trim();
  $("move").value = "";
  if (text) play(text);
});
$("undo").addEventListener("click", () => go(view.undo));
$("resign").addEventListener("click", () => go(`${view.address}&resigned=yes`));
$("hint").addEventListener("click", async () => {
  $("hint").disabled = true;
  const found = await request("/play/hint", { search: view.address });
  $("hint").disabled = false;
  if (!found) return;
  board.live = true;
  board.hint(found.cells);
  $("status").textContent = `Hint: ${found.label}`;
});
$("reveal").addEventListener("click", async () => {
  const found = await request("/play/reveal", { search: view.address });
  if (found) board.show(found.board);
});
addEventListener("popstate", () => go(location.search, { push: false }));
