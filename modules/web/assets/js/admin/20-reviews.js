// The moderation queue by keys: J and K walk, A approves, R asks for the reason.
document.addEventListener("keydown", (event) => {
  const reviews = [...document.querySelectorAll("[data-review]")];
  if (!reviews.length || event.ctrlKey || event.metaKey || event.altKey || typing() || chord || $("dialog[open]")) return;
  const at = reviews.indexOf(document.activeElement?.closest("[data-review]"));
  const go = (index) => reviews[Math.min(reviews.length - 1, Math.max(0, index))].focus();
  if (event.key === "j") go(at + 1);
  else if (event.key === "k") go(at - 1);
  else if (at < 0) return;
  else if (event.key === "a") $("[data-approve]", reviews[at])?.click();
  else if (event.key === "r") {
    const reject = $("[data-reject]", reviews[at]);
    if (!reject) return;
    event.preventDefault();
    reject.parentElement.open = true;
    $("input[name=reason]", reject.parentElement).focus();
  }
});
