// Light or dark: as the system says, until the switch says otherwise. Runs before the page is shown.
"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const show = () => { root.dataset.theme = chosen() || (dark.matches ? "dark" : "light"); };
  show();
  dark.addEventListener("change", show);
  addEventListener("storage", show);
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const next = root.dataset.theme === "dark" ? "light" : "dark";
      const system = dark.matches ? "dark" : "light";
      try {
        if (next === system) localStorage.removeItem("theme");
        else localStorage.setItem("theme", next);
      } catch { /* kept for this page only */ }
      root.dataset.theme = next;
    });
  });
})();
