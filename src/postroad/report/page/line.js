"use strict";
/* Lines and stacked areas over hours, hours of the day or a swept number; one centre's hours chosen from a list. */
(() => {
  const { el, tag, label, T, pick, ticks, scale, short, withUnit, unitOf, dayOf, hourOf, spanOf, instant, toneOf } = PR;

  const xText = (spec, value) => {
    if (spec.x_unit === "hour") return spanOf(value);
    if (spec.x_unit === "clock") return `${String(value).padStart(2, "0")}:00`;
    return withUnit(value, spec.x_unit);
  };

  const drawXAxis = (svg, spec, x, box) => {
    const { left, right, bottom, top } = box;
    const first = spec.x[0], last = spec.x[spec.x.length - 1];
    if (spec.x_unit === "hour") {
      const days = [];
      for (let hour = first; hour <= last; hour += 1) if (instant(hour).getUTCHours() === 0) days.push(hour);
      const step = Math.max(1, Math.ceil(62 / Math.max(1, x(first + 24) - x(first))));
      days.forEach((hour, index) => {
        svg.append(el("line", { x1: x(hour), x2: x(hour), y1: top, y2: bottom, class: "grid" }));
        if (index % step === 0 && x(hour) < right - 34) svg.append(label(x(hour) + 4, bottom + 17, dayOf(hour)));
      });
    } else {
      const values = spec.x_unit === "clock" ? [0, 6, 12, 18, 23].filter((hour) => hour >= first && hour <= last) : ticks(first, last, Math.max(2, (right - left) / 90));
      values.forEach((value) => svg.append(label(x(value), bottom + 17, spec.x_unit === "clock" ? xText(spec, value) : short(value * unitOf(spec.x_unit).scale), { "text-anchor": "middle" })));
      if (spec.x_name) svg.append(label(right, bottom + 34, `${T(spec.x_name)} ${T(unitOf(spec.x_unit)) ? "(" + T(unitOf(spec.x_unit)) + ")" : ""}`, { "text-anchor": "end" }));
    }
    svg.append(el("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "axis" }));
  };

  const drawBands = (svg, spec, x, box) => {
    (spec.bands || []).forEach((band, index) => {
      const from = Math.max(box.left, x(band.from)), to = Math.min(box.right, x(band.to));
      if (to <= from) return;
      svg.append(el("rect", { x: from, width: to - from, y: box.top, height: box.bottom - box.top, class: band.tone }));
      svg.append(label(from + 4, box.top + 12 + 14 * index, PR.fit(T(band.name), Math.max(box.right - from - 8, 40), 11), { class: "band-name haloed" }));
    });
  };

  const pathOf = (points) => {
    let path = "", pen = false;
    points.forEach(([px, py]) => {
      if (py == null || Number.isNaN(py)) { pen = false; return; }
      path += (pen ? "L" : "M") + px.toFixed(1) + " " + py.toFixed(1);
      pen = true;
    });
    return path;
  };

  const stackAreas = (spec, shown) => {
    const base = new Array(spec.x.length).fill(0);
    return shown.map((series) => {
      const low = base.slice();
      if (series.is_area) series.values.forEach((value, index) => { base[index] += value || 0; });
      return series.is_area ? { low, high: base.slice() } : { low: null, high: series.values };
    });
  };

  const drawSeries = (svg, spec, shown, layers, x, y) => {
    shown.forEach((series, index) => {
      const tone = `var(--${series.color})`;
      const { low, high } = layers[index];
      const points = spec.x.map((value, k) => [x(value), high[k] == null ? null : y(high[k])]);
      if (series.low && series.high && series.low.some((value) => value != null)) {
        const upper = spec.x.map((value, k) => [x(value), y(series.high[k])]);
        const lower = spec.x.map((value, k) => [x(value), y(series.low[k])]).reverse();
        svg.append(el("path", { d: pathOf(upper) + pathOf(lower).replace("M", "L") + "z", fill: tone, opacity: 0.16 }));
      }
      if (low) {
        const floor = spec.x.map((value, k) => [x(value), y(low[k])]).reverse();
        svg.append(el("path", { d: pathOf(points) + pathOf(floor).replace("M", "L") + "z", fill: tone, opacity: 0.38 }));
      }
      svg.append(el("path", { d: pathOf(points), fill: "none", stroke: tone, "stroke-width": low ? 1.2 : 2, "stroke-linejoin": "round", "stroke-dasharray": series.is_dashed ? "5 4" : null }));
      if (series.has_points) points.forEach(([px, py]) => py != null && svg.append(el("circle", { cx: px, cy: py, r: 3.4, fill: tone })));
    });
  };

  const follow = (host, svg, spec, shown, layers, x, y, box) => {
    const cursor = el("line", { y1: box.top, y2: box.bottom, class: "cursor", visibility: "hidden" });
    const dots = shown.map((series) => el("circle", { r: 3.6, fill: `var(--${series.color})`, stroke: "var(--paper)", "stroke-width": 1.5, visibility: "hidden" }));
    svg.append(cursor, ...dots);
    let at = -1;
    const show = (index, event) => {
      at = index;
      const px = x(spec.x[index]);
      cursor.setAttribute("x1", px);
      cursor.setAttribute("x2", px);
      cursor.setAttribute("visibility", "visible");
      dots.forEach((dot, k) => {
        const value = layers[k].high[index];
        dot.setAttribute("visibility", value == null ? "hidden" : "visible");
        if (value != null) { dot.setAttribute("cx", px); dot.setAttribute("cy", y(value)); }
      });
      PR.showTip(event, xText(spec, spec.x[index]), shown.map((series) => [T(series.name), withUnit(series.values[index], spec.unit)]));
    };
    const hide = () => {
      PR.hideTip();
      cursor.setAttribute("visibility", "hidden");
      dots.forEach((dot) => dot.setAttribute("visibility", "hidden"));
    };
    const nearest = (px) => {
      let best = 0;
      spec.x.forEach((value, index) => { if (Math.abs(x(value) - px) < Math.abs(x(spec.x[best]) - px)) best = index; });
      return best;
    };
    host.onpointermove = (event) => show(nearest(event.clientX - host.getBoundingClientRect().left), event);
    host.onpointerleave = hide;
    host.onblur = hide;
    host.onkeydown = (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const index = Math.min(spec.x.length - 1, Math.max(0, at + step));
      const rect = host.getBoundingClientRect();
      show(index, { clientX: rect.left + x(spec.x[index]), clientY: rect.top + 30 });
    };
  };

  /* Instants at the end of an hour, each with its name on a line of its own below those of the bands. */
  const drawMarks = (svg, spec, x, box) => (spec.marks || []).forEach((mark, index) => {
    const px = x(mark.at), isLate = px > (box.left + box.right) / 2;
    const py = box.top + 12 + 14 * ((spec.bands || []).length + index);
    svg.append(el("line", { x1: px, x2: px, y1: box.top, y2: box.bottom, stroke: "var(--ok)", "stroke-width": 1.5 }),
      label(px + (isLate ? -5 : 5), py, `${T(mark.name)} ${hourOf(mark.at + 1)}`, { class: "strong haloed", "text-anchor": isLate ? "end" : "start" }));
  });

  const drawLine = (host, spec) => {
    spec.series.forEach((series, index) => { series.color = toneOf(series, index); });
    if (spec.series.length > 1) {
      PR.legend(host, spec.series.map((series) => ({ ...series, tone: series.color })), (index) => {
        spec.series[index].hidden = !spec.series[index].hidden;
        drawLine(host, spec);
      });
    }
    const shown = spec.series.filter((series) => !series.hidden);
    const layers = stackAreas(spec, shown);
    const all = [];
    layers.forEach((layer, k) => {
      layer.high.forEach((value) => value != null && all.push(value));
      [shown[k].low, shown[k].high].forEach((bound) => bound && bound.forEach((value) => value != null && all.push(value)));
    });
    const max = Math.max(...all, 0), min = Math.min(...all);
    const unit = unitOf(spec.unit);
    const isTight = !shown.some((series) => series.is_area) && min > 0 && min > max * 0.4;
    const pad = isTight ? (max - min || max * 0.1) * 0.15 : 0;
    const low = isTight ? min - pad : Math.min(0, min);
    let high = (max + pad) || 1;
    let marksY = ticks(low * unit.scale, high * unit.scale, Math.max(3, host.clientHeight / 62));
    if (marksY.length > 1) {
      const step = marksY[1] - marksY[0];
      high = Math.max(high, (marksY[marksY.length - 1] + (marksY[marksY.length - 1] < high * unit.scale * 0.999 ? step : 0)) / unit.scale);
      marksY = ticks(low * unit.scale, high * unit.scale, Math.max(3, host.clientHeight / 62));
    }
    const gutter = Math.max(...marksY.map((value) => PR.widthOf(short(value)))) + 10;
    const box = { left: gutter, right: host.clientWidth - 8, top: 20, bottom: host.clientHeight - (spec.x_name ? 42 : 24) };
    const x = scale(spec.x[0], spec.x[spec.x.length - 1], box.left, box.right);
    const y = scale(low, high, box.bottom, box.top);
    const svg = el("svg", { viewBox: `0 0 ${host.clientWidth} ${host.clientHeight}` });
    drawBands(svg, spec, x, box);
    marksY.forEach((value) => {
      const py = y(value / unit.scale);
      svg.append(el("line", { x1: box.left, x2: box.right, y1: py, y2: py, class: "grid" }), label(box.left - 6, py + 4, short(value), { "text-anchor": "end" }));
    });
    svg.append(label(0, 10, T(unit)));
    drawXAxis(svg, spec, x, box);
    drawSeries(svg, spec, shown, layers, x, y);
    drawMarks(svg, spec, x, box);
    follow(host, svg, spec, shown, layers, x, y, box);
    host.replaceChildren(svg);
  };

  let chosen = 0;
  const drawExplorer = (host, spec) => {
    const centres = PR.shared.centres;
    if (!centres.length) return;
    const centre = centres[Math.min(chosen, centres.length - 1)];
    const n = Math.max(...["sorted", "backlog_in", "backlog_out"].map((name) => centre[name].length), 24);
    const hours = Array.from({ length: Math.min(n + 6, Math.max(n, 24)) }, (_, hour) => hour);
    const padded = (name) => hours.map((hour) => centre[name][hour] || 0);
    const series = [
      { name: { en: "waiting to be sorted", zh: "等待分拣" }, values: padded("backlog_in"), is_area: true, tone: "alert" },
      { name: { en: "sorted, waiting to leave", zh: "已分拣待发" }, values: padded("backlog_out"), is_area: true, tone: "warm" },
      { name: { en: "sorted in the hour", zh: "当小时分拣量" }, values: padded("sorted"), tone: "accent" },
    ];
    if (centre.capacity) series.push({ name: { en: "could be sorted", zh: "分拣能力" }, values: padded("capacity"), tone: "muted", is_dashed: true });
    drawLine(host, { kind: "line", x_unit: "hour", unit: spec.unit, x: hours, bands: spec.bands, series });
    const box = PR.controlsOf(host);
    box.querySelector("select")?.parentNode.remove();
    const select = tag("select", {}, ...centres.map((one, index) => tag("option", { value: index }, T(one.name))));
    select.value = String(centres.indexOf(centre));
    select.addEventListener("change", () => { chosen = Number(select.value); drawExplorer(host, spec); });
    box.prepend(tag("label", {}, pick("Centre", "中心"), select));
  };
  document.addEventListener("pr:centre", (event) => {
    const index = PR.shared.centres.findIndex((centre) => centre.id === event.detail);
    const host = document.querySelector('[data-chart="centre_explorer"]');
    if (index < 0 || !host) return;
    chosen = index;
    drawExplorer(host, PR.read("spec-centre_explorer"));
  });

  PR.renderers.line = drawLine;
  PR.renderers.explorer = drawExplorer;
})();
