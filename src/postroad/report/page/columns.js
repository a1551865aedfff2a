"use strict";
/* Distributions: columns by class, and the share reached so far as a line. */
(() => {
  const { el, label, T, pick, ticks, scale, short, group, toneOf } = PR;
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const percent = (share, decimals = 1) => group(share * 100, decimals) + " %";

  /* Classes shown: up to where 99 of 100 items of every series have arrived, and a tenth beyond. */
  const visible = (spec) => {
    if (spec.is_stacked) return spec.series[0].values.length;
    let last = Math.ceil((78 - spec.from) / spec.step);
    spec.series.forEach((series) => {
      const total = sum(series.values) || 1;
      let so_far = 0;
      series.values.forEach((value, index) => { if (so_far < 0.99 * total) { so_far += value; last = Math.max(last, Math.ceil((index + 1) * 1.1)); } });
    });
    return Math.min(last, spec.series[0].values.length);
  };

  const drawAxes = (svg, spec, box, x, y, marks, n) => {
    marks.forEach((value) => {
      svg.append(el("line", { x1: box.left, x2: box.right, y1: y(value), y2: y(value), class: "grid" }),
        label(box.left - 6, y(value) + 4, spec.is_stacked ? short(value) : group(value * 100, (marks[1] - marks[0]) * 100 % 1 > 0.01 ? 1 : 0), { "text-anchor": "end" }));
    });
    const from = spec.from, to = spec.from + n * spec.step;
    const step = spec.unit === "h" ? [6, 12, 24, 48, 96].find((k) => (k / (to - from)) * (box.right - box.left) > 38) || 96 : 25;
    for (let value = Math.ceil(from / step) * step; value <= to; value += step) svg.append(label(x(value), box.bottom + 17, String(value), { "text-anchor": "middle" }));
    svg.append(el("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, class: "axis" }),
      label(box.right, box.bottom + 34, spec.unit === "h" ? pick("hours", "小时") : pick("fill, %", "装载率 %"), { "text-anchor": "end" }),
      label(0, 10, spec.is_stacked ? pick("items", "件") : pick("% of items", "件数占比 %")));
  };

  const drawHist = (host, spec) => {
    spec.series.forEach((series, index) => { series.color = toneOf(series, index); });
    PR.legend(host, spec.series.map((series) => ({ ...series, tone: series.color, is_area: true })), spec.series.length > 1 ? (index) => {
      spec.series[index].hidden = !spec.series[index].hidden;
      drawHist(host, spec);
    } : null);
    const shown = spec.series.filter((series) => !series.hidden);
    const n = visible(spec);
    const shares = shown.map((series) => {
      const total = spec.is_stacked ? 1 : sum(series.values) || 1;
      return series.values.map((value) => value / total);
    });
    const tops = Array.from({ length: n }, (_, k) => (spec.is_stacked ? sum(shares.map((values) => values[k])) : Math.max(0, ...shares.map((values) => values[k]))));
    const high = Math.max(...tops, 1e-9) * 1.06;
    const marks = ticks(0, high, Math.max(3, host.clientHeight / 62));
    const gutter = Math.max(...marks.map((value) => PR.widthOf(spec.is_stacked ? short(value) : group(value * 100, 1)))) + 10;
    const box = { left: gutter, right: host.clientWidth - (spec.is_stacked ? 8 : 40), top: spec.is_stacked ? 20 : 36, bottom: host.clientHeight - 42 };
    const x = scale(spec.from, spec.from + n * spec.step, box.left, box.right);
    const y = scale(0, high, box.bottom, box.top);
    const svg = el("svg", { viewBox: `0 0 ${host.clientWidth} ${host.clientHeight}` });
    drawAxes(svg, spec, box, x, y, marks, n);
    drawColumns(svg, spec, shown, shares, n, x, y);
    if (!spec.is_stacked) {
      drawReached(svg, spec, shown, shares, n, x, box);
      const later = Math.max(0, ...shares.map((values) => sum(values.slice(n))));
      if (later > 5e-5) svg.append(label(box.right - 4, box.bottom - 8, `${pick("later:", "更晚：")} ${percent(later, 2)} →`, { "text-anchor": "end" }));
    }
    host.onpointermove = (event) => {
      const k = Math.floor((event.clientX - host.getBoundingClientRect().left - box.left) / ((box.right - box.left) / n));
      if (k < 0 || k >= n) { PR.hideTip(); return; }
      const from = spec.from + k * spec.step, unit = spec.unit === "h" ? pick(" h", " 小时") : " %";
      PR.showTip(event, `${from}–${from + spec.step}${unit}`, shown.map((series, index) => [T(series.name), spec.is_stacked
        ? PR.withUnit(series.values[k], "items")
        : `${percent(shares[index][k])} · ${pick("by then", "累计")} ${percent(sum(shares[index].slice(0, k + 1)))}`]));
    };
    host.onpointerleave = PR.hideTip;
    host.replaceChildren(svg);
  };

  const drawColumns = (svg, spec, shown, shares, n, x, y) => {
    const base = new Array(n).fill(0);
    const width = Math.max(1, x(spec.from + spec.step) - x(spec.from) - 1);
    shown.forEach((series, index) => {
      if (spec.is_stacked) {
        for (let k = 0; k < n; k += 1) {
          const from = base[k], to = from + shares[index][k];
          base[k] = to;
          if (to > from) svg.append(el("rect", { x: x(spec.from + k * spec.step), width, y: y(to), height: Math.max(0, y(from) - y(to)), fill: `var(--${series.color})`, opacity: 0.85 }));
        }
        return;
      }
      let path = `M${x(spec.from)} ${y(0)}`;
      for (let k = 0; k < n; k += 1) path += `V${y(shares[index][k]).toFixed(1)}H${x(spec.from + (k + 1) * spec.step).toFixed(1)}`;
      svg.append(el("path", { d: path + `V${y(0)}z`, fill: `var(--${series.color})`, "fill-opacity": shown.length > 1 ? 0.24 : 0.42, stroke: `var(--${series.color})`, "stroke-width": 1.3, "stroke-linejoin": "round" }));
    });
  };

  const drawReached = (svg, spec, shown, shares, n, x, box) => {
    const y = scale(0, 1, box.bottom, box.top);
    [0, 0.5, 1].forEach((value) => svg.append(label(box.right + 5, y(value) + 4, group(value * 100, 0), {})));
    spec.marks.forEach((mark) => {
      if (mark <= spec.from || mark >= spec.from + n * spec.step) return;
      svg.append(el("line", { x1: x(mark), x2: x(mark), y1: box.top - 2, y2: box.bottom, stroke: "var(--faint)", "stroke-dasharray": "3 3" }), label(x(mark), box.top - 8, `${mark} h`, { "text-anchor": "middle", class: "strong" }));
    });
    shown.forEach((series, index) => {
      let reached = 0, path = `M${x(spec.from)} ${y(0)}`;
      for (let k = 0; k < n; k += 1) {
        reached += shares[index][k];
        path += `L${x(spec.from + (k + 1) * spec.step).toFixed(1)} ${y(reached).toFixed(1)}`;
      }
      svg.append(el("path", { d: path, fill: "none", stroke: `var(--${series.color})`, "stroke-width": 2 }));
    });
  };

  PR.renderers.hist = drawHist;
})();
