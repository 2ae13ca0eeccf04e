// Positions of a game, what one or two agents find out about them, and the values along the game.
import { Board, ask } from "./board.js";

const $ = (id) => document.getElementById(id);
const NAMES = ["one", "two"];
const SVG = "http://www.w3.org/2000/svg";
let view = JSON.parse($("view").textContent);
let stream = null; // of the analyses of the position that is shown
let curves = []; // of the game: points, for each agent
let curveStream = null;
const board = new Board($("board"), $("choices"), (label) => move(label));

for (const name of NAMES) $(name).append($("column").content.cloneNode(true));
const agents = () => [$("agent").value, $("other").value];
const running = () => $("go").getAttribute("aria-pressed") === "true";

function address() {
  const at = new URLSearchParams(view.address);
  at.set("agent", $("agent").value);
  if ($("other").value) at.set("other", $("other").value);
  at.set("ply", String(view.ply));
  return at;
}

async function request(path, body) {
  try {
    $("error").textContent = "";
    return await ask(path, body);
  } catch (error) {
    $("error").textContent = error.message;
    board.show(view.board, { legal: view.legal, last: view.last, live: true });
    return null;
  }
}

async function go(ply) {
  const wanted = Math.max(0, Math.min(ply, view.made.length));
  if (wanted === view.ply) return;
  const found = await request("/analyse/look", { search: view.address, ply: String(wanted) });
  if (found) show(found, { push: true });
}

async function move(label) {
  const found = await request("/analyse/move", { search: view.address, ply: String(view.ply), move: label });
  if (!found) return;
  const other = found.address !== view.address;
  show(found, { push: true });
  if (other) restartCurves();
}

function show(found, { push = false } = {}) {
  view = found;
  board.show(view.board, { legal: view.legal, last: view.last, live: true });
  $("status").textContent = statusText();
  $("legal").replaceChildren(...view.legal.slice(0, 400).map((one) => new Option(one.label)));
  $("first").disabled = $("back").disabled = view.ply === 0;
  $("on").disabled = $("end").disabled = view.ply === view.made.length;
  $("position").textContent = view.position;
  if (push) history.pushState(null, "", `/analyse?${address()}`);
  showMade();
  showCurves();
  const at = new URLSearchParams(view.address);
  for (const link of $("records").querySelectorAll("a")) {
    link.href = `/play/record?${at}&format=${link.dataset.format}`;
  }
  const moves = (at.get("moves") ?? "").split(",").slice(0, view.ply).join(",");
  if (moves) at.set("moves", moves); else at.delete("moves");
  at.delete("agent");
  at.set("seat", view.turn === 1 ? "second" : "first");
  $("play").href = `/play?${at}`;
  restart();
}

function statusText() {
  const where = view.ply ? `After move ${view.ply}, ${view.made[view.ply - 1][1]}` : "First position";
  const who = ["First", "Second"][view.turn];
  return who ? `${where}: ${who.toLowerCase()} to move` : `${where}: the game is over`;
}

