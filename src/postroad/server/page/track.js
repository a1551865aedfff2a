"use strict";

const TEXTS = {
  en: {
    number: "Number", key: "Key", search: "Track", other: "中文", from: "From", to: "To", product: "Product",
    accepted: "Accepted", promise: "Promised by", delivered: "Delivered", attempts: "Attempts", carriers: "Inside",
    shipper: "Sender", addressee: "Addressee", kept: "kept", late: "late", simulated: "This item is simulated.",
    under: "Under way", failed: "The server cannot be reached.",
  },
  zh: {
    number: "单号", key: "密钥", search: "查询", other: "English", from: "寄自", to: "寄往", product: "产品",
    accepted: "收寄", promise: "承诺送达", delivered: "签收", attempts: "投递次数", carriers: "装于",
    shipper: "寄件人", addressee: "收件人", kept: "按时", late: "逾期", simulated: "此件为模拟数据。",
    under: "运输中", failed: "无法连接服务器。",
  },
};
const byId = (id) => document.getElementById(id);
let language = navigator.language.startsWith("zh") ? "zh" : "en";
let shown = null;

function name(place) {
  if (!place) return "";
  const city = language === "zh" ? place.city_zh : place.city_en;
  const own = place[language];
  if (!city || own.includes(city)) return own;
  return language === "zh" ? `【${city}】${own}` : `${own}, ${city}`;
}

function when(text) {
  return text ? text.slice(0, 16).replace("T", " ") : "";
}

function element(kind, text, className) {
  const made = document.createElement(kind);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function facts(item) {
  const text = TEXTS[language];
  const promise = item.is_promise_kept === null ? "" : ` (${item.is_promise_kept ? text.kept : text.late})`;
  const rows = [
    [text.from, name(item.origin)], [text.to, name(item.destination)], [text.product, name(item.product)],
    [text.accepted, when(item.accepted_at)],
    [text.promise, item.promise_at ? when(item.promise_at) + promise : ""],
    [text.delivered, when(item.delivered_at)],
    [text.carriers, item.carriers.map((carrier) => carrier.id).join(" › ")],
    [text.attempts, item.n_attempts > 1 ? String(item.n_attempts) : ""],
  ];
  for (const party of item.parties) {
    rows.push([text[party.role], [party.name, party.phone, party.address].filter(Boolean).join("  ")]);
  }
  return rows.filter(([, value]) => value).flatMap(([term, value]) => [element("dt", term), element("dd", value)]);
}

function step(one) {
  const row = element("li", "", one.is_void ? "void" : "");
  row.append(element("time", when(one.occurred_at)), element("strong", one[`text_${language}`]));
  if (one.place) row.append(" ", element("span", name(one.place)));
  const trip = one.carrier ? one.carrier.id : one.trip_id;
  if (trip) row.append(" ", element("small", trip));
  return row;
}

function show(item) {
  byId("state").textContent = item[`state_${language}`];
  byId("place").textContent = (item.is_simulated ? `${TEXTS[language].simulated} ` : "")
    + (name(item.place) || (item.state === "in_transit" ? TEXTS[language].under : ""));
  byId("facts").replaceChildren(...facts(item));
  byId("steps").replaceChildren(...item.steps.slice().reverse().map(step));
  byId("item").hidden = false;
}

function translate() {
  document.documentElement.lang = language;
  for (const part of document.querySelectorAll("[data-text]")) part.textContent = TEXTS[language][part.dataset.text];
  byId("language").textContent = TEXTS[language].other;
  if (shown) show(shown);
}

async function ask(path) {
  const headers = { Authorization: `Bearer ${byId("key").value.trim()}` };
  return fetch(`${path}?lang=${language}`, { headers, cache: "no-store" });
}

async function draw(path) {
  const answer = await ask(`${path}/map.svg`);
  byId("map").hidden = !answer.ok;
  if (!answer.ok) return;
  URL.revokeObjectURL(byId("picture").src);
  byId("picture").src = URL.createObjectURL(await answer.blob());
  byId("picture").alt = byId("number").value;
}

function refuse(text) {
  byId("refusal").textContent = text;
  byId("refusal").hidden = false;
  byId("item").hidden = true;
  shown = null;
}

async function search() {
  const path = `/items/${encodeURIComponent(byId("number").value.trim())}`;
  byId("refusal").hidden = true;
  try {
    const answer = await ask(path);
    const told = await answer.json();
    if (!answer.ok) {
      refuse(`${told.title} ${told.fix} (${told.code})`);
      return;
    }
    shown = told;
    show(told);
    await draw(path);
  } catch {
    refuse(TEXTS[language].failed);
  }
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
byId("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  translate();
});
translate();
// A link may carry number and key behind the '#', which no server is sent.
const given = new URLSearchParams(location.hash.slice(1));
if (given.get("number") && given.get("key")) {
  byId("number").value = given.get("number");
  byId("key").value = given.get("key");
  history.replaceState(null, "", location.pathname);
  search();
}
