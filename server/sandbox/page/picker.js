// A field in which people are chosen by name, number or department: one of them, or several.

import { say } from "/sandbox/words.js";
import { find, make } from "/sandbox/wire.js";

let number = 0;

/** A picker in `host`, named by the element `label`. `changed` hears of the people chosen. */
export function picker(host, { label, several = false, changed = () => {} }) {
  const id = `options-${++number}`;
  const input = make("input", { type: "text", role: "combobox", spellcheck: false });
  const options = make("ul", { id, className: "options", role: "listbox", hidden: true });
  const box = make("div", { className: "box" }, input);
  host.classList.add("picker");
  host.append(box, options);
  input.setAttribute("aria-controls", id);
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-labelledby", label);
  options.setAttribute("aria-labelledby", label);

  let chosen = [];
  let found = [];
  let at = 0;
  let asked = 0;

  const shown = (person) => `${person.name} ${person.person_id}`;

  function draw() {
    for (const chip of box.querySelectorAll(".chip")) chip.remove();
    if (several) {
      for (const person of chosen) {
        const remove = make("button", { type: "button", textContent: "×" });
        remove.setAttribute("aria-label", say("remove", person.name));
        remove.onclick = () => choose(chosen.filter((one) => one !== person));
        input.before(make("span", { className: "chip" }, person.name, remove));
      }
    }
    input.placeholder = chosen.length && several ? "" : say("choosePerson");
    input.value = several || !chosen.length ? "" : shown(chosen[0]);
  }

  function choose(people) {
    chosen = people;
    close();
    draw();
    changed(chosen);
  }

  function close() {
    asked += 1;
    options.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    at = Math.max(0, Math.min(index, found.length - 1));
    [...options.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === at)));
    if (found.length) {
      input.setAttribute("aria-activedescendant", options.children[at].id);
      options.children[at].scrollIntoView({ block: "nearest" });
    }
  }

  async function open(query) {
    const mine = ++asked;
    const answer = await find(query).catch(() => []);
    if (mine !== asked) return;
    found = answer.filter((person) => !several || !chosen.some((one) => one.person_id === person.person_id));
    options.replaceChildren(
      ...found.map((person, i) => {
        const post = [person.department, person.title].filter(Boolean).join(" · ");
        const row = make("li", { id: `${id}-${i}`, role: "option" }, make("b", {}, person.name),
          make("span", {}, post), make("code", {}, person.person_id));
        row.onpointerdown = (event) => { event.preventDefault(); take(person); };
        return row;
      }),
    );
    if (!found.length) options.append(make("li", { className: "none" }, say("nobody")));
    options.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
  }

  const take = (person) => choose(several ? [...chosen, person] : [person]);

  input.onfocus = () => { input.select(); open(""); };
  input.onclick = () => { if (options.hidden) open(""); };
  input.oninput = () => open(input.value);
  input.onblur = () => { close(); draw(); };
  box.onclick = (event) => { if (event.target === box) input.focus(); };
  input.onkeydown = (event) => {
    if (event.isComposing) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && !options.hidden) {
      event.preventDefault();
      mark(at + steps[event.key]);
    } else if (event.key === "Enter" && !options.hidden && found[at]) {
      event.preventDefault();
      take(found[at]);
    } else if (event.key === "Escape") {
      close();
      draw();
    } else if (event.key === "Backspace" && several && !input.value && chosen.length) {
      choose(chosen.slice(0, -1));
    }
  };

  draw();
  return { get chosen() { return chosen; }, choose, draw };
}
