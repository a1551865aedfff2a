"use strict";
/* Opens the page: language, light or dark, contents, charts at their width, print. */
(() => {
  const { root, state } = PR;
  const asked = new URLSearchParams(location.search);
  const hosts = [...document.querySelectorAll("[data-chart]")];
  const specs = new Map(hosts.map((host) => [host, PR.read("spec-" + host.dataset.chart)]));

  const drawAll = () => hosts.forEach((host) => {
    PR.renderers[specs.get(host).kind](host, specs.get(host));
    host.dataset.drawn = "true";
  });

  const setLanguage = (lang) => {
    state.lang = lang;
    root.dataset.lang = lang;
    root.lang = lang === "zh" ? "zh-CN" : "en";
    document.title = document.querySelector("title").dataset[lang];
    document.querySelectorAll("[data-set-lang]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.setLang === lang)));
    document.querySelectorAll(".controls").forEach((box) => box.replaceChildren());
    PR.tellTables();
    drawAll();
  };

  const setTheme = (theme) => { root.dataset.theme = theme; drawAll(); };
  const isDark = () => root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme:dark)").matches);

  const startContents = () => {
    const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
    const watch = new IntersectionObserver((entries) => entries.forEach((entry) => {
      if (!entry.isIntersecting) return;
      links.forEach((link, id) => (id === entry.target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    }), { rootMargin: "-30% 0px -65% 0px" });
    document.querySelectorAll(".part").forEach((part) => watch.observe(part));
  };

  const startPrint = () => {
    const print = (isOn) => { root.classList.toggle("is-printing", isOn); drawAll(); };
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
    document.getElementById("print").onclick = () => window.print();
  };

  const startCopy = () => document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", () => {
    const area = PR.tag("textarea", {}, button.dataset.copy);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.textContent = "✓";
  }));

  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawAll(); } });
  matchMedia("(prefers-color-scheme:dark)").addEventListener("change", () => drawAll());
  document.querySelectorAll("[data-set-lang]").forEach((button) => button.addEventListener("click", () => setLanguage(button.dataset.setLang)));
  document.getElementById("theme").onclick = () => setTheme(isDark() ? "light" : "dark");
  PR.startTables();
  startContents();
  startPrint();
  startCopy();
  const first = asked.get("lang") || root.dataset.first;
  if (asked.get("theme")) root.dataset.theme = asked.get("theme");
  setLanguage(first === "en" || first === "zh" ? first : navigator.language.startsWith("zh") ? "zh" : "en");
})();
