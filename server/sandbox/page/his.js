// The HIS corner: how the hospital's life is told, and how fast it goes on.

import { say } from "/sandbox/words.js";
import { ask, make } from "/sandbox/wire.js";

const SPEEDS = [1, 60, 600];
const figures = document.getElementById("his-figures");
const speeds = document.getElementById("his-speeds");

export async function showHis(refresh) {
  const state = await ask("/his/state");
  const time = new Date(state.life).toLocaleTimeString("en-GB", {
    hour: "2-digit", minute: "2-digit", timeZone: state.zone,
  });
  figures.textContent = say("hisFigures", { ...state, time });
  if (!speeds.children.length) {
    speeds.replaceChildren(...SPEEDS.map((speed) => {
      const button = make("button", { type: "button" });
      button.dataset.speed = speed;
      button.onclick = async () => {
        await ask("/his/speed", { speed }).catch(() => {});
        refresh();
      };
      return button;
    }));
  }
  for (const button of speeds.children) {
    const speed = Number(button.dataset.speed);
    button.textContent = speed === 1 ? say("ordinarySpeed") : `${speed} ×`;
    button.setAttribute("aria-pressed", String(speed === state.speed));
  }
}
