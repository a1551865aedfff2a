"use strict";
/* The map: land, lanes by mode, centres by size, the backlog hour by hour, hours to each destination. */
(() => {
  const { T, pick, color, tag, el, withUnit, hourOf, term } = PR;
  const MODES = ["road", "rail", "air", "water"];
  const [X, Y, EN, ZH, KIND, SORTED, USE, BACKLOG, ID, SHORT_EN, SHORT_ZH] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const nameOf = (fac) => (PR.state.lang === "zh" ? fac[ZH] : fac[EN]);

  const open = (host, spec) => {
    const present = MODES.filter((mode) => spec.lanes.some((lane) => lane[2] === mode));
    const others = [...new Set(spec.lanes.map((lane) => lane[2]))].filter((mode) => !MODES.includes(mode));
    const state = {
      view: "flows", zoom: 1, dx: 0, dy: 0, hour: spec.peak_from || 0, chosen: null, timer: null,
      modes: new Set([...present, ...others]), all_modes: [...present, ...others], n_lanes: Math.min(spec.lanes.length, 600),
      land: new Path2D(spec.land), lines: spec.lines ? new Path2D(spec.lines) : null,
      cells: (spec.cells || []).map((cell) => ({ path: new Path2D(cell[0]), hours: cell[1], en: cell[2], zh: cell[3], n: cell[4] })),
    };
    state.sides = ["in", "out"].filter((side) => Object.keys(spec.waiting[side] || {}).length);
    state.choose = (side) => {
      state.side = side;
      state.waiting = spec.waiting[side] || {};
      state.total = new Array(spec.n_hours || 0).fill(0);
      Object.values(state.waiting).forEach((values) => values.forEach((value, hour) => { state.total[hour] += value; }));
      state.max_waiting = Math.max(1, ...Object.values(state.waiting).map((values) => Math.max(0, ...values)));
      if (state.total.length) state.hour = state.total.indexOf(Math.max(...state.total));
    };
    state.choose(state.sides[0]);
    state.max_sorted = Math.max(1, ...spec.facilities.filter(Boolean).map((fac) => fac[SORTED]));
    state.max_items = Math.max(1, ...spec.lanes.map((lane) => lane[3]));
    const sorted = state.cells.map((cell) => cell.hours).sort((a, b) => a - b);
    state.classes = sorted.length ? [0, 1, 2, 3, 4, 5, 6].map((k) => sorted[Math.min(sorted.length - 1, Math.floor((k / 6) * (sorted.length - 1)))]) : [];
    return state;
  };

  /* Plane units to pixels of the host. */
  const place = (host, spec, state) => {
    const room = host.clientWidth - PR.rankWidth(host, spec);
    const fit = Math.min(room / spec.w, host.clientHeight / spec.h);
    const k = fit * state.zoom;
    const tx = (room - spec.w * k) / 2 + state.dx, ty = (host.clientHeight - spec.h * k) / 2 + state.dy;
    return { k, tx, ty, x: (value) => value * k + tx, y: (value) => value * k + ty };
  };

  /* The view to open on: the whole map, or the corner where the facilities lie. */
  const home = (host, spec, state) => {
    state.zoom = 1; state.dx = 0; state.dy = 0;
    if (!spec.focus) return;
    const [x0, y0, x1, y1] = spec.focus;
    const room = host.clientWidth - PR.rankWidth(host, spec);
    const fit = Math.min(room / spec.w, host.clientHeight / spec.h);
    state.zoom = Math.max(1, Math.min(24, Math.min(room / (x1 - x0), host.clientHeight / (y1 - y0)) / fit));
    state.dx = (spec.w / 2 - (x0 + x1) / 2) * fit * state.zoom;
    state.dy = (spec.h / 2 - (y0 + y1) / 2) * fit * state.zoom;
  };

  const curve = (a, b, at) => {
    const x0 = at.x(a[X]), y0 = at.y(a[Y]), x1 = at.x(b[X]), y1 = at.y(b[Y]);
    const bend = 0.13;
    return [x0, y0, (x0 + x1) / 2 - (y1 - y0) * bend, (y0 + y1) / 2 + (x1 - x0) * bend, x1, y1];
  };

  const laneShown = (state, lane, index) => state.modes.has(lane[2]) && (state.chosen == null ? index < state.n_lanes : lane[0] === state.chosen || lane[1] === state.chosen);

  const drawLand = (context, spec, state, at) => {
    context.save();
    context.translate(at.tx, at.ty);
    context.scale(at.k, at.k);
    context.fillStyle = color("map-land");
    context.fill(state.land, "evenodd");
    if (state.view === "hours") {
      context.save();
      context.clip(state.land, "evenodd");
      state.cells.forEach((cell) => {
        context.fillStyle = state.shade(cell.hours);
        context.fill(cell.path, "evenodd");
        context.strokeStyle = context.fillStyle;
        context.lineWidth = 0.6 / at.k;
        context.stroke(cell.path);
      });
      context.restore();
    }
    if (spec.borders) {
      context.strokeStyle = state.view === "hours" ? color("map-halo") : color("map-line");
      context.lineWidth = 0.9 / at.k;
      context.stroke(state.land);
    }
    if (state.lines) {
      context.strokeStyle = spec.lines_are_borders ? color("soft") : color("map-river");
      context.lineWidth = (spec.lines_are_borders ? 1 : 1.1) / at.k;
      if (state.view !== "hours" || spec.lines_are_borders) context.stroke(state.lines);
    }
    context.restore();
  };

  const drawLanes = (context, spec, state, at, strength) => {
    const shown = spec.lanes.map((lane, index) => [lane, index]).filter(([lane, index]) => laneShown(state, lane, index)).reverse();
    const ink = Object.fromEntries(MODES.map((mode) => [mode, color(mode)]));
    context.lineCap = "round";
    shown.forEach(([lane]) => {
      const [x0, y0, cx, cy, x1, y1] = curve(spec.facilities[lane[0]], spec.facilities[lane[1]], at);
      const size = Math.sqrt(lane[3] / state.max_items);
      context.strokeStyle = ink[lane[2]] || color("soft");
      context.globalAlpha = strength * (state.chosen == null ? 0.14 + 0.7 * size : 0.3 + 0.6 * size);
      context.lineWidth = Math.max(0.5, size * (spec.is_small ? 3 : 5.5) * Math.min(2, state.zoom ** 0.4));
      context.beginPath();
      context.moveTo(x0, y0);
      context.quadraticCurveTo(cx, cy, x1, y1);
      context.stroke();
    });
    context.globalAlpha = 1;
  };

  const radius = (state, spec, index) => {
    const fac = spec.facilities[index];
    const grow = state.zoom ** 0.35 * Math.min(1, Math.max(0.6, Math.sqrt(state.width / 800)));
    if (state.view === "backlog") return Math.sqrt(((state.waiting[index] || [])[state.hour] || 0) / state.max_waiting) * 25 * grow;
    return Math.max(1.3, Math.sqrt(fac[SORTED] / state.max_sorted) * (spec.is_small ? 6 : 11)) * grow;
  };

  const drawFacilities = (context, spec, state, at) => {
    const order = spec.facilities.map((fac, index) => index).filter((index) => spec.facilities[index]).sort((a, b) => radius(state, spec, b) - radius(state, spec, a));
    order.forEach((index) => {
      const fac = spec.facilities[index], r = radius(state, spec, index);
      if (state.view === "backlog") {
        context.fillStyle = color("faint");
        context.beginPath();
        context.arc(at.x(fac[X]), at.y(fac[Y]), 1, 0, 7);
        context.fill();
        if (r < 0.4) return;
        context.fillStyle = color("alert");
        context.globalAlpha = 0.5;
      } else {
        context.fillStyle = fac[USE] > 0.95 ? color("alert") : color("accent");
        if (state.view === "hours" && r < 2.6) return;
        context.globalAlpha = state.view === "hours" ? 0.6 : 0.9;
      }
      context.beginPath();
      context.arc(at.x(fac[X]), at.y(fac[Y]), r, 0, 7);
      context.fill();
      context.globalAlpha = 1;
      context.lineWidth = index === state.chosen ? 2.4 : 0.8;
      context.strokeStyle = index === state.chosen ? color("ink") : state.view === "backlog" ? color("alert") : color("paper");
      context.stroke();
    });
    return order;
  };

  const drawNames = (context, spec, state, at, order, width, height) => {
    const taken = [];
    const most = Math.round((width < 560 ? 9 : spec.is_small ? 14 : 24) * state.zoom);
    context.font = `550 ${spec.is_small ? 11 : 12}px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.lineJoin = "round";
    let n = 0;
    for (const index of order) {
      if (n >= most) break;
      const fac = spec.facilities[index], text = PR.state.lang === "zh" ? fac[SHORT_ZH] : fac[SHORT_EN], r = radius(state, spec, index);
      if (state.view === "backlog" && r < 2) break;
      const x = at.x(fac[X]), y = at.y(fac[Y]), w = context.measureText(text).width;
      if (x < 0 || x > width || y < 0 || y > height) continue;
      const right = x + r + 4 + w < width - 4;
      const box = right ? [x + r + 3, y - 8, x + r + 6 + w, y + 8] : [x - r - 6 - w, y - 8, x - r - 3, y + 8];
      if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      context.strokeStyle = color("map-halo");
      context.lineWidth = 3;
      context.globalAlpha = 0.85;
      context.strokeText(text, box[0] + 1, y);
      context.globalAlpha = 1;
      context.fillStyle = color("map-text");
      context.fillText(text, box[0] + 1, y);
      n += 1;
    }
  };

  const drawKey = (host, spec, state) => {
    let key = host.querySelector(".map-key");
    if (!key) { key = tag("div", { class: "map-key" }); host.append(key); }
    if (state.view === "hours") {
      const shades = state.classes.slice(1).map((bound) => tag("i", { style: `background:${state.shade(bound)}` }));
      key.replaceChildren(tag("b", {}, pick("Mean hours to the destination", "寄达地平均全程小时")), tag("div", { class: "ramp" }, ...shades),
        tag("div", { class: "ends" }, tag("span", {}, `${state.classes[0].toFixed(0)} h`), tag("span", {}, `${state.classes[3].toFixed(0)} h`), tag("span", {}, `${state.classes[6].toFixed(0)} h`)));
    } else if (state.view === "backlog") {
      key.replaceChildren(tag("b", {}, hourOf(state.hour + 1)), tag("div", {}, `${state.side === "in" ? pick("waiting to be sorted", "等待分拣") : pick("waiting to leave", "待发")} ${withUnit(state.total[state.hour] || 0, "items")}`), tag("div", {}, `${pick("largest circle", "最大圆")} ${withUnit(state.max_waiting, "items")}`));
    } else {
      const who = state.chosen == null ? pick(`the ${Math.min(state.n_lanes, spec.lanes.length)} busiest lanes`, `最繁忙的 ${Math.min(state.n_lanes, spec.lanes.length)} 条线路`) : pick(`lanes of ${nameOf(spec.facilities[state.chosen])}`, `${nameOf(spec.facilities[state.chosen])}的线路`);
      key.replaceChildren(tag("b", {}, who), tag("div", {}, `${pick("widest", "最宽")} ${withUnit(state.max_items, spec.is_plan ? "vehicles_per_day" : "items_per_day")}`), tag("div", {}, spec.is_plan ? pick("circle: vehicles leaving a day", "圆：日发车数") : pick("circle: items sorted; red: over 95 % of capacity", "圆：分拣量；红色：用满 95 % 以上能力")));
    }
  };

  const draw = (host, spec, state) => {
    const { context, width, height } = PR.canvasIn(host);
    const at = place(host, spec, state);
    state.at = at;
    state.width = width;
    if (state.classes.length) {
      const ramp = PR.ramp(["heat-0", "heat-1", "heat-2", "heat-3"]);
      state.shade = (hours) => ramp((0.4 + state.classes.filter((bound) => hours > bound).length) / 6.6);
    }
    context.clearRect(0, 0, width, height);
    context.fillStyle = color("map-sea");
    context.fillRect(0, 0, width, height);
    drawLand(context, spec, state, at);
    if (state.view === "flows" || state.chosen != null) drawLanes(context, spec, state, at, state.view === "flows" ? 1 : 0.6);
    const order = drawFacilities(context, spec, state, at);
    drawNames(context, spec, state, at, order, width - PR.rankWidth(host, spec), height);
    drawKey(host, spec, state);
    PR.drawRank(host, spec, state, () => draw(host, spec, state));
  };

  const nearest = (spec, state, px, py) => {
    let best = null, distance = 15 * 15;
    spec.facilities.forEach((fac, index) => {
      if (!fac) return;
      const d = (state.at.x(fac[X]) - px) ** 2 + (state.at.y(fac[Y]) - py) ** 2;
      if (d < distance) { best = index; distance = d; }
    });
    return best;
  };

  const nearestLane = (spec, state, px, py) => {
    let best = null, distance = 6 * 6;
    spec.lanes.forEach((lane, index) => {
      if (!laneShown(state, lane, index)) return;
      const [x0, y0, cx, cy, x1, y1] = curve(spec.facilities[lane[0]], spec.facilities[lane[1]], state.at);
      if (px < Math.min(x0, x1, cx) - 8 || px > Math.max(x0, x1, cx) + 8 || py < Math.min(y0, y1, cy) - 8 || py > Math.max(y0, y1, cy) + 8) return;
      for (let k = 1; k < 24; k += 1) {
        const t = k / 24, u = 1 - t;
        const d = (u * u * x0 + 2 * u * t * cx + t * t * x1 - px) ** 2 + (u * u * y0 + 2 * u * t * cy + t * t * y1 - py) ** 2;
        if (d < distance) { best = index; distance = d; }
      }
    });
    return best;
  };

  const tell = (host, spec, state, event) => {
    const rect = host.getBoundingClientRect(), px = event.clientX - rect.left, py = event.clientY - rect.top;
    const index = nearest(spec, state, px, py);
    if (index != null) {
      const fac = spec.facilities[index];
      const lines = spec.is_plan ? [[pick("vehicles leaving", "发车"), withUnit(fac[SORTED], "vehicles_per_day")], [pick("lanes", "线路"), String(spec.lanes.filter((lane) => lane[0] === index || lane[1] === index).length)]] : [[pick("sorted", "分拣量"), withUnit(fac[SORTED], "items")], [pick("use", "利用率"), withUnit(fac[USE], "share")], [pick("most waiting to be sorted", "待分拣峰值"), withUnit(fac[BACKLOG], "items")]];
      if (state.view === "backlog") lines.unshift([pick("waiting now", "当前滞留"), withUnit((state.waiting[index] || [])[state.hour] || 0, "items")]);
      PR.showTip(event, `${nameOf(fac)} · ${term(fac[KIND])}`, lines);
      return;
    }
    if (state.view === "hours") {
      const context = host.querySelector("canvas").getContext("2d");
      const cell = state.cells.find((one) => context.isPointInPath(one.path, (px - state.at.tx) / state.at.k, (py - state.at.ty) / state.at.k, "evenodd"));
      if (cell) { PR.showTip(event, pick(cell.en, cell.zh), [[pick("mean hours", "平均小时"), withUnit(cell.hours, "h")], [pick("items", "件数"), withUnit(cell.n, "items")]]); return; }
    }
    const at = state.view === "flows" ? nearestLane(spec, state, px, py) : null;
    if (at == null) { PR.hideTip(); return; }
    const lane = spec.lanes[at];
    PR.showTip(event, `${nameOf(spec.facilities[lane[0]])} → ${nameOf(spec.facilities[lane[1]])}`, [[pick("mode", "方式"), term(lane[2])], ...(spec.is_plan ? [[pick("vehicles", "车次"), withUnit(lane[3], "vehicles_per_day")]] : [[pick("carried", "运量"), withUnit(lane[3], "items_per_day")], [pick("fill", "装载率"), withUnit(lane[4], "share")]])]);
  };

  const zoomAt = (host, spec, state, factor, px, py) => {
    const to = Math.min(24, Math.max(1, state.zoom * factor)), ratio = to / state.zoom;
    const cx = px - (host.clientWidth - PR.rankWidth(host, spec)) / 2 - state.dx, cy = py - host.clientHeight / 2 - state.dy;
    state.dx -= cx * (ratio - 1);
    state.dy -= cy * (ratio - 1);
    state.zoom = to;
    if (to === 1) { state.dx = 0; state.dy = 0; }
    draw(host, spec, state);
  };

  const listen = (host, spec, state) => {
    const pointers = new Map();
    let moved = 0, active = false;
    const canvas = host.querySelector("canvas");
    const offset = (event) => { const rect = host.getBoundingClientRect(); return [event.clientX - rect.left, event.clientY - rect.top]; };
    canvas.onpointerdown = (event) => { pointers.set(event.pointerId, [event.clientX, event.clientY]); moved = 0; canvas.setPointerCapture(event.pointerId); };
    canvas.onpointermove = (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) { tell(host, spec, state, event); return; }
      const now = [event.clientX, event.clientY];
      if (pointers.size === 1) {
        state.dx += now[0] - before[0];
        state.dy += now[1] - before[1];
        moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
        canvas.classList.add("is-held");
        draw(host, spec, state);
      } else {
        const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
        const span = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
        const rect = host.getBoundingClientRect();
        zoomAt(host, spec, state, span(now, other) / (span(before, other) || 1), (now[0] + other[0]) / 2 - rect.left, (now[1] + other[1]) / 2 - rect.top);
        moved += 10;
      }
      pointers.set(event.pointerId, now);
    };
    canvas.onpointerup = (event) => {
      pointers.delete(event.pointerId);
      canvas.classList.remove("is-held");
      if (moved > 5) return;
      active = true;
      const index = nearest(spec, state, ...offset(event));
      state.chosen = index === state.chosen ? null : index;
      if (index != null) document.dispatchEvent(new CustomEvent("pr:centre", { detail: spec.facilities[index][ID] }));
      draw(host, spec, state);
    };
    canvas.onpointercancel = (event) => pointers.delete(event.pointerId);
    canvas.onpointerleave = () => { PR.hideTip(); active = false; };
    canvas.onwheel = (event) => {
      if (!active && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomAt(host, spec, state, Math.exp(-event.deltaY * 0.0018), ...offset(event));
    };
    host.onkeydown = (event) => {
      const step = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
      const middle = [host.clientWidth / 2, host.clientHeight / 2];
      if (event.key === "+" || event.key === "=") zoomAt(host, spec, state, 1.4, ...middle);
      else if (event.key === "-") zoomAt(host, spec, state, 1 / 1.4, ...middle);
      else if (step && state.zoom > 1) { state.dx += step[0]; state.dy += step[1]; draw(host, spec, state); }
      else return;
      event.preventDefault();
    };
  };

  PR.renderers.map = (host, spec) => {
    const isNew = !host.state;
    if (isNew) host.state = open(host, spec);
    const state = host.state;
    if (isNew) home(host, spec, state);
    draw(host, spec, state);
    PR.mapControls(host, spec, state, () => draw(host, spec, state));
    if (!isNew) return;
    listen(host, spec, state);
    const zoom = (name, factor, text) => {
      const button = tag("button", { type: "button", "aria-label": name, title: name }, text);
      button.onclick = () => { if (!factor) { if (state.zoom === 1) home(host, spec, state); else { state.zoom = 1; state.dx = 0; state.dy = 0; } draw(host, spec, state); } else zoomAt(host, spec, state, factor, host.clientWidth / 2, host.clientHeight / 2); };
      return button;
    };
    host.append(tag("div", { class: "zoom" }, zoom("Zoom in / 放大", 1.6, "+"), zoom("Zoom out / 缩小", 1 / 1.6, "−"), zoom("Whole map / 全图", 0, "◻")));
  };
  PR.sparkline = (values, width) => {
    const max = Math.max(1, ...values), step = width / Math.max(1, values.length - 1);
    const points = values.map((value, k) => `${(k * step).toFixed(1)} ${(29 - (value / max) * 27).toFixed(1)}`).join("L");
    return el("svg", { viewBox: `0 0 ${width} 30`, preserveAspectRatio: "none", "aria-hidden": "true" }, el("path", { d: `M0 30L${points}L${width} 30z`, fill: "var(--alert)", opacity: 0.35 }));
  };
})();
