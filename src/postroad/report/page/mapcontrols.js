"use strict";
/* What stands above a map: which view, which modes, how many lanes, and the clock of the backlog. */
(() => {
  const { tag, pick, term, hourOf } = PR;

  const viewSwitch = (spec, state, redraw, rebuild) => {
    const views = [["flows", pick("Flows", "流向")]];
    if (state.sides.length) views.push(["backlog", pick("Backlog by hour", "逐时滞留")]);
    if (state.cells.length) views.push(["hours", pick("Hours to destination", "寄达时限")]);
    if (views.length < 2) return null;
    return tag("div", { class: "segmented", role: "group", "aria-label": pick("View", "视图") }, ...views.map(([view, name]) => {
      const button = tag("button", { type: "button", "aria-pressed": String(state.view === view) }, name);
      button.onclick = () => { state.view = view; stop(state); rebuild(); redraw(); };
      return button;
    }));
  };

  const modeKeys = (state, redraw) => state.all_modes.map((mode) => {
    const key = tag("button", { type: "button", class: "key", style: `--k:var(--${mode})`, "aria-pressed": String(state.modes.has(mode)) }, tag("i"), term(mode));
    key.onclick = () => {
      if (state.modes.has(mode)) state.modes.delete(mode); else state.modes.add(mode);
      key.setAttribute("aria-pressed", String(state.modes.has(mode)));
      redraw();
    };
    return key;
  });

  const laneSlider = (spec, state, redraw) => {
    const slider = tag("input", { type: "range", min: 0, max: spec.lanes.length, step: 10, value: state.n_lanes });
    slider.oninput = () => { state.n_lanes = Number(slider.value); redraw(); };
    return tag("label", {}, pick("busiest lanes", "最繁忙线路"), slider);
  };

  const sideSwitch = (state, redraw, rebuild) => {
    if (state.sides.length < 2) return null;
    const names = { in: pick("to be sorted", "等待分拣"), out: pick("to leave", "已分拣待发") };
    return tag("div", { class: "segmented", role: "group", "aria-label": pick("What waits", "滞留类别") }, ...state.sides.map((side) => {
      const button = tag("button", { type: "button", "aria-pressed": String(state.side === side) }, names[side]);
      button.onclick = () => { stop(state); state.choose(side); rebuild(); redraw(); };
      return button;
    }));
  };

  const stop = (state) => { clearInterval(state.timer); state.timer = null; };

  const clock = (state, redraw) => {
    const last = state.total.length - 1;
    const slider = tag("input", { type: "range", min: 0, max: last, value: state.hour, "aria-label": pick("Hour", "小时") });
    const output = tag("output", {}, hourOf(state.hour + 1));
    const play = tag("button", { type: "button", class: "quiet", "aria-label": pick("Play", "播放") }, state.timer ? "❚❚" : "▶");
    const go = (hour) => {
      state.hour = hour;
      slider.value = hour;
      slider.setAttribute("aria-valuetext", hourOf(hour + 1));
      output.textContent = hourOf(hour + 1);
      redraw();
    };
    slider.oninput = () => go(Number(slider.value));
    play.onclick = () => {
      if (state.timer) { stop(state); play.textContent = "▶"; return; }
      play.textContent = "❚❚";
      state.timer = setInterval(() => go(state.hour >= last ? 0 : state.hour + 1), 120);
    };
    return tag("div", { class: "clock" }, play, tag("div", { class: "track" }, PR.sparkline(state.total, 600), slider), output);
  };

  /* The list beside the map: the largest of what the view shows. A click chooses. */
  const SORTED = 5, ID = 8, RANK_ROWS = 14;
  PR.rankWidth = (host, spec) => (spec.is_small || host.clientWidth < 860 ? 0 : 236);
  const ranked = (spec, state) => {
    if (state.view === "hours") return state.cells.map((cell) => ({ name: pick(cell.en, cell.zh), value: cell.hours, unit: "h", tone: "heat-2" }));
    return spec.facilities.map((fac, index) => fac && {
      index, name: pick(fac[9] || fac[2], fac[10] || fac[3]), id: fac[ID], unit: spec.is_plan ? "" : "items",
      value: state.view === "backlog" ? (state.waiting[index] || [])[state.hour] || 0 : fac[SORTED],
      tone: state.view === "backlog" ? "alert" : "accent",
    }).filter(Boolean);
  };
  PR.drawRank = (host, spec, state, redraw) => {
    let list = host.querySelector(".map-rank");
    if (!PR.rankWidth(host, spec)) { list?.remove(); return; }
    if (!list) { list = tag("div", { class: "map-rank" }); host.append(list); }
    const rows = ranked(spec, state).sort((a, b) => b.value - a.value).slice(0, RANK_ROWS);
    const most = Math.max(1e-9, ...rows.map((row) => row.value));
    const title = state.view === "hours" ? pick("Slowest destinations", "最慢寄达地") : state.view === "backlog" ? pick("Most waiting", "滞留最多") : spec.is_plan ? pick("Most vehicles leaving a day", "日发车最多") : pick("Most sorted", "分拣最多");
    list.replaceChildren(tag("b", {}, title), ...rows.map((row) => {
      const line = tag("button", { type: "button", style: `--bar:${((row.value / most) * 100).toFixed(1)}%;--k:var(--${row.tone})`, "aria-pressed": String(row.index != null && row.index === state.chosen) },
        tag("span", {}, row.name), tag("span", {}, row.unit ? PR.withUnit(row.value, row.unit) : PR.short(row.value)));
      line.onclick = () => {
        if (row.index == null) return;
        state.chosen = state.chosen === row.index ? null : row.index;
        document.dispatchEvent(new CustomEvent("pr:centre", { detail: row.id }));
        redraw();
      };
      return line;
    }));
  };

  PR.mapControls = (host, spec, state, redraw) => {
    const box = PR.controlsOf(host);
    const build = () => {
      const parts = [viewSwitch(spec, state, redraw, build)];
      if (state.view !== "backlog") parts.push(...(state.view === "flows" ? modeKeys(state, redraw) : []));
      if (state.view === "flows" && spec.lanes.length > 40) parts.push(laneSlider(spec, state, redraw));
      if (state.view === "backlog") parts.push(sideSwitch(state, redraw, build), clock(state, redraw));
      box.replaceChildren(...parts.filter(Boolean));
    };
    build();
  };
})();
