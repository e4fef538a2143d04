// The theme: light or dark as chosen at the foot of the page, else as the system has it.
// Every page works without this file; then the choice isn't offered.

(() => {
  "use strict";
  const KEY = "journal-theme";
  const root = document.documentElement;

  // A browser may refuse storage. Then the choice holds for this page.
  const recall = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const remember = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Nothing to do: the page shows the theme already.
    }
  };
  const show = (theme) => {
    root.dataset.theme = theme;
  };

  // In the page's head, so that the first thing painted has the right colours.
  const chosen = ["light", "dark"].includes(recall()) ? recall() : "system";
  show(chosen);

  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("theme");
    choice.querySelector(`[value="${chosen}"]`).checked = true;
    choice.addEventListener("change", (event) => {
      show(event.target.value);
      remember(event.target.value);
    });
    choice.hidden = false;
  });
})();
