// The OA desk: putting a document there, and deciding on one in somebody's name.

import { modeName, say } from "/sandbox/words.js";
import { ask, make, people, shortTime } from "/sandbox/wire.js";
import { picker } from "/sandbox/picker.js";
import { documentView } from "/sandbox/document.js";

const MOST = 40;
const form = document.getElementById("new");
const said = document.getElementById("said");
const list = document.getElementById("documents");
const tabs = [...document.querySelectorAll("[data-list]")];
let which = "all";
let view;
let drawn = "";

export function desk(refresh) {
  const creator = picker(document.getElementById("creator"), { label: "creator-label" });
  const approvers = picker(document.getElementById("approvers"), { label: "approvers-label", several: true });
  view = documentView(refresh);
  ask("/oa/kinds").then((kinds) =>
    form.elements.kind.append(...kinds.map((kind) => make("option", {}, kind)))).catch(() => {});
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (!creator.chosen.length || !approvers.chosen.length) return tell(say("chooseSome"), true);
    try {
      const made = await ask("/oa/requests", {
        title: form.elements.title.value.trim(),
        creator: creator.chosen[0].person_id,
        approvers: approvers.chosen.map((person) => person.person_id),
        urgency: form.elements.urgency.value,
        kind: form.elements.kind.value || undefined,
        mode: form.elements.mode.value,
        needs_opinion: form.elements.needs_opinion.checked,
        needs_affirmance: form.elements.needs_affirmance.checked,
      });
      tell(say("putDone", made.request_id));
      form.elements.title.value = "";
      refresh();
    } catch (refused) {
      tell(refused.message, true);
    }
  };
  for (const tab of tabs) {
    tab.onclick = () => {
      which = tab.dataset.list;
      for (const other of tabs) other.setAttribute("aria-pressed", String(other === tab));
      refresh();
    };
  }
  list.onclick = async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { request, user, type, open } = button.dataset;
    if (open) return view.show(open).catch((refused) => tell(refused.message, true));
    button.disabled = true;
    await ask(`/oa/requests/${request}/submit`, { user, type }).catch((refused) => tell(refused.message, true));
    refresh();
  };
  return {
    redraw() {
      tell("");
      creator.draw();
      approvers.draw();
      view.redraw();
    },
    creator,
    approvers,
  };
}

function tell(sentence, bad = false) {
  said.textContent = sentence;
  said.classList.toggle("bad", bad);
}

export async function showDocuments(person, force = false) {
  const query = which === "mine" ? `?user=${encodeURIComponent(person.person_id)}` : "";
  const documents = (await ask(`/oa/requests${query}`)).slice(0, MOST);
  tabs[1].textContent = say("mine", person.name);
  form.elements.title.placeholder = say("sampleTitle");
  const now = which + documents.map((one) => `${one.request_id}:${one.pending}:${one.title}`).join();
  if (now === drawn && !force) return;
  drawn = now;
  const names = new Map();
  const ids = documents.flatMap((one) => [one.creator, ...one.pending]);
  for (const one of await people(ids)) names.set(one.person_id, one.name);
  list.replaceChildren(...documents.map((one) => row(one, names)));
  if (!documents.length) list.append(make("li", { className: "empty" }, say("noDocuments")));
}

function row(one, names) {
  const tag = one.urgency && one.urgency !== "normal"
    ? [make("span", { className: "tag" }, say(one.urgency))] : [];
  const about = [`#${one.request_id}`, one.kind, one.node, say("from", names.get(one.creator)), shortTime(one.created_at)];
  if (one.pending.length > 1) about.push(say("waits", one.pending.length));
  const acts = make("div", { className: "acts" });
  for (const user of one.pending.slice(0, 8)) {
    const name = names.get(user);
    const no = act(one, user, "reject", "no", say("reject"));
    no.ariaLabel = say("rejectAs", name);
    acts.append(make("div", {}, act(one, user, "submit", "yes", say(one.is_started ? "approve" : "sendAgain", name)),
      ...(one.offers.reject ? [no] : [])));
  }
  if (!one.pending.length) acts.append(make("span", { className: "done" }, `✓ ${say("finished")}`));
  const title = make("button", { type: "button", className: "title" }, one.title);
  title.dataset.open = one.request_id;
  return make("li", {}, make("div", { className: "name" }, ...tag, title),
    make("div", { className: "about" }, about.join(" · ")), acts);
}

function act(one, user, type, className, text) {
  const button = make("button", { type: "button", className }, text);
  Object.assign(button.dataset, { request: one.request_id, user, type });
  return button;
}

/** The switches: one row of modes for each system. */
export async function showFaults(systems, refresh) {
  const host = document.getElementById("faults");
  for (const system of systems) {
    const state = await ask(`/${system}/faults`);
    let row = host.querySelector(`[data-system=${system}]`);
    if (!row) {
      row = make("div", { className: "fault" }, make("h3"), make("div", { className: "modes" }));
      row.dataset.system = system;
      host.append(row);
    }
    row.classList.toggle("broken", state.mode !== "off");
    const lasts = state.mode === "off" ? say("healthy") : say("remaining", Math.ceil(state.remaining_s));
    row.firstChild.replaceChildren(say(system), make("span", {}, lasts));
    const modes = [...state.modes].sort((a, b) => (b === "off") - (a === "off"));
    const buttons = row.lastChild;
    if (buttons.children.length !== modes.length) {
      buttons.replaceChildren(...modes.map((mode) => {
        const button = make("button", { type: "button" });
        button.dataset.mode = mode;
        button.onclick = async () => {
          const for_s = Number(document.getElementById("for").value);
          await ask(`/${system}/faults`, { mode, for_s }).catch(() => {});
          refresh();
        };
        return button;
      }));
    }
    for (const button of buttons.children) {
      button.textContent = modeName(button.dataset.mode);
      button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode));
    }
  }
}
