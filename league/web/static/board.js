// A board whose cells are clicked: a game's moves are sequences of cells, see Game.clicks.

export class Board {
  // place: the element of the board; choices: the element of buttons; play: called with a label.
  constructor(place, choices, play) {
    this.place = place; this.choices = choices; this.play = play;
    this.legal = []; this.prefix = []; this.live = false;
    place.addEventListener("click", (event) => this.click(cellOf(event.target)));
    place.addEventListener("pointerdown", (event) => this.press(event));
    place.addEventListener("pointerup", (event) => this.release(event));
    place.addEventListener("keydown", (event) => this.key(event));
  }

  show(svg, { legal = [], last = [], live = false } = {}) {
    const focused = document.activeElement?.dataset?.cell;
    if (svg !== undefined && svg !== this.svg) {
      this.place.innerHTML = svg;
      this.svg = svg;
    }
    this.legal = legal; this.live = live; this.prefix = []; this.last = last; this.hinted = [];
    this.place.classList.toggle("live", live);
    this.paint();
    if (focused) this.cell(focused)?.focus();
  }

  hint(cells) { this.hinted = cells; this.paint(); }

  cell(name) { return this.place.querySelector(`[data-cell="${CSS.escape(name)}"]`); }

  // Moves that begin as what has been clicked does.
  matching() {
    return this.legal.filter((move) => move.clicks.length > this.prefix.length
      && this.prefix.every((name, n) => move.clicks[n] === name));
  }

  paint() {
    const next = new Set(this.matching().map((move) => move.clicks[this.prefix.length]));
    let first = null;
    for (const cell of this.place.querySelectorAll("[data-cell]")) {
      const name = cell.dataset.cell;
      const can = this.live && next.has(name);
      cell.classList.toggle("can", can && !this.prefix.length);
      cell.classList.toggle("next", can && this.prefix.length > 0);
      cell.classList.toggle("chosen", this.prefix.includes(name));
      cell.classList.toggle("last", this.last.includes(name));
      cell.classList.toggle("hint", this.hinted.includes(name));
      cell.setAttribute("role", can ? "button" : "img");
      cell.setAttribute("tabindex", "-1");
      if (can && !first) first = cell;
    }
    const stop = this.current && this.place.contains(this.current) ? this.current : first;
    stop?.setAttribute("tabindex", "0");
    this.paintChoices();
  }

  // Moves that no cell stands for, and what is left to choose, such as a promotion.
  // While it is another's turn they stay where they are, so that nothing jumps.
  paintChoices() {
    if (!this.live) {
      for (const button of this.choices.children) button.disabled = true;
      return;
    }
    const moves = this.prefix.length
      ? this.matching().filter((move) => move.clicks[this.prefix.length].startsWith("="))
      : this.legal.filter((move) => !move.clicks.length);
    const shown = moves.length <= 60 ? moves : [];
    this.choices.hidden = !shown.length;
    this.choices.replaceChildren(...shown.map((move) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = move.label;
      button.addEventListener("click", () => this.play(move.label));
      return button;
    }));
    if (this.prefix.length && shown.length) this.choices.querySelector("button").focus();
  }

  click(cell) {
    if (!this.live) return;
    const name = cell?.dataset.cell;
    if (this.dragged) { this.dragged = false; return; }
    if (name !== undefined) this.take(name);
    else if (this.prefix.length) { this.prefix = []; this.paint(); }
  }

  take(name) {
    const next = () => this.matching().some((move) => move.clicks[this.prefix.length] === name);
    if (!next()) {
      const again = this.prefix.at(-1) === name;
      this.prefix = [];
      if (again || !next()) { this.paint(); return; }
    }
    this.prefix = [...this.prefix, name];
    const whole = this.legal.find((move) => move.clicks.length === this.prefix.length
      && move.clicks.every((cell, n) => cell === this.prefix[n]));
    if (whole) this.play(whole.label);
    else this.paint();
  }

  press(event) { this.pressed = this.live ? cellOf(event.target)?.dataset.cell : undefined; }

  release(event) {
    const from = this.pressed;
    this.pressed = undefined;
    const to = cellOf(document.elementFromPoint(event.clientX, event.clientY))?.dataset.cell;
    if (from === undefined || to === undefined || from === to) return;
    this.prefix = [];
    if (!this.matching().some((m) => m.clicks[0] === from && m.clicks[1] === to)) return;
    this.take(from);
    this.take(to);
    this.dragged = true;
    setTimeout(() => { this.dragged = false; }, 0);
  }

  key(event) {
    const cell = cellOf(event.target);
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.take(cell.dataset.cell);
    } else if (event.key === "Escape") {
      this.prefix = []; this.paint();
    } else if (event.key in ARROWS) {
      event.preventDefault();
      const found = this.neighbour(cell, ...ARROWS[event.key]);
      if (found) {
        cell.setAttribute("tabindex", "-1");
        found.setAttribute("tabindex", "0");
        this.current = found;
        found.focus();
      }
    }
  }

  // The nearest cell in a direction, as the eye sees it.
  neighbour(cell, dx, dy) {
    const here = middle(cell);
    let best = null, least = Infinity;
    for (const other of this.place.querySelectorAll("[data-cell]")) {
      const [x, y] = middle(other), ahead = (x - here[0]) * dx + (y - here[1]) * dy;
      const aside = Math.abs((x - here[0]) * dy) + Math.abs((y - here[1]) * dx);
      if (ahead > 2 && ahead + 3 * aside < least) { best = other; least = ahead + 3 * aside; }
    }
    return best;
  }
}

// The dots beside the players' names get the colours of their pieces, where the board has any.
export function colourDots(place) {
  for (const seat of ["first", "second"]) {
    const piece = place.querySelector(`.piece.${seat}`);
    const fill = piece?.getAttribute("fill");
    const drawn = fill === "none" || !fill ? piece?.getAttribute("stroke") : fill;
    const said = drawn ?? piece?.getAttribute("href") ?? "";
    const colour = /white/.test(said) ? "#fff" : /black/.test(said) ? "#111"
      : said.startsWith("#") && !said.includes("-") ? said : "";
    for (const dot of document.querySelectorAll(`.dot.${seat}`)) {
      if (colour) dot.style.background = colour;
      else if (!dot.style.background) dot.style.background = "transparent";
    }
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const cellOf = (target) => target?.closest?.("[data-cell]") ?? null;

const middle = (cell) => {
  const box = cell.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
};

// Asks the server; throws what it says if it refuses.
export async function ask(path, body, signal) {
  const answer = await fetch(path, {
    method: "POST", body: JSON.stringify(body), signal,
    headers: { "Content-Type": "application/json", Accept: "application/json" },
  });
  const found = await answer.json().catch(() => ({ error: `the server answers ${answer.status}` }));
  if (!answer.ok) throw new Error(found.error ?? `the server answers ${answer.status}`);
  return found;
}
