// A review that has just become public appears by itself.
customElements.define("live-reviews", class extends HTMLElement {
  connectedCallback() {
    this.source = new EventSource(this.dataset.events);
    this.source.addEventListener("review", () => {
      htmx.ajax("GET", this.dataset.list, { target: "#reviews", swap: "outerMorph" });
      toast(this.dataset.says);
    });
  }
  disconnectedCallback() {
    this.source.close();
  }
});
