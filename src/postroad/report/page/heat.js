"use strict";
/* Centres down, hours across: where it waited and when. */
(() => {
  const { T, color, pick, withUnit, dayOf, spanOf, instant } = PR;

  const parse = (text) => {
    const hex = text.replace("#", "");
    const full = hex.length === 3 ? [...hex].map((c) => c + c).join("") : hex;
    return [0, 2, 4].map((k) => parseInt(full.slice(k, k + 2), 16));
  };
  const ramp = (names) => {
    const stops = names.map((name) => parse(color(name)));
    return (share) => {
      const at = Math.max(0, Math.min(1, share)) * (stops.length - 1);
      const k = Math.min(stops.length - 2, Math.floor(at)), f = at - k;
      return `rgb(${stops[k].map((value, c) => Math.round(value + (stops[k + 1][c] - value) * f)).join(",")})`;
    };
  };
  PR.ramp = ramp;

  const drawHeat = (host, spec) => {
    const centres = (spec.centres || PR.shared.centres).slice(0, spec.rows);
    const side = spec.centres ? "extra" : host.dataset.side || (centres.some((centre) => centre.backlog_in.length) ? "backlog_in" : "backlog_out");
    const waiting = centres.map((centre) => centre[side]);
    const n = Math.max(24, ...waiting.map((values) => values.length));
    const max = Math.max(1, ...waiting.map((values) => Math.max(0, ...values)));
    const { canvas, context, width, height } = PR.canvasIn(host);
    const left = Math.min(width * 0.28, Math.max(...centres.map((centre) => PR.widthOf(T(centre.name)))) + 12);
    const top = 20, bottom = height - 4, pitch = (bottom - top) / centres.length, step = (width - left) / n;
    const shade = ramp(["heat-0", "heat-1", "heat-2", "heat-3"]);
    context.clearRect(0, 0, width, height);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    centres.forEach((centre, row) => {
      const y = top + row * pitch;
      context.fillStyle = color("soft");
      context.textAlign = "right";
      context.fillText(PR.fit(T(centre.name), left - 10), left - 8, y + pitch / 2);
      context.fillStyle = color("heat-0");
      context.fillRect(left, y, width - left, pitch - 1.5);
      waiting[row].forEach((value, hour) => {
        if (!value) return;
        context.fillStyle = shade((value / max) ** 0.45);
        context.fillRect(left + hour * step, y, step + 0.4, pitch - 1.5);
      });
    });
    context.textAlign = "left";
    const each = Math.max(1, Math.ceil(58 / (24 * step)));
    let day = 0;
    for (let hour = 0; hour < n; hour += 1) {
      if (instant(hour).getUTCHours() !== 0) continue;
      context.fillStyle = color("rule-2");
      context.fillRect(left + hour * step, top - 4, 1, bottom - top + 4);
      if (day % each === 0 && left + hour * step < width - 40) {
        context.fillStyle = color("soft");
        context.fillText(dayOf(hour), left + hour * step + 4, 9);
      }
      day += 1;
    }
    (spec.bands || []).filter((band) => spec.centres && band.tone === "alert").forEach((band) => {
      context.strokeStyle = color("alert");
      context.lineWidth = 1.4;
      context.strokeRect(left + band.from * step, top - 1, (band.to - band.from) * step, bottom - top + 1);
    });
    const cellAt = (event) => {
      const rect = host.getBoundingClientRect();
      const row = Math.floor((event.clientY - rect.top - top) / pitch), hour = Math.floor((event.clientX - rect.left - left) / step);
      return row < 0 || row >= centres.length || hour < 0 || hour >= n ? null : [row, hour];
    };
    host.onpointermove = (event) => {
      const cell = cellAt(event);
      if (!cell) { PR.hideTip(); return; }
      const [row, hour] = cell, centre = centres[row];
      PR.showTip(event, `${T(centre.name)} · ${spanOf(hour)}`, spec.centres ? [
        [pick("more than without the disruption", "比无扰动时多"), withUnit(centre.extra[hour] || 0, "items")],
        [pick("waiting", "滞留"), withUnit(centre.disrupted[hour] || 0, "items")]] : [
        [pick("waiting to be sorted", "等待分拣"), withUnit(centre.backlog_in[hour] || 0, "items")],
        [pick("waiting to leave", "待发"), withUnit(centre.backlog_out[hour] || 0, "items")],
        [pick("sorted in the hour", "当小时分拣量"), withUnit(centre.sorted[hour] || 0, "items")]]);
    };
    host.onpointerleave = PR.hideTip;
    host.onclick = (event) => {
      const cell = cellAt(event);
      if (cell) document.dispatchEvent(new CustomEvent("pr:centre", { detail: centres[cell[0]].id }));
    };
    const box = PR.controlsOf(host);
    const sides = spec.centres ? [] : [["backlog_in", pick("waiting to be sorted", "等待分拣")], ["backlog_out", pick("waiting to leave", "已分拣待发")]].map(([name, text]) => {
      const button = PR.tag("button", { type: "button", "aria-pressed": String(name === side) }, text);
      button.onclick = () => { host.dataset.side = name; drawHeat(host, spec); };
      return button;
    });
    const choice = sides.length ? [PR.tag("div", { class: "segmented", role: "group", "aria-label": pick("What waits", "滞留类别") }, ...sides)] : [];
    box.replaceChildren(...choice, PR.tag("span", { class: "key" }, "0"), ...[0.15, 0.35, 0.55, 0.75, 1].map((share) => PR.tag("span", { class: "key", style: "padding:0" }, PR.tag("i", { class: "area", style: `width:26px;opacity:1;border-radius:0;background:${shade(share)}` }))), PR.tag("span", { class: "key" }, withUnit(max, "items")));
    canvas.style.cursor = "pointer";
  };
  PR.renderers.heat = drawHeat;
})();
