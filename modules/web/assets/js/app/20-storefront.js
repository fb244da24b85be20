// Quantities with buttons.
customElements.define("qty-input", class extends HTMLElement {
  connectedCallback() {
    const input = $("input", this);
    this.addEventListener("click", (event) => {
      const step = Number(event.target.closest("[data-step]")?.dataset.step);
      if (!step) return;
      const low = Number(input.min || 0);
      const high = Number(input.max || 9999);
      const next = Math.min(high, Math.max(low, (Number.parseInt(input.value, 10) || 0) + step));
      if (String(next) === input.value) return;
      input.value = next;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    if ("submits" in this.dataset) {
      let timer;
      this.addEventListener("change", () => {
        clearTimeout(timer);
        timer = setTimeout(() => input.form.requestSubmit(), 350);
      });
    }
  }
});

// Suggestions below the search field: a combobox over a list that the server renders.
customElements.define("search-box", class extends HTMLElement {
  connectedCallback() {
    const input = $("input", this);
    const form = $("form", this);
    const list = document.createElement("div");
    list.className = "sugs";
    list.id = `${input.id}-list`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0]?.textContent ?? "");
    list.hidden = true;
    this.append(list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" }))
      input.setAttribute(name, value);

    let at = -1;
    let asked;
    const options = () => [...list.children];
    const show = (open) => {
      list.hidden = !open;
      input.setAttribute("aria-expanded", String(open));
      if (!open) mark(-1);
    };
    const mark = (index) => {
      at = index;
      options().forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
      const option = options()[at];
      if (option) input.setAttribute("aria-activedescendant", option.id);
      else input.removeAttribute("aria-activedescendant");
      option?.scrollIntoView({ block: "nearest" });
    };
    const ask = async () => {
      const q = input.value.trim();
      asked?.abort();
      if (q.length < 2) return show(false);
      asked = new AbortController();
      try {
        const answer = await fetch(`${form.action}/suggest?q=${encodeURIComponent(q)}`, { signal: asked.signal });
        if (!answer.ok) return;
        list.innerHTML = await answer.text();
        mark(-1);
        show(list.children.length > 0);
      } catch {
        // Typed on, or offline: the form still works.
      }
    };
    let timer;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 150);
    });
    input.addEventListener("keydown", (event) => {
      const count = options().length;
      if (event.key === "Escape") show(false);
      if (list.hidden || !count) return;
      if (event.key === "ArrowDown") mark((at + 1) % count);
      else if (event.key === "ArrowUp") mark(at <= 0 ? count - 1 : at - 1);
      else if (event.key === "Enter" && at >= 0) options()[at].click();
      else return;
      event.preventDefault();
    });
    this.addEventListener("focusout", (event) => {
      if (!this.contains(event.relatedTarget)) show(false);
    });
  }
});

// Filters over the whole screen of a phone. Without scripts `:target` opens them.
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-filters]")) return;
  event.preventDefault();
  const filters = $("#filters");
  const open = filters.classList.toggle("open");
  $(open ? "#filters [data-filters]" : "#results .chip[data-filters]")?.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") $("#filters.open")?.classList.remove("open");
});

// A picture as large as the screen.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-zoom]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = document.createElement("dialog");
  dialog.className = "zoom";
  const image = document.createElement("img");
  image.src = link.href;
  image.alt = $("img", link).alt;
  dialog.setAttribute("aria-label", image.alt || "…");
  dialog.append(image);
  const close = $("#menu [data-closes]")?.cloneNode(true);
  if (close) dialog.append(close);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
});

// What is added shows itself in the drawer.
document.addEventListener("htmx:after:swap", () => {
  const cart = $("#cart");
  if (document.querySelector("[data-adds][data-sent]") && cart?.childElementCount) {
    $("[data-sent]").removeAttribute("data-sent");
    if (!cart.open) cart.showModal();
  }
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-adds]")) event.target.dataset.sent = "";
});

// Hearts fill without a new page.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-wish]");
  if (!form) return;
  event.preventDefault();
  const button = $("button", form);
  const data = new FormData(form);
  data.set("do", button.value);
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data), redirect: "manual" });
  if (answer.type !== "opaqueredirect" && !answer.ok) return form.submit();
  const on = button.value === "add";
  document.querySelectorAll(`[data-wish] input[name=product][value="${data.get("product")}"]`).forEach((input) => {
    const b = $("button", input.form);
    b.value = on ? "remove" : "add";
    b.setAttribute("aria-pressed", String(on));
  });
});

// Copies a link.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copies]");
  if (!link || !navigator.clipboard) return;
  event.preventDefault();
  await navigator.clipboard.writeText(new URL(link.href, location.href).href);
  toast(link.dataset.copies);
});

// Asks again by itself what may be asked again.
const again = $("form[data-resends]");
if (again) setTimeout(() => again.requestSubmit(), 4000);
if ($("[data-waits]")) setTimeout(() => location.reload(), 2000);

// A product of a recommended list was followed: the order of the next lists is learned from it.
document.addEventListener("click", (event) => {
  const list = event.target.closest("a[href]")?.closest("[data-impression]");
  const product = list && event.target.closest("[id^=card-]")?.id.slice(5);
  if (!product) return;
  const click = new Blob([JSON.stringify({ product_id: product })], { type: "application/json" });
  navigator.sendBeacon(`/api/v1/recommendations/impressions/${list.dataset.impression}/clicks`, click);
});
