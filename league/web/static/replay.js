// A recorded game: its positions, and what was thought of them.
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const view = JSON.parse($("view").textContent);
const last = view.moves.length;
const boards = new Map([[view.ply, Promise.resolve($("board").innerHTML)]]);
const analysed = $("analyse")?.getAttribute("href");
let ply = view.ply, timer = 0;

const address = (at) => new URLSearchParams({ file: view.file, number: view.number, ply: at });

function fetchBoard(at) {
  if (at < 0 || at > last) return null;
  if (!boards.has(at)) {
    const found = fetch(`/games/board?${address(at)}`).then(async (answer) => {
      if (answer.ok) return answer.text();
      throw new Error((await answer.json()).error);
    });
    found.catch(() => boards.delete(at));
    boards.set(at, found);
    if (boards.size > 400) boards.delete(boards.keys().next().value);
  }
  return boards.get(at);
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

function words() {
  const parts = [ply ? `Move ${ply} of ${last}: ${view.moves[ply - 1]} by ${view.players[view.seats[ply - 1]]}` : "The start"];
  const value = view.values[ply];
  if (value != null) parts.push(`value ${signed(value)}`);
  if (view.visits[ply] != null) parts.push(`${view.visits[ply].toLocaleString("en")} visits`);
  if (ply === last) parts.push(`result ${view.result}`);
  return parts.join(" · ");
}

async function go(to, { push = false } = {}) {
  const wanted = Math.max(0, Math.min(to, last));
  ply = wanted;
  show();
  if (push) history.replaceState(null, "", `/games/replay?${address(ply)}`);
  try {
    const svg = await fetchBoard(wanted);
    if (ply !== wanted) return;
    $("board").innerHTML = svg;
    $("error").textContent = "";
    fetchBoard(wanted + 1)?.catch(() => {});
    fetchBoard(wanted - 1)?.catch(() => {});
  } catch (error) {
    $("error").textContent = error.message === "Failed to fetch" ? "The server does not answer." : error.message;
    stop();
  }
}

function show() {
  $("status").textContent = words();
  if ($("analyse")) $("analyse").href = `${analysed}&ply=${ply}`;
  $("first").disabled = $("back").disabled = ply === 0;
  $("on").disabled = $("end").disabled = ply === last;
  $("made").querySelectorAll("button").forEach((button) => {
    if (Number(button.dataset.ply) === ply) {
      button.setAttribute("aria-current", "step");
      const list = $("made"), top = button.offsetTop - list.offsetTop;
      if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - 30) list.scrollTop = top - list.clientHeight / 2;
    } else button.removeAttribute("aria-current");
  });
  curve();
}

function make(name, values, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

function curve() {
  const known = view.values.map((value, at) => ({ value, at })).filter(({ value }) => value != null);
  const width = $("curve").clientWidth || 600, height = 176, left = 76, right = 12, top = 12, bottom = 22;
  const x = (at) => left + (at / Math.max(1, last)) * (width - left - right);
  const y = (value) => top + ((1 - value) / 2) * (height - top - bottom);
  const label = known.length ? `${known.length} values, from ${signed(known[0].value)} to ${signed(known.at(-1).value)}` : "no values were recorded";
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const [value, text, kind] of [[1, "first wins", "edge"], [0, "even", "zero"], [-1, "second wins", "edge"]]) {
    svg.append(make("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: kind }));
    svg.append(make("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  svg.append(make("text", { x: width - right, y: height - 4, "text-anchor": "end" }, `move ${last}`));
  svg.append(make("line", { x1: x(ply), x2: x(ply), y1: top, y2: height - bottom, class: "here" }));
  const lines = view.by ? [known] : [0, 1].map((seat) => known.filter(({ at }) => view.seats[at] === seat));
  for (const [n, own] of lines.entries()) {
    const kind = ["one", "two"][n];
    if (own.length > 1) svg.append(make("path", { d: own.map((p, k) => `${k ? "L" : "M"}${x(p.at)} ${y(p.value)}`).join(""), class: kind }));
    for (const p of own) svg.append(make("circle", { cx: x(p.at), cy: y(p.value), r: 3, class: kind }));
  }
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    go(Math.round(((at - left) / (width - left - right)) * last), { push: true });
  });
  $("curve").replaceChildren(svg);
  if (!known.length) $("curve-note").textContent = "No values were recorded with this game" + ($("analyse") ? "; Analyse computes them." : ".");
}

function stop() {
  clearInterval(timer);
  timer = 0;
  $("auto").setAttribute("aria-pressed", "false");
  $("auto").textContent = "Play";
}

$("made").replaceChildren(...view.moves.map((move, n) => {
  const item = document.createElement("li"), button = document.createElement("button");
  const number = document.createElement("span");
  number.className = "number";
  number.textContent = `${n + 1}`;
  button.type = "button";
  button.dataset.ply = n + 1;
  button.textContent = move;
  button.addEventListener("click", () => go(n + 1, { push: true }));
  item.append(number, button);
  return item;
}));
for (const [id, to] of [["first", () => 0], ["back", () => ply - 1], ["on", () => ply + 1], ["end", () => last]]) {
  $(id).addEventListener("click", () => { stop(); go(to(), { push: true }); });
}
$("auto").addEventListener("click", () => {
  if (timer) { stop(); return; }
  if (ply === last) go(0);
  $("auto").setAttribute("aria-pressed", "true");
  $("auto").textContent = "Pause";
  timer = setInterval(() => { if (ply >= last) stop(); else go(ply + 1, { push: true }); }, 900);
});
addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea")) return;
  const to = { ArrowLeft: ply - 1, ArrowRight: ply + 1, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  stop();
  go(to, { push: true });
});
addEventListener("resize", curve);
show();
