// Sounds, the card of each selected upsampler, separated music.
function player(clip, description, folder) {
  const level = clip.silent
    ? element("p", { class: "note" }, element("span", { class: "silent" }, clip.level > -199.95 ? "Too quiet to hear: " : "Digital silence"), clip.level > -199.95 ? `${decibels(clip.level)}, not amplified.` : ".")
    : element("p", { class: "note" }, `${decibels(clip.level)}, played with ${clip.gain < 0 ? "" : "+"}${fixed(clip.gain, 1)} dB.`);
  if (!clip.sound) return element("div", {}, element("p", { class: "absent" }, "This sound found no room on the page; it is in ", element("code", {}, folder), "."), level);
  const audio = element("audio", { controls: true, preload: "none", src: clip.sound, "aria-label": description, "data-gain": clip.gain });
  return element("div", {}, audio, level);
}
// Relative to the loudest of a section: players can turn sounds down but not up.
function setLoudness() {
  for (const section of ["compare", "music"]) {
    const players = [...document.querySelectorAll(`#${section} audio`)];
    const lowest = Math.min(...players.map((one) => Number(one.dataset.gain)));
    for (const one of players) one.volume = loudness() === "matched" ? 1 : Math.min(1, 10 ** ((lowest - Number(one.dataset.gain)) / 20));
  }
}
document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
}, true);

