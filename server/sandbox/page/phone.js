// The phone: what WeCom shows one person, newest at the bottom. A card opens its address.

import { say } from "/sandbox/words.js";
import { ask, make, shortTime } from "/sandbox/wire.js";

const MOST = 60;
const cards = document.getElementById("cards");
let drawn = "";
let seen = new Set();

export async function showPhone(person, force = false) {
  const inbox = await everything(person);
  const now = `${person.person_id} ${inbox.length} ${inbox.at(-1)?.msgid}`;
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
      notice(card, fresh(card), person),
    ]),
  );
  if (!inbox.length) cards.append(make("p", { className: "empty" }, say("emptyPhone")));
  seen = new Set(inbox.map((card) => card.msgid));
  if (atEnd || !samePerson) cards.scrollTop = cards.scrollHeight;
}

/** What WeCom shows, and texts among it, as they came. */
async function everything(person) {
  const whose = encodeURIComponent(person.person_id);
  const [cards, texts] = await Promise.all([ask(`/wecom/inbox/${whose}`), ask(`/sms/inbox/${whose}`)]);
  if (!texts.length) return cards;
  const shown = texts.map((text, i) => ({
    title: say("sms"), description: text.text, url: "", received_at: text.received_at, msgid: `sms ${i} ${text.received_at}`,
  }));
  return [...cards, ...shown].sort((a, b) => a.received_at - b.received_at);
}

function notice(card, fresh, person) {
  const opens = /^https?:\/\//.test(card.url);
  const element = make(opens ? "a" : "div", { className: `notice${fresh ? " fresh" : ""}` });
  if (opens) Object.assign(element, { href: card.url, target: "_blank", rel: "noopener" });
  if (opens) element.onclick = (event) => tap(event, card.url, person);
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

/** The new window is this person's WeCom: signing in knows who it is. */
function tap(event, url, person) {
  event.preventDefault();
  const door = `/wecom/phones/${encodeURIComponent(person.person_id)}/open`;
  window.open(`${door}?url=${encodeURIComponent(url)}`, "_blank", "noopener");
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
