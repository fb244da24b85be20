// Keys of the admin: everything here can also be reached by links.

const $ = (selector, root = document) => root.querySelector(selector);
const typing = () => document.activeElement?.matches("input,textarea,select,[contenteditable]");
const places = { h: "/admin", o: "/admin/orders", p: "/admin/products", i: "/admin/inventory", c: "/admin/customers", s: "/admin/system" };
const root = document.documentElement.lang === "en" ? "" : `/${document.documentElement.lang}`;

const open = (id) => $(`[data-opens="${id}"]`)?.click() ?? load(id);
const load = (id) => {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  htmx.ajax("GET", dialog.dataset.source, { target: dialog, swap: "innerHTML" });
  dialog.showModal();
};

let chord = false;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return open("palette");
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing() || $("dialog[open]")) return;
  const key = event.key;
  if (chord) {
    chord = false;
    if (places[key]) location.assign(root + places[key]);
    return;
  }
  if (key === "g") {
    chord = true;
    setTimeout(() => { chord = false; }, 1200);
  } else if (key === "/") {
    const search = $("[data-search]");
    if (search) { event.preventDefault(); search.focus(); } else open("palette");
  } else if (key === "?") load("keys");
  else if (key === "s") $("form[data-dirty]")?.requestSubmit();
  else if (key === "c") $("[data-create]")?.click();
});

// The palette's list is walked by arrows while the field keeps the focus.
document.addEventListener("keydown", (event) => {
  const list = $("#palette-list");
  if (!list || !event.target.matches("[role=combobox]")) return;
  const options = [...list.children];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const mark = (index) => options.forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
  if (event.key === "ArrowDown") mark((at + 1) % options.length);
  else if (event.key === "ArrowUp") mark(at <= 0 ? options.length - 1 : at - 1);
  else if (event.key === "Enter") (options[at] ?? options[0])?.click();
  else return;
  event.preventDefault();
});

// A row leads where its first link does.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (!row || event.target.closest("a,button,input,label,select") || getSelection()?.toString()) return;
  location.assign(row.dataset.href);
});

// Saving is offered once something has changed, and leaving asks first.
for (const form of document.querySelectorAll("form[data-dirty]")) {
  const state = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
  const before = form.dataset.dirty ? "" : state();
  const bar = $(".savebar", form);
  let sent = false;
  const show = () => { if (bar) bar.hidden = state() === before; };
  show();
  form.addEventListener("input", show);
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("beforeunload", (event) => {
    if (!sent && state() !== before) event.preventDefault();
  });
}
