// The table of artifact measures: sorted, filtered, shown in parts.
const { probes, measures, rows } = data.artifacts;
const tableRows = rows.map(([variant, seed, probe, measure, frequency, before, after], order) => ({
  order, seed, frequency, before, after,
  name: data.variants[variant].name,
  variant: data.variants[variant].title,
  probe: probes[probe].title,
  probeName: probes[probe].name,
  measure: measures[measure].title,
  measureName: measures[measure].name,
  unit: measures[measure].unit,
  change: before === null || after === null ? null : after - before,
}));
const columns = [
  { key: "variant", title: "Upsampler" },
  { key: "seed", title: "Seed", text: (value) => String(value), number: true },
  { key: "probe", title: "Probe" },
  { key: "measure", title: "Measure" },
  { key: "frequency", title: "Frequency (Hz)", number: true, text: (value) => (value === null ? "\u2013" : String(Number(value.toFixed(2)))) },
  { key: "before", title: "Before training", number: true, text: numeral },
  { key: "after", title: "After training", number: true, text: numeral },
  { key: "change", title: "Change", number: true, text: numeral },
  { key: "unit", title: "Unit" },
];
let matching = tableRows;
let sorted = { key: null, sign: 1 };
let limit = ROWS;

function compare(first, second) {
  const [a, b] = [first[sorted.key], second[sorted.key]];
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "string" ? a.localeCompare(b, "en") : a - b;
  return sorted.sign * order || first.order - second.order;
}
function filter() {
  const [probe, measure, text] = ["by-probe", "by-measure", "by-text"].map((id) => find(id).value);
  const names = find("by-choice").checked ? new Set(selectedVariants().map((variant) => variant.name)) : null;
  matching = tableRows.filter((row) =>
    (!probe || row.probeName === probe.slice(1)) && (!measure || row.measureName === measure) &&
    row.variant.toLowerCase().includes(text.trim().toLowerCase()) && (!names || names.has(row.name)));
  limit = ROWS;
  draw();
}
function draw() {
  const ordered = sorted.key ? [...matching].sort(compare) : matching;
  find("rows").replaceChildren(...ordered.slice(0, limit).map((row) => element("tr", { "data-variant": row.name },
    ...columns.map(({ key, number, text }, index) => element(index ? "td" : "th", { class: number && "number", scope: index ? undefined : "row" }, text ? text(row[key]) : row[key])))));
  const shown = Math.min(limit, matching.length);
  find("counted").textContent = `${shown} of ${matching.length} rows shown${matching.length < tableRows.length ? `, filtered from ${tableRows.length}` : ""}.`;
  find("more").hidden = shown === matching.length;
}
function sortBy(key) {
  sorted = { key, sign: sorted.key === key ? -sorted.sign : 1 };
  for (const head of find("heads").children) {
    if (head.dataset.key === key) head.setAttribute("aria-sort", sorted.sign > 0 ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
  draw();
}
