// The controls, and the first view.
function chip(variant, checked) {
  const box = element("input", { type: "checkbox", value: variant.name, checked });
  return element("label", { class: "chip" }, box, variant.title);
}
const firstTrained = data.variants.filter((variant) => variant.trained);
const initially = new Set((firstTrained.length ? firstTrained : data.variants).slice(0, 2));
for (const [trained, title] of [[true, "Trained here"], [false, "Before training only"]]) {
  const group = data.variants.filter((variant) => variant.trained === trained);
  const chips = group.map((variant) => chip(variant, initially.has(variant)));
  if (chips.length) find("choices").append(element("div", { class: "group", role: "group", "aria-label": title }, element("span", { "aria-hidden": "true" }, title), element("div", { class: "chips" }, ...chips)));
}
const option = (value, text) => element("option", { value }, text);
find("probe").append(...data.probes.map((probe) => option(probe.name, probe.title)));
find("seed").append(...data.seeds.map((seed) => option(seed, String(seed))));
find("by-probe").append(option("", "all"), ...probes.map((probe) => option(`=${probe.name}`, probe.title)));
find("by-measure").append(option("", "all"), ...measures.map((measure) => option(measure.name, measure.title)));
find("heads").append(...columns.map(({ key, title, number }) =>
  element("th", { scope: "col", class: number && "number", "data-key": key }, element("button", { type: "button" }, title))));
find("heads").addEventListener("click", (event) => {
  const head = event.target.closest("button") && event.target.closest("th");
  if (head) sortBy(head.dataset.key);
});
find("controls").addEventListener("change", (event) => (event.target.name === "loudness" ? setLoudness() : show()));
find("controls").addEventListener("click", (event) => {
  const choice = event.target.dataset.choose;
  if (!choice) return;
  for (const box of document.querySelectorAll("#choices input")) box.checked = choice === "all" || (choice === "trained" && byName.get(box.value).trained);
  show();
});
for (const name of ["input", "change"]) find("filters").addEventListener(name, filter);
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
find("more").addEventListener("click", () => { limit += 5 * ROWS; draw(); });
filter();
show();