const described = (clip, subject) => `Spectrogram, ${subject}: 0 to ${kilohertz(clip.samplerate / 2)}, ${Number(clip.seconds.toFixed(2))} seconds.`;
function colorBar(clip) {
  const bar = element("i", { style: { background: `linear-gradient(to right, ${palette.join(",")})` } });
  const unit = clip.relative ? "dB" : "dBFS";
  return element("div", { class: "bar" }, `${minus(String(clip.floor))}`, bar, `0 ${unit}`);
}
function inputCard(probe) {
  const clip = data.clips.inputs[probe.name];
  const card = element("article", { class: "card input", "aria-labelledby": "input-title" });
  card.append(element("header", {}, element("h3", { id: "input-title" }, `The probe: ${probe.title}`)));
  const entry = element("div", { class: "entries" }, element("p", {}, probe.text));
  const panels = element("div", { class: "panels" }, entry);
  if (clip) {
    const title = element("figcaption", {}, "Input");
    entry.append(player(clip, `${probe.title}, the probe itself`, "audio/"), colorBar(clip));
    panels.append(element("figure", {}, title, spectrogram(clip, described(clip, `${probe.title}, the probe itself`), [])));
  }
  card.append(panels);
  return card;
}
function facts(variant, initial) {
  const options = Object.entries(variant.options).map(([name, value]) => `${name} ${value}`);
  const scored = data.scores[variant.name];
  const parts = variant.operator ? [[variant.operator, ...options].join(", ")] : [];
  if (initial && variant.width) parts.push(`${variant.width} channels`);
  else if (!initial && scored && scored.parameters) parts.push(`${scored.parameters.toLocaleString("en")} parameters`);
  if (!initial && scored && scored.sdr !== null) parts.push(`SDR ${fixed(scored.sdr, 2)}${scored.sdr_spread === null ? "" : ` \u00b1 ${fixed(scored.sdr_spread, 2)}`} dB`);
  return parts.join(" \u00b7 ");
}
function card(variant, probe, seed) {
  const initial = probe.name === data.initialisation;
  const stages = initial ? { [data.stages[0]]: data.clips[data.initialisation][variant.name] } : data.clips.runs[variant.name][seed][probe.name];
  const signal = (initial ? data.initialisation_title : probe.title).toLowerCase();
  const where = initial ? "audio/initialisation/" : `audio/${variant.name}/seed${seed}/`;
  const id = `card-${variant.name}`;
  const article = element("article", { class: "card", "aria-labelledby": id, "data-variant": variant.name });
  const header = element("header", {}, element("h3", { id }, variant.title), element("p", {}, facts(variant, initial)));
  if (variant.label !== variant.title) header.append(element("p", {}, variant.label));
  article.append(header);
  const panels = element("div", { class: "panels" });
  for (const stage of data.stages) {
    const clip = stages[stage];
    if (clip) {
      const subject = `${variant.title}, ${STAGE_TITLES[stage].toLowerCase()}, ${signal}`;
      const range = clip.floor === -150 ? null : element("span", { class: "note" }, `range down to ${minus(String(clip.floor))} dB`);
      const title = element("figcaption", {}, element("b", { class: stage }, STAGE_TITLES[stage]), range);
      panels.append(element("figure", { "data-stage": stage }, title, spectrogram(clip, described(clip, subject), variant.tones), player(clip, subject, where)));
    } else {
      const reason = variant.trained ? "This probe is of the random model alone." : "Not trained in this configuration.";
      panels.append(element("p", { class: "absent", "data-stage": stage }, element("b", {}, STAGE_TITLES[stage]), element("br"), reason));
    }
  }
  const curves = data.stages.filter((stage) => stages[stage]).map((stage) => ({ stage, clip: stages[stage] }));
  const levels = curves.map(({ stage, clip }) => `${STAGE_TITLES[stage].toLowerCase()} ${decibels(clip.level)}`);
  const description = `Mean spectrum of ${variant.title}, ${signal}: ${levels.join(", ")} without the constant part.`;
  const legend = element("figcaption", {}, "Mean spectrum", ...curves.map(({ stage }) => element("b", { class: stage }, stage)));
  const measured = initial ? [] : measuredOn(variant, probe, seed);
  const headlines = measured.filter((row) => row.probeName === probe.name && data.headlines.includes(row.measureName)).map((row) =>
    element("p", { class: "note" }, `${row.measure} at ${kilohertz(row.frequency)}: `, element("b", {}, [row.before, row.after].filter((value) => value !== null).map(numeral).join(" \u2192 ")), ` ${row.unit}`));
  panels.append(element("figure", {}, legend, spectra(curves, variant.tones, description), ...headlines));
  article.append(panels);
  if (measured.length) article.append(measuresTable(variant, measured));
  return article;
}
// Measures at the fundamental of the outermost layer, where its tones and valleys are, and of the whole signal.
function measuredOn(variant, probe, seed) {
  const relevant = (row) => row.probeName === probe.name || row.probeName === data.weights;
  return tableRows.filter((row) => row.name === variant.name && String(row.seed) === seed && relevant(row) && (row.frequency === null || row.frequency === variant.tones[0]));
}
function measuresTable(variant, rows) {
  const head = element("tr", {}, ...["Measure", "on", "at", "before", "after"].map((text, index) => element("th", { scope: "col", class: index > 2 && "number" }, text)));
  const body = rows.map((row) => element("tr", {},
    element("th", { scope: "row" }, row.measure),
    element("td", {}, row.probe),
    element("td", {}, row.frequency === null ? "\u2013" : kilohertz(row.frequency)),
    element("td", { class: "number" }, `${numeral(row.before)} ${row.unit}`),
    element("td", { class: "number" }, `${numeral(row.after)} ${row.unit}`)));
  const table = element("table", {}, element("caption", { class: "hidden" }, `Measures of ${variant.title}`), element("thead", {}, head), element("tbody", {}, ...body));
  return element("details", {}, element("summary", {}, `Measures (${rows.length})`), element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Measures of ${variant.title}` }, table));
}
function show() {
  const probe = data.probes.find((one) => one.name === find("probe").value);
  const seed = find("seed").value;
  const variants = selectedVariants();
  find("input").replaceChildren(inputCard(probe));
  find("cards").replaceChildren(...variants.map((variant) => card(variant, probe, seed)));
  const count = variants.length;
  find("shown").textContent = count ? `${count} upsampler${count === 1 ? "" : "s"} on ${probe.title.toLowerCase()}, seed ${seed}.` : "No upsampler is chosen.";
  showExcerpts(variants, seed);
  if (find("by-choice").checked) filter();
  setLoudness();
}

let track = data.excerpts.tracks[0];
function showExcerpts(variants, seed) {
  const { tracks, sources, mixtures, runs } = data.excerpts;
  const trained = variants.filter((variant) => runs[variant.name]);
  if (!tracks.length) return find("excerpts").replaceChildren(element("p", {}, "This configuration separates no music."));
  const select = element("select", { id: "track" }, ...tracks.map((name) => element("option", { value: name, selected: name === track }, name)));
  select.addEventListener("change", () => { track = select.value; show(); find("track").focus(); });
  const controls = element("div", { class: "controls row" }, element("p", {}, element("label", { for: "track" }, "Track"), " ", select));
  const groups = [];
  const group = (title, players) => groups.push(element("h3", {}, title), element("div", { class: "players" }, ...players));
  group("Mixture, as it goes in", [player(mixtures[track], `${track}, mixture`, "audio/")]);
  for (const source of trained.length ? sources : []) {
    group(source[0].toUpperCase() + source.slice(1), trained.map((variant) => {
      const clip = runs[variant.name][seed][track][source];
      const played = player(clip, `${variant.title}, ${source} of ${track}`, `audio/${variant.name}/seed${seed}/`);
      played.prepend(element("p", {}, variant.title));
      return played;
    }));
  }
  if (!trained.length) groups.push(element("p", {}, "Choose a trained upsampler to hear what it separates."));
  return find("excerpts").replaceChildren(controls, ...groups);
}
