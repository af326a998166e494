"use strict";
// Helpers of all scripts of the page, and its plots.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const data = read("data");
const palette = read("palette");
const find = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const STAGE_TITLES = { initialised: "Before training", trained: "After training" };
const SPECTRUM = { low: -160, high: 0 };
const ROWS = 50;
const byName = new Map(data.variants.map((variant) => [variant.name, variant]));

// Text only ever enters the page as text: no markup of the configuration can act.
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") Object.assign(node.style, value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
function shape(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const minus = (text) => text.replace("-", "\u2212");
const fixed = (value, digits) => minus(value.toFixed(digits));
const decibels = (value) => (value <= -199.95 ? "none at all" : `${fixed(value, 1)} dBFS`);
const kilohertz = (hertz) => `${Number((hertz / 1000).toPrecision(5))} kHz`;
function numeral(value) {
  if (value === null || value === undefined) return "\u2013";
  const size = Math.abs(value);
  if (size !== 0 && size < 0.01) return minus(value.toExponential(1));
  return fixed(value, size < 1 ? 3 : 2);
}

const selectedVariants = () => [...document.querySelectorAll("#choices input:checked")].map((box) => byName.get(box.value));
const loudness = () => document.querySelector("input[name=loudness]:checked").value;

function axes(inside, xTicks, yTicks, xTitle, yTitle) {
  const tick = (kind, { at, text }) =>
    element("span", { class: `tick ${kind}`, style: { [kind === "x" ? "left" : "bottom"]: `${100 * at}%` } }, text);
  const labels = [...xTicks.map((one) => tick("x", one)), ...yTicks.map((one) => tick("y", one))];
  const titles = [element("span", { class: "axis x" }, xTitle), element("span", { class: "axis y" }, yTitle)];
  const hidden = element("div", { "aria-hidden": "true" }, ...labels, ...titles);
  return element("div", { class: "plot" }, ...inside, hidden);
}
function steps(low, high, step) {
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) values.push(value);
  return values.map((value) => ({ at: (value - low) / (high - low), text: minus(String(value)) }));
}
const frequencyTicks = (samplerate) => steps(0, samplerate / 2000, samplerate > 30000 ? 5 : 2);
function spectrogram(clip, description, tones) {
  if (!clip.picture) return element("p", { class: "absent" }, "This picture found no room on the page.");
  const image = element("img", { src: clip.picture, alt: description });
  const marks = tones.map((tone) =>
    element("span", { class: "mark", "aria-hidden": "true", style: { bottom: `${(200 * tone) / clip.samplerate}%` } }));
  const times = steps(0, clip.seconds, clip.seconds > 2 ? 1 : 0.5);
  return axes([image, ...marks], times, frequencyTicks(clip.samplerate), "time (s)", "frequency (kHz)");
}
function spectra(curves, tones, description) {
  const samplerate = curves[0].clip.samplerate;
  const height = (level) => (100 * (SPECTRUM.high - Math.max(level, SPECTRUM.low))) / (SPECTRUM.high - SPECTRUM.low);
  const lines = curves.map(({ stage, clip }) => {
    const points = clip.curve.map((level, index) => `${((100 * (index + 0.5)) / clip.curve.length).toFixed(2)},${height(level).toFixed(2)}`);
    return shape("polyline", { class: stage, points: points.join(" ") });
  });
  const positions = tones.map((tone) => (200 * tone) / samplerate).filter((x) => x < 99.9);
  const marks = positions.map((x) => shape("line", { x1: x, x2: x, y1: 0, y2: 100 }));
  const plot = shape("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": description }, ...marks, ...lines);
  return axes([plot], frequencyTicks(samplerate), steps(SPECTRUM.low, SPECTRUM.high, 40), "frequency (kHz)", "dBFS per bin");
}
