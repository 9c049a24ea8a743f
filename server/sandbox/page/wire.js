// Asking the sandbox, building elements, telling the time. No words here, see words.js.

import { locale, say } from "/sandbox/words.js";

/** The JSON answer; an Error with the sandbox's own sentence when it refuses. */
export async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(5000) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

/** An element with properties and children; strings become text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function shortTime(ms) {
  const then = new Date(ms);
  const today = new Date();
  const clock = then.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hour12: false });
  const days = Math.round((new Date(today).setHours(0, 0, 0, 0) - new Date(ms).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return clock;
  if (days === 1) return `${say("yesterday")} ${clock}`;
  return `${then.toLocaleDateString(locale(), { month: "2-digit", day: "2-digit" })} ${clock}`;
}

const known = new Map();

/** People by id, asked for once. */
export async function people(ids) {
  const missing = [...new Set(ids)].filter((id) => !known.has(id));
  for (let from = 0; from < missing.length; from += 100) {
    const some = missing.slice(from, from + 100);
    for (const person of await ask(`/sandbox/people?ids=${some.join(",")}`)) {
      known.set(person.person_id, person);
    }
  }
  return ids.map((id) => known.get(id) ?? { person_id: id, name: id, title: "", department: "" });
}

export async function find(query) {
  const found = await ask(`/sandbox/people?q=${encodeURIComponent(query)}`);
  for (const person of found) known.set(person.person_id, person);
  return found;
}
