"use strict";
/* What every chart of the page uses: language, numbers, colours, small SVG, the tooltip. */
const PR = (() => {
  const root = document.documentElement;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const words = read("words");
  const shared = read("shared");
  const state = { lang: root.dataset.lang };
  const renderers = {};

  const T = (text) => (text == null ? "" : typeof text === "string" ? text : text[state.lang]);
  const pick = (en, zh) => (state.lang === "zh" ? zh : en);
  const term = (word) => T(words.terms[word] || word);
  const color = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const toneOf = (series, index) => (series.mode ? series.mode : { muted: "muted-line", faint: "faint-line" }[series.tone] || series.tone || "c" + (index % 6));

  const group = (value, decimals) => {
    const text = value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return /[1-9]/.test(text) ? text.replace("-", "−") : text.replace("-", "");
  };
  const signed = (value, decimals) => { const text = group(value, decimals); return value > 0 && /[1-9]/.test(text) ? "+" + text : text; };
  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

  /* A number short enough for an axis: 1.2 bn, 12 m, 3 k; 12 亿, 1.2 万. */
  const short = (value) => {
    const steps = state.lang === "zh" ? [[1e8, "亿"], [1e4, "万"]] : [[1e9, " bn"], [1e6, " m"], [1e3, " k"]];
    for (const [bound, name] of steps) {
      if (Math.abs(value) >= bound) {
        const part = value / bound;
        return trim(group(part, Math.abs(part) < 10 ? 2 : Math.abs(part) < 100 ? 1 : 0)) + name;
      }
    }
    return trim(group(value, Math.abs(value) < 1 ? 3 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0));
  };
  const part = (name) => words.units[name] || words.units[name + "s"] || { en: name, zh: name };
  const compound = (name) => {
    const [above, below] = name.split("/");
    return { en: `${part(above).en}/${words.units[below] ? part(below).en : below}`, zh: `${part(above).zh}/${part(below).zh}`, decimals: 2, scale: 1, compact: false };
  };
  const unitOf = (name) => words.units[name] || ((name || "").includes("/") ? compound(name) : null) || { en: (name || "").replace(/_/g, " "), zh: (name || "").replace(/_/g, " "), decimals: 2, scale: 1, compact: false };
  const withUnit = (value, unitName) => {
    if (value == null || Number.isNaN(value)) return "–";
    const unit = unitOf(unitName);
    if (unit.coarse && Math.abs(value) * unit.coarse[1] >= 10) return withUnit(value * unit.coarse[1], unit.coarse[0]);
    const shown = value * unit.scale;
    const text = unit.compact ? short(shown) : group(shown, unit.decimals);
    const name = T(unit);
    return name ? text + (state.lang === "zh" && /[亿万]$/.test(text) ? "" : " ") + name : text;
  };

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const instant = (hour) => {
    const [y, m, d, h] = shared.epoch || [2000, 1, 1, 0];
    return new Date(Date.UTC(y, m - 1, d, h + hour));
  };
  const dayOf = (hour) => {
    const at = instant(hour);
    return pick(`${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`, `${at.getUTCMonth() + 1}月${at.getUTCDate()}日`);
  };
  const hourOf = (hour) => `${dayOf(hour)} ${String(instant(hour).getUTCHours()).padStart(2, "0")}:00`;
  /* The hour itself: what waits is counted at its end, what is sorted within it. */
  const spanOf = (hour) => `${hourOf(hour)}–${String(instant(hour).getUTCHours() + 1).padStart(2, "0")}:00`;

  const el = (name, attributes = {}, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) if (value != null) node.setAttribute(key, value);
    node.append(...children.filter((child) => child != null));
    return node;
  };
  const tag = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value != null) node.setAttribute(key, value);
    node.append(...children.filter((child) => child != null));
    return node;
  };
  const label = (x, y, text, attributes = {}) => el("text", { x, y, ...attributes }, text);
  const ruler = document.createElement("canvas").getContext("2d");
  const widthOf = (text, size = 12) => {
    ruler.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
    return ruler.measureText(text).width;
  };
  const fit = (text, room, size = 12) => {
    if (widthOf(text, size) <= room) return text;
    let kept = text;
    while (kept.length > 1 && widthOf(kept + "…", size) > room) kept = kept.slice(0, -1);
    return kept + "…";
  };

  const ticks = (low, high, count) => {
    const span = high - low || 1;
    const raw = span / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((k) => k >= raw);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(k === 0 ? 0 : k * step);
    return found;
  };
  const scale = (d0, d1, r0, r1) => (value) => r0 + ((value - d0) / (d1 - d0 || 1)) * (r1 - r0);

  const tip = document.getElementById("tip");
  const showTip = (event, title, lines) => {
    tip.replaceChildren(tag("b", {}, title), ...lines.map(([name, value]) => tag("div", { class: "line" }, tag("span", {}, name), tag("span", {}, value))));
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const x = event.clientX + 16 + box.width > innerWidth - 8 ? event.clientX - box.width - 14 : event.clientX + 16;
    tip.style.left = Math.max(8, x) + "px";
    tip.style.top = Math.min(Math.max(8, event.clientY + 14), innerHeight - box.height - 8) + "px";
  };
  const hideTip = () => { tip.hidden = true; };

  /* A canvas as large as its host, in CSS pixels. */
  const canvasIn = (host) => {
    const ratio = Math.min(3, devicePixelRatio || 1) * (root.classList.contains("is-printing") ? 2 : 1);
    const canvas = host.querySelector("canvas") || tag("canvas", { "aria-hidden": "true" });
    if (!canvas.parentNode) host.prepend(canvas);
    const width = host.clientWidth, height = host.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { canvas, context, width, height, ratio };
  };

  const controlsOf = (host) => host.parentNode.querySelector(".controls");
  const legend = (host, entries, onToggle) => {
    const box = controlsOf(host);
    box.querySelectorAll(".key").forEach((old) => old.remove());
    entries.forEach((entry, index) => {
      const key = tag(onToggle ? "button" : "span", { class: "key", style: `--k:var(--${entry.tone})` },
        tag("i", { class: entry.is_area ? "area" : entry.is_dashed ? "dashed" : "" }), T(entry.name));
      if (onToggle) {
        key.type = "button";
        key.setAttribute("aria-pressed", entry.hidden ? "false" : "true");
        key.addEventListener("click", () => onToggle(index));
      }
      box.append(key);
    });
  };
  return { root, words, shared, state, renderers, T, pick, term, color, toneOf, group, signed, trim, short, unitOf, withUnit, dayOf, hourOf, spanOf, instant,
    el, tag, label, widthOf, fit, ticks, scale, showTip, hideTip, canvasIn, controlsOf, legend, read };
})();
