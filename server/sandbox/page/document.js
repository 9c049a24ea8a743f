// One document whole, and acting on it in somebody's name. What the OA keeps as HTML is shown as text.

import { say } from "/sandbox/words.js";
import { ask, make, shortTime } from "/sandbox/wire.js";
import { picker } from "/sandbox/picker.js";

const part = (name) => document.getElementById(`document-${name}`);
const dialog = document.getElementById("document");
const holder = part("holder");
const remark = part("remark");

/** The view; `changed` hears that somebody has acted. */
export function documentView(changed) {
  const to = picker(part("to"), { label: "forward-label", several: true });
  let shown;

  async function show(requestId) {
    shown = await ask(`/oa/requests/${requestId}`);
    draw();
    if (!dialog.open) dialog.showModal();
  }

  async function send(path, body) {
    part("said").textContent = "";
    try {
      await ask(`/oa/requests/${shown.request_id}/${path}`, { ...body, remark: remark.value.trim() });
      remark.value = "";
      await show(shown.request_id);
      changed();
    } catch (refused) {
      part("said").textContent = refused.message;
    }
  }

  function draw() {
    part("title").textContent = shown.title;
    part("about").textContent =
      [`#${shown.request_id}`, shown.kind, shown.node, say("from", shown.creator_name)].join(" · ");
    const before = holder.value;
    holder.replaceChildren(...shown.holders.map((one) => make("option", { value: one.person_id }, one.name)));
    if (shown.holders.some((one) => one.person_id === before)) holder.value = before;
    part("acting").hidden = !shown.holders.length;
    part("steps").replaceChildren(...shown.steps.map(stepLine));
    part("form").replaceChildren(...shown.fields.filter((one) => one.shown).flatMap(fieldLine));
    part("tables").replaceChildren(...shown.tables.map(detailTable));
    part("log").replaceChildren(...shown.log.map(logLine));
    drawActs();
  }

  function drawActs() {
    const offers = { ...shown.holders.find((one) => one.person_id === holder.value)?.offers };
    document.querySelector(".forwarding").hidden = !offers.forward;
    delete offers.forward;
    part("acts").replaceChildren(...Object.entries(offers).map(([type, label]) => {
      const button = make("button", { type: "button" }, label);
      button.dataset.act = type;
      button.onclick = () => send("submit", { user: holder.value, type });
      return button;
    }));
  }

  part("close").ariaLabel = say("close");
  holder.onchange = drawActs;
  part("close").onclick = () => dialog.close();
  part("forward").onclick = async () => {
    if (!to.chosen.length) return;
    await send("forward", { user: holder.value, to: to.chosen.map((person) => person.person_id) });
    to.choose([]);
  };
  return {
    show,
    redraw() {
      part("close").ariaLabel = say("close");
      to.draw();
    },
  };
}

function stepLine(step) {
  const mode = { all: "modeAll", any: "modeAny", in_turn: "modeInTurn" }[step.mode];
  const people = step.people.length > 1 ? `${step.people.join("、")} · ${say(mode)}` : step.people.join();
  return make("li", { className: step.is_now ? "now" : "" }, make("b", {}, step.name), ` ${people}`);
}

function fieldLine(field) {
  const about = field.is_hidden ? [make("i", { className: "tag" }, say("hidden"))] : [];
  const value = field.files.length
    ? field.files.map((file) => make("a", {
      className: "file", href: `/oa/weaver/weaver.file.FileDownload?fileid=${file.file_id}&download=1`,
    }, file.name))
    : [field.shown];
  return [make("dt", {}, field.label), make("dd", {}, ...about, ...value)];
}

function detailTable(table) {
  const cells = (tag, row) => make("tr", {}, ...row.map((cell) => make(tag, {}, cell)));
  return make("div", { className: "scrolls" }, make("h4", {}, table.title),
    make("table", {}, cells("th", table.columns), ...table.rows.map((row) => cells("td", row))));
}

function logLine(entry) {
  const act = say("acts")[entry.act] ?? entry.act;
  const received = entry.received.length ? ` ${say("receivedBy", entry.received)}` : "";
  return make("li", {}, make("b", {}, `${entry.name} ${act}`),
    make("span", { className: "second" }, ` ${entry.node} · ${shortTime(entry.at)}${received}`),
    make("div", {}, entry.remark));
}
