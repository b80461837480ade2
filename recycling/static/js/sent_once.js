// Each form of the page is sent once: a second tap before the answer is there would be refused, as too soon for another
// code or because the code was used, and its answer would stand in the place of the first one's.

const ANSWERED_MS = 10_000; // by then it is answered, or somebody may try again

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return; // stopped by another script, which sends it a moment later
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    form.setAttribute("aria-busy", "true");
    setTimeout(() => form.removeAttribute("aria-busy"), ANSWERED_MS);
  });
}

// Come back to by the back button, as it was left.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) form.removeAttribute("aria-busy");
});
