// Puts the phone, the desk and the switches together and looks again every second.

import { say, speak, switchLanguage } from "/sandbox/words.js";
import { ask, people } from "/sandbox/wire.js";
import { picker } from "/sandbox/picker.js";
import { showClock, showCounts, showPhone } from "/sandbox/phone.js";
import { showHis } from "/sandbox/his.js";
import { desk, showDocuments, showFaults } from "/sandbox/desk.js";

let person;
let systems = [];
let looking = false;
let again = false;

/** One look at everything. Looks never overlap; asking during one means one more after it. */
async function look(force = false) {
  if (looking || !person) {
    again ||= force;
    return;
  }
  looking = true;
  try {
    showClock();
    await showPhone(person, force);
    await Promise.all([showCounts(), showFaults(systems, () => look(true)), showDocuments(person, force),
      systems.includes("his") && showHis(() => look(true))]);
    document.getElementById("offline").hidden = true;
  } catch {
    document.getElementById("offline").hidden = false;
  } finally {
    looking = false;
  }
  if (again) {
    again = false;
    await look(true);
  }
}

function showPerson() {
  document.getElementById("phone-name").textContent = person.name;
  document.getElementById("phone-post").textContent =
    [person.department, person.title].filter(Boolean).join(" · ");
}

function showLanguage() {
  speak();
  const button = document.getElementById("language");
  button.textContent = say("language");
  button.ariaLabel = say("languageLabel");
}

async function start() {
  showLanguage();
  const whose = picker(document.getElementById("phone-person"), {
    label: "phone-title",
    changed: ([chosen]) => {
      person = chosen;
      location.hash = chosen.person_id;
      showPerson();
      look(true);
    },
  });
  const form = desk(() => look(true));
  document.getElementById("language").onclick = () => {
    switchLanguage();
    showLanguage();
    whose.draw();
    form.redraw();
    look(true);
  };
  const [about, everybody] = await Promise.all([ask("/sandbox/about"), ask("/sandbox/people")]);
  document.getElementById("app").href = about.public_url;
  systems = about.systems;
  document.getElementById("his").hidden = !systems.includes("his");
  const wanted = location.hash.slice(1);
  const known = wanted ? await people([wanted]) : everybody.slice(1, 2);
  if (everybody.length) {
    form.creator.choose(everybody.slice(0, 1));
    form.approvers.choose(everybody.slice(1, 2));
    whose.choose(known.length ? known : everybody.slice(0, 1));
  }
  setInterval(() => { if (!document.hidden) look(); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
}

start();
