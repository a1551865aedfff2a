"use strict";
/* Tables: sort, filter, show all rows, save as CSV. The rows stand in the page; this only rearranges them. */
(() => {
  const { pick, hourOf, root } = PR;
  const tableOf = (id) => document.querySelector(`table[data-table="${CSS.escape(id)}"]`);
  const textOf = (cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(`span[lang]:not([lang="${root.dataset.lang}"])`).forEach((other) => other.remove());
    return copy.textContent.trim().replace(/\s+/g, " ");
  };
  const rawOf = (cell) => (cell.dataset.v !== undefined ? cell.dataset.v : textOf(cell));

  const sortBy = (table, column, head) => {
    const isDown = head.getAttribute("aria-sort") === "descending" ? false : head.getAttribute("aria-sort") === "ascending" ? true : head.classList.contains("n");
    const body = table.tBodies[0], n_shown = Number(table.dataset.shown);
    const collate = new Intl.Collator(root.dataset.lang === "zh" ? "zh-CN" : "en", { numeric: true });
    const rows = [...body.rows].map((row) => [row, rawOf(row.cells[column])]);
    const isNumber = rows.every(([, value]) => value === "" || !Number.isNaN(Number(value)));
    rows.sort(([, a], [, b]) => {
      if (a === "" || b === "") return (a === "") - (b === "");
      return (isNumber ? Number(a) - Number(b) : collate.compare(a, b)) * (isDown ? -1 : 1);
    });
    rows.forEach(([row], index) => row.classList.toggle("more", index >= n_shown));
    body.append(...rows.map(([row]) => row));
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  };

  const filter = (table, text) => {
    const wanted = text.trim().toLowerCase();
    table.classList.toggle("is-filtered", wanted !== "");
    [...table.tBodies[0].rows].forEach((row) => row.classList.toggle("hit", row.textContent.toLowerCase().includes(wanted)));
  };

  const quote = (text) => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const harmless = (text) => (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text);
  const csvOf = (table) => {
    const heads = [...table.tHead.rows[0].cells].map((cell) => textOf(cell.querySelector(".sort")) + (cell.dataset.label ? ` [${cell.dataset.label.split("+").map((name) => PR.T(PR.words.labels[name])).join("+")}]` : ""));
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => (cell.dataset.hour ? textOf(cell) : rawOf(cell))));
    return "\ufeff" + [heads, ...rows].map((row) => row.map(harmless).map(quote).join(",")).join("\r\n") + "\r\n";
  };
  PR.csvOf = (id) => csvOf(tableOf(id));

  const save = (id) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvOf(tableOf(id))], { type: "text/csv" }));
    link.download = `${id}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  PR.startTables = () => {
    document.querySelectorAll("table[data-table]").forEach((table) => {
      [...table.tHead.rows[0].cells].forEach((head, column) => head.querySelector(".sort").addEventListener("click", () => sortBy(table, column, head)));
    });
    document.querySelectorAll("[data-csv]").forEach((button) => button.addEventListener("click", () => save(button.dataset.csv)));
    document.querySelectorAll("[data-filter]").forEach((input) => input.addEventListener("input", () => filter(tableOf(input.dataset.filter), input.value)));
    document.querySelectorAll("[data-more]").forEach((button) => button.addEventListener("click", () => {
      const isOpen = tableOf(button.dataset.more).classList.toggle("is-open");
      button.setAttribute("aria-expanded", String(isOpen));
    }));
  };
  PR.tellTables = () => {
    document.querySelectorAll("[data-filter]").forEach((input) => { input.placeholder = input.dataset[PR.state.lang]; });
    document.querySelectorAll("td[data-hour]").forEach((cell) => { if (cell.dataset.hour !== "") cell.textContent = hourOf(Number(cell.dataset.hour)); });
    document.querySelectorAll("[data-csv]").forEach((button) => { button.title = pick("Save this table as CSV", "将此表保存为 CSV"); });
  };
})();
