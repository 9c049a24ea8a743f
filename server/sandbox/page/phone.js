// The phone: what WeCom shows one person, newest at the bottom. A card opens its address or is pressed;
// below it the person types, or touches the app's menu.

import { say } from "/sandbox/words.js";
import { ask, make, shortTime } from "/sandbox/wire.js";

const MOST = 60;
const cards = document.getElementById("cards");
const typing = document.getElementById("typing");
const menu = document.getElementById("menu");
let whose;
let drawn = "";
let touched = "";
let seen = new Set();

export async function showPhone(person, force = false) {
  const phone = await ask(`/wecom/phone/${encodeURIComponent(person.person_id)}`);
  const inbox = withTexts(phone.messages, await ask(`/sms/inbox/${encodeURIComponent(person.person_id)}`));
  whose = person;
  showMenu(phone);
  const now = `${person.person_id} ` + inbox.map((one) => `${one.msgid}${one.says}`).join();
  if (now === drawn && !force) return;
  const samePerson = drawn.startsWith(`${person.person_id} `);
  const atEnd = cards.scrollHeight - cards.scrollTop - cards.clientHeight < 80;
  drawn = now;
  const fresh = (card) => samePerson && !seen.has(card.msgid);
  const older = inbox.length - MOST;
  cards.replaceChildren(
    ...(older > 0 ? [make("time", {}, say("older", older))] : []),
    ...inbox.slice(-MOST).flatMap((card, i, all) => [
      ...(i === 0 || card.received_at - all[i - 1].received_at > 3e5
        ? [make("time", {}, shortTime(card.received_at))] : []),
      notice(card, fresh(card)),
    ]),
  );
  if (!inbox.length) cards.append(make("p", { className: "empty" }, say("emptyPhone")));
  seen = new Set(inbox.map((card) => card.msgid));
  if (atEnd || !samePerson) cards.scrollTop = cards.scrollHeight;
}

/** What WeCom shows, and texts among it, as they came. */
function withTexts(cards, texts) {
  const shown = texts.map((text, i) => ({
    title: say("sms"), description: text.text, url: "", received_at: text.received_at, msgid: `sms ${i} ${text.received_at}`,
  }));
  return texts.length ? [...cards, ...shown].sort((a, b) => a.received_at - b.received_at) : cards;
}

/** The bar at the bottom: a line to type in and the menu, when the app hears of either. */
function showMenu(phone) {
  typing.hidden = !phone.answers;
  const tops = phone.answers ? phone.menu : [];
  const hint = say("type");
  const now = JSON.stringify([whose.person_id, tops, phone.gone, hint]);
  if (now === touched) return;
  touched = now;
  Object.assign(typing.elements.text, { placeholder: hint, ariaLabel: hint });
  menu.replaceChildren(...tops.flatMap((top) => top.sub_button ?? [top]).map(entry));
  if (phone.answers) {
    const away = make("button", { type: "button", className: "away" }, say(phone.gone ? "comeBack" : "goAway"));
    away.onclick = () => act("/wecom/events", { event: phone.gone ? "subscribe" : "unsubscribe" });
    menu.append(away);
  }
}

function entry(button) {
  if (button.type === "view") {
    return leadTo(make("a", {}, button.name), button.url);
  }
  const element = make("button", { type: "button" }, button.name);
  element.onclick = () => act("/wecom/events", { event: "click", key: button.key });
  return element;
}

/** Something the person does; what comes of it is seen at the next look. */
async function act(path, fields) {
  const line = document.getElementById("phone-said");
  line.textContent = "";
  await ask(path, { userid: whose.person_id, ...fields }).catch((refused) => {
    line.textContent = refused.message;
  });
}

typing.onsubmit = async (event) => {
  event.preventDefault();
  const text = typing.elements.text.value.trim();
  if (!text) return;
  typing.elements.text.value = "";
  await act("/wecom/say", { text });
};

function notice(card, fresh) {
  if (card.said !== undefined) return make("div", { className: "mine" }, card.said);
  if (card.buttons) return pressable(card, fresh);
  const opens = /^https?:\/\//.test(card.url);
  const element = make(opens ? "a" : "div", { className: `notice${fresh ? " fresh" : ""}` });
  if (opens) leadTo(element, card.url);
  if (card.title) element.append(make("strong", {}, card.title));
  const said = make("div", { className: "said" });
  said.append(...described(card.description));
  element.append(said);
  if (opens) {
    const arrow = make("span", { ariaHidden: "true" }, "›");
    element.append(make("div", { className: "more" }, card.button || say("more"), arrow));
  }
  return element;
}

/** A card with buttons: one opens an address, the others come back to the app, once. */
function pressable(card, fresh) {
  const element = make("div", { className: `notice${fresh ? " fresh" : ""}` });
  const title = leadTo(make("a", {}, card.title), card.url);
  element.append(make("strong", {}, title));
  if (card.description) element.append(make("div", { className: "said" }, card.description));
  const row = make("div", { className: "buttons" });
  if (card.says) row.append(make("span", { className: "done" }, card.says));
  else row.append(...card.buttons.map((button) => pressed(card, button, row)));
  element.append(row);
  return element;
}

function pressed(card, button, row) {
  if (!button.key) {
    return leadTo(make("a", {}, button.text), button.url);
  }
  const element = make("button", { type: "button" }, button.text);
  element.onclick = async () => {
    for (const other of row.querySelectorAll("button")) other.disabled = true;
    await act("/wecom/press", { msgid: card.msgid, key: button.key });
  };
  return element;
}

/** The new window is this person's WeCom: signing in knows who it is. */
function leadTo(link, url) {
  const door = `/wecom/phones/${encodeURIComponent(whose.person_id)}/open`;
  Object.assign(link, { href: url, target: "_blank", rel: "noopener" });
  link.onclick = (event) => {
    event.preventDefault();
    window.open(`${door}?url=${encodeURIComponent(url)}`, "_blank", "noopener");
  };
  return link;
}

/** WeCom knows <br> and three classes of <div>; all else is shown as it was written. */
function described(markup) {
  const pieces = markup.split(/(<br\s*\/?>|<div class="(?:gray|normal|highlight)">|<\/div>)/);
  const root = document.createDocumentFragment();
  let into = root;
  for (const piece of pieces) {
    const opened = /^<div class="(\w+)">$/.exec(piece);
    if (/^<br/.test(piece)) into.append(make("br"));
    else if (opened) root.append((into = make("div", { className: opened[1] })));
    else if (piece === "</div>") into = root;
    else into.append(piece);
  }
  return root.childNodes;
}

export async function showCounts() {
  const counts = await ask("/wecom/counts");
  const dropped = Object.values(counts.dropped).reduce((sum, n) => sum + n, 0);
  const line = document.getElementById("counts");
  line.replaceChildren(say("counts", counts));
  if (dropped) line.append(" · ", make("b", {}, say("dropped", dropped)));
}

export function showClock() {
  document.getElementById("phone-clock").textContent = shortTime(Date.now());
}
