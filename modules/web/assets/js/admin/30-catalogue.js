// One box ticks all.
for (const all of document.querySelectorAll("[data-all]")) {
  const boxes = [...all.form.elements].filter((box) => box.name === "id");
  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
}

// The preview of a search result follows what is typed.
for (const line of document.querySelectorAll("[data-mirrors]")) {
  const target = $("span", line) ?? line;
  const fields = [line.dataset.mirrors, line.dataset.else].map((name) => name && document.getElementById(`f-${name}`));
  const show = () => { target.textContent = fields.map((field) => field?.value.trim()).find(Boolean) ?? ""; };
  fields.forEach((field) => field?.addEventListener("input", show));
}
