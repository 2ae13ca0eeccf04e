// The form of a new league: one of two lengths, and word of what goes on while it begins.
"use strict";
(() => {
  const form = document.getElementById("start");
  const failure = document.getElementById("failure");
  const starting = document.getElementById("starting");
  const button = form.querySelector("button");
  const choose = () => {
    const chosen = new FormData(form).get("length");
    form.querySelectorAll("[data-length]").forEach((part) => { part.hidden = part.dataset.length !== chosen; });
  };
  form.addEventListener("change", choose);
  choose();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failure.hidden = true;
    button.disabled = true;
    starting.textContent = "It begins: JAX is loaded, which takes a few seconds.";
    try {
      const answer = await fetch("/train", {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
      });
      if (answer.ok) { location.assign(answer.url); return; }
      failure.textContent = (await answer.json()).error;
    } catch {
      failure.textContent = "The server does not answer.";
    }
    failure.hidden = false;
    starting.textContent = "";
    button.disabled = false;
  });
  addEventListener("pageshow", () => { button.disabled = false; starting.textContent = ""; });
})();
