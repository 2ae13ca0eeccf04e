// A game, or a round robin, as it goes on. Events have ids: the browser asks for what it missed.
import { Board, ask, colourDots } from "./board.js";

const $ = (id) => document.getElementById(id);
const name = $("show").dataset.name;
const agents = JSON.parse($("show").dataset.agents);
const board = new Board($("board"), document.createElement("div"), () => {});
let made = [], players = agents, wanted = false, asking = false;

const stream = new EventSource(`/watch/${name}/events`);
const on = (kind, call) => stream.addEventListener(kind, (event) => call(JSON.parse(event.data)));

on("game", (found) => {
  players = found.players;
  made = [];
  $("first").textContent = players[0];
  $("second").textContent = players[1];
  $("status").textContent = `Game ${found.number}`;
  draw();
});
on("board", draw);
on("move", (found) => {
  made[found.ply - 1] = [found.seat, found.label];
  draw();
});
on("over", (found) => {
  const won = found.result > 0 ? players[0] : found.result < 0 ? players[1] : "";
  $("status").textContent = `Game ${found.number}: ${won ? `${won} wins` : "a draw"}`;
});
on("table", table);
on("failure", (found) => { $("error").textContent = found.error; });
on("end", () => {
  stream.close();
  $("stop").disabled = true;
  $("show").dataset.over = "yes";
  draw();
});

// What comes in a rush, as after a reload, is drawn once.
function draw() {
  wanted = true;
  if (!asking) requestAnimationFrame(fetchBoard);
  asking = true;
}

async function fetchBoard() {
  while (wanted) {
    wanted = false;
    showMade();
    try {
      const found = await (await fetch(`/watch/${name}/board`)).json();
      board.show(found.board, { last: found.last });
      colourDots($("board"));
      $("analyse").hidden = !found.address;
      $("analyse").href = `/analyse?${found.address}`;
    } catch { /* the next move draws it */ }
  }
  asking = false;
}

function showMade() {
  $("made").replaceChildren(...made.map(([, label], n) => {
    const item = document.createElement("li");
    item.textContent = `${n + 1}. ${label}`;
    return item;
  }));
  $("made").scrollTop = $("made").scrollHeight;
}

function table({ points, games }) {
  const rows = agents.map((agent, n) => {
    const total = points[n].reduce((a, b) => a + b, 0), count = games[n].reduce((a, b) => a + b, 0);
    return { agent, n, total, count, share: count ? total / count : -1 };
  }).sort((a, b) => b.share - a.share || b.total - a.total);
  $("table").tBodies[0].replaceChildren(...rows.map(({ agent, n, total, count, share }) => {
    const row = document.createElement("tr"), head = document.createElement("th");
    head.scope = "row";
    head.textContent = `${n + 1}  ${agent}`;
    row.append(head);
    agents.forEach((_, k) => row.append(cell(k === n ? "·" : games[n][k] ? `${points[n][k]}/${games[n][k]}` : "", k === n ? "self" : "")));
    row.append(cell(String(total)), cell(String(count)), cell(count ? `${(100 * share).toFixed(0)} %` : ""));
    return row;
  }));
}

function cell(text, kind = "") {
  const found = document.createElement("td");
  found.textContent = text;
  found.className = kind;
  return found;
}

$("stop").addEventListener("click", async () => {
  try {
    await ask(`/watch/${name}/stop`, {});
  } catch (error) {
    $("error").textContent = error.message;
  }
});
