// Everything here makes pages nicer that already work without it.

const $ = (selector, root = document) => root.querySelector(selector);

// Says something for a moment, also to a screen reader.
const toast = (text) => {
  const line = document.createElement("p");
  line.className = "toast";
  line.textContent = text;
  $("#toasts").append(line);
  setTimeout(() => line.remove(), 4000);
};

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (dialog?.showModal) {
      event.preventDefault();
      if (dialog.dataset.source) htmx.ajax("GET", dialog.dataset.source, { target: dialog, swap: "innerHTML" });
      dialog.showModal();
    }
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  // A click on the backdrop closes.
  if (event.target.matches?.("dialog")) event.target.close();
});

// Choices that need no button.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// A form is sent once.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.target.method !== "post" || event.target.closest("[hx-post]")) return;
  setTimeout(() => event.defaultPrevented || button.setAttribute("aria-busy", "true"));
});
addEventListener("pageshow", () => document.querySelectorAll("[aria-busy=true]").forEach((b) => b.removeAttribute("aria-busy")));

// The focus goes to what is wrong.
$(".problems")?.focus();