function showMade() {
  $("made").replaceChildren(...view.made.map(([, label], n) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${n + 1}. ${label}`;
    if (n + 1 === view.ply) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => go(n + 1));
    item.append(button);
    return item;
  }));
  const here = $("made").querySelector("[aria-current]");
  if (here) $("made").scrollTop = here.offsetTop - $("made").offsetTop - $("made").clientHeight / 2;
}

// The analyses of this position, afresh: one stream for both agents, as a browser opens few.
function restart() {
  stream?.close();
  stream = null;
  agents().forEach((agent, n) => {
    const place = $(NAMES[n]);
    place.hidden = !agent;
    clear(place);
    place.querySelector(".who b").textContent = agent;
    say(n, view.turn < 0 ? "the game is over" : running() ? "searching…" : "");
  });
  if (view.turn < 0 || !running()) return;
  stream = listen(`/analyse/live?${address()}`, (found) => {
    if (found.error) say(found.place, found.error);
    else fill($(NAMES[found.place]), found);
  }, (text) => say(0, text));
}

function say(n, text) { $(NAMES[n]).querySelector(".value span").textContent = text; }

function clear(place) {
  place.querySelector(".who span").textContent = "";
  place.querySelector(".value strong").textContent = "";
  place.querySelector(".value span").textContent = "";
  place.querySelector(".line").textContent = "";
  place.querySelector("tbody").replaceChildren();
  delete place.dataset.simulations;
}

function listen(path, found, failed) {
  const source = new EventSource(path);
  source.addEventListener("found", (event) => found(JSON.parse(event.data)));
  source.addEventListener("failure", (event) => failed(JSON.parse(event.data).error));
  source.addEventListener("end", () => source.close());
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) failed("the server does not answer");
  });
  return source;
}

function fill(place, found) {
  place.dataset.simulations = found.simulations;
  place.querySelector(".who span").textContent =
    `${found.simulations.toLocaleString("en")} simulations, ${found.seconds.toFixed(1)} s`;
  place.querySelector(".value strong").textContent = found.best;
  place.querySelector(".value span").textContent =
    `${signed(found.value)} for ${["first", "second"][view.turn]}${found.proven ? ", proven" : ""}`;
  place.querySelector(".line").textContent = found.variation.join(" ");
  const most = { prior: 0, visits: 0 };
  for (const row of found.moves) {
    most.prior = Math.max(most.prior, row.prior);
    most.visits = Math.max(most.visits, row.visits);
  }
  place.querySelector("tbody").replaceChildren(...found.moves.slice(0, 80).map((row) => {
    const line = document.createElement("tr");
    line.className = row.label === found.best ? "best" : "";
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = row.label;
    line.append(head, bar("prior", (100 * row.prior).toFixed(1), row.prior / (most.prior || 1)),
      bar("visits", row.visits.toLocaleString("en"), row.visits / (most.visits || 1)),
      row.value === null ? bar("worth", "–", 0)
        : bar(row.value < 0 ? "worth bad" : "worth", signed(row.value), Math.abs(row.value)));
    line.addEventListener("mouseenter", () => board.hint(row.cells));
    line.addEventListener("mouseleave", () => board.hint([]));
    return line;
  }));
}

function bar(kind, text, share) {
  const cell = document.createElement("td");
  cell.className = kind;
  const fill = document.createElement("i");
  fill.style.setProperty("--share", String(Math.min(1, share)));
  cell.append(fill, text);
  return cell;
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

// The curves along the game.
function restartCurves() {
  curveStream?.close();
  curves = agents().flatMap((agent, n) => agent ? [{ n, agent, points: [] }] : []);
  curveStream = listen(`/analyse/along?${address()}`, (found) => {
    if (found.error) return;
    curves[found.place].points.push(found);
    showCurves();
  }, (text) => { $("error").textContent = text; });
  $("legend").replaceChildren(...curves.map(({ n, agent }) => {
    const item = document.createElement("li"), mark = document.createElement("i");
    mark.style.background = `var(--series-${n + 1})`;
    item.append(mark, agent);
    return item;
  }));
  showCurves();
}

function showCurves() {
  const width = $("curve").clientWidth || 700, height = 176, left = 76, right = 12, top = 12, bottom = 22;
  const last = Math.max(1, view.made.length);
  const x = (ply) => left + (ply / last) * (width - left - right);
  const y = (value) => top + ((1 - value) / 2) * (height - top - bottom);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": curveLabel() });
  for (const [value, text, kind] of [[1, "first wins", "edge"], [0, "even", "zero"], [-1, "second wins", "edge"]]) {
    svg.append(make("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: kind }));
    svg.append(make("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  svg.append(make("text", { x: width - right, y: height - 4, "text-anchor": "end" }, `move ${view.made.length}`));
  svg.append(make("line", { x1: x(view.ply), x2: x(view.ply), y1: top, y2: height - bottom, class: "here" }));
  for (const { n, points } of curves) {
    if (points.length === 1) svg.append(make("circle", { cx: x(points[0].ply), cy: y(points[0].value), r: 4, class: NAMES[n] }));
    else svg.append(make("path", { d: points.map((p, i) => `${i ? "L" : "M"}${x(p.ply)} ${y(p.value)}`).join(""), class: NAMES[n] }));
  }
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    go(Math.round(((at - left) / (width - left - right)) * last));
  });
  $("curve").replaceChildren(svg);
}

function curveLabel() {
  return curves.map(({ agent, points }) => {
    const here = points.find((point) => point.ply === view.ply);
    return `${agent}: ${points.length} positions` + (here ? `, here ${signed(here.value)}` : "");
  }).join("; ") || "Value along the game";
}

function make(name, values, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

$("first").addEventListener("click", () => go(0));
$("back").addEventListener("click", () => go(view.ply - 1));
$("on").addEventListener("click", () => go(view.ply + 1));
$("end").addEventListener("click", () => go(view.made.length));
$("turn").addEventListener("click", async () => {
  const at = new URLSearchParams(view.address);
  at.set("seat", at.get("seat") === "second" ? "first" : "second");
  const found = await request("/analyse/look", { search: String(at), ply: String(view.ply) });
  if (found) show(found, { push: true });
});
$("go").addEventListener("click", () => {
  const on = !running();
  $("go").setAttribute("aria-pressed", String(on));
  $("go").textContent = on ? "Stop" : "Analyse";
  if (on) restart();
  else stream?.close();
});
for (const id of ["agent", "other"]) {
  $(id).addEventListener("change", () => {
    history.replaceState(null, "", `/analyse?${address()}`);
    restart();
    restartCurves();
  });
}
$("type").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("move").value.trim();
  $("move").value = "";
  if (text) move(text);
});
addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, [data-cell], .scroll")) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) { event.preventDefault(); go(view.ply + step); }
  if (event.key === "Home") { event.preventDefault(); go(0); }
  if (event.key === "End") { event.preventDefault(); go(view.made.length); }
});
addEventListener("resize", showCurves);
addEventListener("popstate", () => location.reload());
addEventListener("pagehide", () => { stream?.close(); curveStream?.close(); });

show(view);
restartCurves();
