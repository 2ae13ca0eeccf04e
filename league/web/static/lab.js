// An experiment as it goes on: asked once a second, and the page drawn anew when it ends.
"use strict";
(() => {
  const experiment = document.getElementById("experiment");
  const $ = (id) => document.getElementById(id);
  const path = `/lab/${encodeURIComponent(experiment.dataset.name)}`;

  const fail = (text) => { $("failure").textContent = text; $("failure").hidden = !text; };

  const show = (state) => {
    $("words").textContent = state.words;
    $("dot").className = `dot ${state.running ? "training" : ""}`;
    $("progress").max = state.total || 1;
    $("progress").value = state.done;
    $("start").hidden = state.running;
    $("stop").hidden = !(state.running && state.stoppable);
    if (!state.running && experiment.dataset.running === "yes") location.reload();
    experiment.dataset.running = state.running ? "yes" : "no";
  };

  const ask = async () => {
    try {
      const answer = await fetch(`${path}/progress`);
      if (answer.ok) show(await answer.json());
    } catch { /* The server does not answer; the next time it may. */ }
  };
  setInterval(ask, 1000);

  for (const form of [$("start"), $("stop")]) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      fail("");
      try {
        const answer = await fetch(form.action, {
          method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)),
          headers: { Accept: "application/json" },
        });
        if (!answer.ok) fail((await answer.json()).error);
      } catch {
        fail("The server does not answer.");
      }
      ask();
    });
  }
})();
