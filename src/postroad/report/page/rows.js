"use strict";
/* One row a thing: stacked parts, amounts, changes against another run, misses against published figures. */
(() => {
  const { el, label, T, pick, scale, group, signed, withUnit, ticks, fit } = PR;
  const TONES = ["c0", "c1", "c2", "c3", "c4", "c5"];
  const sum = (values) => values.reduce((a, b) => a + (b || 0), 0);

  const namesWidth = (host, rows, share = 0.36) => Math.min(host.clientWidth * share, 1.08 * Math.max(...rows.map((row) => PR.widthOf(T(row.name)))) + 14);
  const canvas = (host) => el("svg", { viewBox: `0 0 ${host.clientWidth} ${host.clientHeight}` });
  const hover = (node, title, lines) => {
    node.addEventListener("pointermove", (event) => PR.showTip(event, title, lines));
    node.addEventListener("pointerleave", PR.hideTip);
    return node;
  };

  const drawStack = (host, spec) => {
    const tones = spec.tones || TONES;
    PR.legend(host, spec.parts.map((name, index) => ({ name, tone: tones[index], is_area: true })), null);
    const left = namesWidth(host, spec.rows, 0.34);
    const right = host.clientWidth - (spec.is_normalised ? 4 : 62);
    const high = spec.is_normalised ? 1 : Math.max(...spec.rows.map((row) => sum(row.values)));
    const x = scale(0, high, left, right);
    const pitch = host.clientHeight / spec.rows.length, bar = Math.min(22, pitch * 0.62);
    const svg = canvas(host);
    spec.rows.forEach((row, index) => {
      const total = sum(row.values), y = index * pitch + (pitch - bar) / 2;
      svg.append(label(left - 10, y + bar / 2 + 4, fit(T(row.name), left - 12), { "text-anchor": "end", class: "strong" }));
      const lines = spec.parts.map((name, k) => [T(name), spec.is_normalised ? `${group(row.values[k], 0)} · ${group((row.values[k] / (total || 1)) * 100, 1)} %` : `${withUnit(row.values[k], spec.unit)} · ${group((row.values[k] / (total || 1)) * 100, 0)} %`]);
      let so_far = 0;
      row.values.forEach((value, k) => {
        const part = spec.is_normalised ? value / (total || 1) : value;
        const from = x(so_far), to = x(so_far + part);
        so_far += part;
        if (to - from < 0.05) return;
        svg.append(hover(el("rect", { x: from, width: Math.max(0.5, to - from - 1), y, height: bar, fill: `var(--${tones[k]})`, opacity: 0.9, rx: 1.5 }), T(row.name), lines));
        const text = spec.is_normalised ? `${group(part * 100, 0)} %` : group(value, 1);
        if (to - from > PR.widthOf(text) + 8 && bar > 14) svg.append(label((from + to) / 2, y + bar / 2 + 4, text, { "text-anchor": "middle", style: "fill:var(--paper);pointer-events:none;font-weight:600" }));
      });
      if (!spec.is_normalised) svg.append(label(x(so_far) + 7, y + bar / 2 + 4, withUnit(total, spec.unit), { class: "strong" }));
    });
    host.replaceChildren(svg);
  };

  const drawBars = (host, spec) => {
    const left = namesWidth(host, spec.rows, 0.42), right = host.clientWidth - 150;
    const x = scale(0, Math.max(...spec.rows.map((row) => row.value), 1e-9), left, Math.max(right, left + 40));
    const pitch = host.clientHeight / spec.rows.length, bar = Math.min(18, pitch * 0.6);
    const svg = canvas(host);
    spec.rows.forEach((row, index) => {
      const y = index * pitch + (pitch - bar) / 2;
      const tone = ["road", "rail", "air", "water"].includes(row.mode) ? row.mode : "c5";
      const share = `${group((row.value / (spec.total || 1)) * 100, 1)} %`;
      svg.append(label(left - 10, y + bar / 2 + 4, fit(T(row.name), left - 12), { "text-anchor": "end", class: "strong" }),
        hover(el("rect", { x: left, width: Math.max(1, x(row.value) - left), y, height: bar, fill: `var(--${tone})`, opacity: 0.88, rx: 2 }), T(row.name), [[pick("amount", "数额"), withUnit(row.value, spec.unit)], [pick("share", "占比"), share], [pick("label", "性质"), T(PR.words.labels[row.label])]]),
        label(x(row.value) + 7, y + bar / 2 + 4, `${withUnit(row.value, spec.unit)} · ${share}`));
    });
    host.replaceChildren(svg);
  };

  /* Bars of relative change about zero; the interval of the paired difference as a whisker. */
  const drawDifferences = (host, spec) => {
    const wide = host.clientWidth > 620;
    const relative = spec.rows.map((row) => (row.base ? row.difference / Math.abs(row.base) : row.difference ? Math.sign(row.difference) : 0));
    const clip = (value) => Math.max(-3, Math.min(3, value));
    const ends = [...relative, ...spec.rows.flatMap((row) => (row.base && row.low != null && row.high != null ? [row.low / Math.abs(row.base), row.high / Math.abs(row.base)] : []))].map(clip);
    const pad = (Math.max(0.01, ...ends) - Math.min(-0.01, ...ends)) * 0.04;
    const least = Math.min(-0.01, ...ends) - pad, most = Math.max(0.01, ...ends) + pad;
    const left = namesWidth(host, spec.rows, wide ? 0.3 : 0.38), right = host.clientWidth - (wide ? 290 : 88);
    const x = scale(least, most, left, right);
    const pitch = (host.clientHeight - 22) / spec.rows.length, bar = Math.min(16, pitch * 0.52);
    const svg = canvas(host);
    ticks(least, most, Math.max(2, (right - left) / 80)).forEach((value) => svg.append(
      el("line", { x1: x(value), x2: x(value), y1: 0, y2: host.clientHeight - 22, class: value === 0 ? "axis" : "grid" }),
      label(x(value), host.clientHeight - 5, `${signed(value * 100, most - least < 0.1 ? 1 : 0)} %`, { "text-anchor": "middle" })));
    spec.rows.forEach((row, index) => {
      const y = index * pitch + (pitch - bar) / 2, middle = y + bar / 2 + 4, r = relative[index];
      const isGood = row.better === "none" || !row.difference ? null : (row.difference < 0) === (row.better === "lower");
      const tone = isGood == null ? "faint" : isGood ? "ok" : "bad";
      const clipped = clip(r);
      const from = Math.min(x(0), x(clipped)), to = Math.max(x(0), x(clipped));
      svg.append(label(left - 10, middle, fit(T(row.name), left - 12), { "text-anchor": "end", class: "strong" }),
        hover(el("rect", { x: from, width: Math.max(1.5, to - from), y, height: bar, fill: `var(--${tone})`, opacity: 0.85, rx: 2 }), T(row.name), [[pick("this run", "本次"), withUnit(row.base, row.unit)], [pick("the other", "对照"), withUnit(row.other, row.unit)], [pick("difference", "差值"), withUnit(row.difference, row.unit === "share" ? "points" : row.unit)]]));
      if (row.base && row.low != null && row.high != null) {
        const a = x(clip(row.low / Math.abs(row.base))), b = x(clip(row.high / Math.abs(row.base)));
        svg.append(el("path", { d: `M${a} ${y + bar / 2}H${b}M${a} ${y + 2}V${y + bar - 2}M${b} ${y + 2}V${y + bar - 2}`, stroke: "var(--ink)", "stroke-width": 1.2, fill: "none" }));
      }
      const change = row.unit === "share" ? `${signed(row.difference * 100, 1)} ${pick("points", "个百分点")}` : `${signed(r * 100, 1)} %`;
      svg.append(label(host.clientWidth, middle, wide ? `${withUnit(row.base, row.unit)} → ${withUnit(row.other, row.unit)}  (${change})` : change, { "text-anchor": "end" }));
    });
    host.replaceChildren(svg);
  };

  /* Relative error of each check as a dot; the tolerance as a bar; what lies beyond the edge is marked by an arrow. */
  const drawMisses = (host, spec) => {
    const wide = host.clientWidth > 620;
    const error = (row) => (row.published ? row.modelled / row.published - 1 : 0);
    const tolerance = (row) => (row.tolerance != null && row.published ? row.tolerance / Math.abs(row.published) : null);
    const sizes = spec.rows.map((row) => Math.abs(error(row))).sort((a, b) => a - b);
    const reach = Math.min(0.8, Math.max(0.05, sizes[Math.floor(sizes.length * 0.95)] || 0, ...spec.rows.map((row) => tolerance(row) || 0))) * 1.12;
    const left = namesWidth(host, spec.rows, wide ? 0.36 : 0.44), right = host.clientWidth - (wide ? 250 : 64);
    const x = scale(-reach, reach, left + 6, right - 6);
    const pitch = (host.clientHeight - 24) / spec.rows.length;
    const svg = canvas(host);
    ticks(-reach, reach, Math.max(2, (right - left) / 80)).forEach((value) => svg.append(
      el("line", { x1: x(value), x2: x(value), y1: 0, y2: host.clientHeight - 24, class: Math.abs(value) < 1e-9 ? "axis" : "grid" }),
      label(x(value), host.clientHeight - 6, `${signed(value * 100, 0)} %`, { "text-anchor": "middle" })));
    spec.rows.forEach((row, index) => {
      const y = index * pitch + pitch / 2, e = error(row), t = tolerance(row);
      const tone = { met: "ok", not_met: "bad", not_decidable: "unsure" }[row.verdict] || "faint";
      svg.append(label(left - 10, y + 4, fit(T(row.name), left - 12), { "text-anchor": "end", class: "strong" }));
      if (t != null) svg.append(el("rect", { x: x(-t), width: x(t) - x(-t), y: y - 6, height: 12, fill: "var(--rule-2)", opacity: 0.6, rx: 3 }));
      const at = x(Math.max(-reach, Math.min(reach, e)));
      const mark = Math.abs(e) > reach
        ? el("path", { d: e > 0 ? `M${at - 7} ${y - 6}l9 6l-9 6z` : `M${at + 7} ${y - 6}l-9 6l9 6z`, fill: `var(--${tone})` })
        : el("circle", { cx: at, cy: y, r: 5.5, fill: row.kind === "calibrated" ? `var(--${tone})` : "var(--paper)", stroke: `var(--${tone})`, "stroke-width": 2.4 });
      svg.append(hover(mark, `${T(row.name)} · ${row.period}`, [[pick("published", "发布值"), withUnit(row.published, row.unit)], [pick("modelled", "模型值"), withUnit(row.modelled, row.unit)], [pick("verdict", "结论"), PR.term(row.verdict)], [pick("use", "用途"), PR.term(row.kind)]]));
      const change = `${signed(e * 100, 1)} %`;
      svg.append(label(host.clientWidth, y + 4, wide ? `${withUnit(row.published, row.unit)} → ${withUnit(row.modelled, row.unit)}  (${change})` : change, { "text-anchor": "end" }));
    });
    host.replaceChildren(svg);
  };

  PR.renderers.stack = drawStack;
  PR.renderers.bars = drawBars;
  PR.renderers.differences = drawDifferences;
  PR.renderers.misses = drawMisses;
})();
