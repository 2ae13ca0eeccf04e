// A run as it goes on: told by server-sent events, which the browser resumes where it lost them.
"use strict";
(() => {
  const run = document.getElementById("run");
  const $ = (id) => document.getElementById(id);
  const path = `/train/${encodeURIComponent(run.dataset.name)}`;
  let newest = Number(run.dataset.after) - 1;   // generation in the log
  let drawn = Number(run.dataset.generation);   // generation in the figures
  let since = Number(run.dataset.since);
  let gone = false, drawing = false, asked = false;

  const warn = (text) => { $("alert").textContent = text; $("alert").hidden = !text; };

  const clock = () => {
    const seconds = Math.max(0, Math.round(Date.now() / 1000 - since));
    $("clock").textContent = since ? `for ${seconds} s` : "";
  };
  setInterval(clock, 1000);
  clock();

  const cells = (tag, texts) => texts.map((text) => {
    const cell = document.createElement(tag);
    cell.textContent = text;
    return cell;
  });

  const actors = (cluster) => {
    $("cluster").hidden = !cluster;
    if (!cluster) return;
    $("cluster-lines").replaceChildren(...cells("li", cluster.lines));
    $("cluster-columns").replaceChildren(...cells("th", cluster.columns));
    $("cluster-rows").replaceChildren(...cluster.rows.map((row) => {
      const line = document.createElement("tr");
      line.append(...cells("td", row));
      return line;
    }));
  };

  const show = (status) => {
    actors(status.cluster);
    since = status.since;
    $("words").textContent = status.words;
    $("dot").className = `dot ${status.state}`;
    $("progress").max = status.total || 1;
    $("progress").value = status.total ? status.done : 0;
    document.querySelectorAll(".phases li").forEach((step) => {
      if (step.dataset.phase === status.phase) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    $("stop").hidden = status.state !== "training";
    $("resume").hidden = !["stopped", "finished"].includes(status.state);
    $("more").hidden = status.state !== "finished";
    if (status.state !== "finished") $("to").value = "";
    else if (!$("to").value) $("to").value = status.done + 8;
    $("resume").querySelector("button").textContent = status.state === "finished" ? "Go on" : "Resume";
    $("stop").querySelector("button").disabled = !status.stoppable;
    if (status.state !== run.dataset.state) {
      $("note").textContent = "";
      $("said").textContent = status.words;
      $("stop").querySelector("button").textContent = "Stop";
      $("resume").querySelector("button").disabled = false;
      if (status.state !== "training") draw();
    }
    if (status.state === "training" && !status.stoppable) {
      $("note").textContent = `The process that trains it${status.host ? `, on ${status.host},` : ""} does not listen to this server.`;
    }
    run.dataset.state = status.state;
    clock();
  };

  const draw = async () => {
    if (drawing) { asked = true; return; }
    drawing = true;
    const began = performance.now();
    try {
      const answer = await fetch(`${path}/figures`);
      if (answer.ok) {
        $("figures").innerHTML = await answer.text();
        drawn = Number(answer.headers.get("X-Generation"));
      }
    } catch { /* the stream says whether the server is there */ }
    const again = Math.max(1500, 3 * (performance.now() - began));
    setTimeout(() => {
      drawing = false;
      if (!gone && (asked || drawn < newest)) { asked = false; draw(); }
    }, again);
  };

  const add = (data) => {
    if (data.generation <= newest) return;
    newest = data.generation;
    $("log").insertAdjacentHTML("afterbegin", data.html);
    draw();
  };

  const source = new EventSource(`${path}/events?after=${newest + 1}&run=${run.dataset.id}`);
  source.addEventListener("open", () => { if (!gone) warn(""); });
  source.addEventListener("error", () => { if (!gone) warn("The server does not answer. A training goes on without it."); });
  source.addEventListener("status", (event) => show(JSON.parse(event.data)));
  source.addEventListener("generation", (event) => add(JSON.parse(event.data)));
  source.addEventListener("gone", (event) => {
    gone = true;
    source.close();
    since = 0;
    warn(JSON.parse(event.data).text);
    document.querySelectorAll(".state button, .state input").forEach((field) => { field.disabled = true; });
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  for (const form of [$("stop"), $("resume")]) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      const stops = form === $("stop");
      $("note").textContent = stops ? "Stops after the piece of work that it is at." : "It begins again.";
      if (stops) button.textContent = "End at once";
      else button.disabled = true;
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
      }).catch(() => null);
      if (answer && answer.ok) { warn(""); return; }
      button.disabled = false;
      $("note").textContent = "";
      warn(answer ? (await answer.json()).error : "The server does not answer.");
    });
  }
  if (drawn < newest) draw();
})();
