// Keys that a browser or a phone keeps for itself.

import KeyTable from "../core/input/keysym.js";

const HELD = [["Ctrl", "XK_Control_L", "ControlLeft"], ["Alt", "XK_Alt_L", "AltLeft"], ["Shift", "XK_Shift_L", "ShiftLeft"], ["Super", "XK_Super_L", "MetaLeft"]];
const SINGLE = [
  ["Esc", "XK_Escape", "Escape"], ["Tab", "XK_Tab", "Tab"],
  ["Home", "XK_Home", "Home"], ["End", "XK_End", "End"], ["Menu", "XK_Menu", "ContextMenu"], ["Print", "XK_Print", "PrintScreen"],
  ["←", "XK_Left", "ArrowLeft"], ["↑", "XK_Up", "ArrowUp"], ["↓", "XK_Down", "ArrowDown"], ["→", "XK_Right", "ArrowRight"],
];
const FUNCTIONS = Array.from({ length: 12 }, (_, at) => [`F${at + 1}`, `XK_F${at + 1}`, `F${at + 1}`]);

export class Keys {
  #desk;
  #panel = document.getElementById("keys");

  constructor({ desk }) {
    this.#desk = desk;
    const [held, single, functions] = this.#panel.querySelectorAll(".keys");
    for (const [label, key, code] of HELD) {
      const button = add(held, label, () => {
        const down = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(down));
        desk.rfb?.sendKey(KeyTable[key], code, down);
      });
      button.setAttribute("aria-pressed", "false");
    }
    add(single, "Ctrl + Alt + Del", () => desk.rfb?.sendCtrlAltDel());
    for (const [label, key, code] of SINGLE) add(single, label, () => this.press(KeyTable[key], code));
    for (const [label, key, code] of FUNCTIONS) add(functions, label, () => this.press(KeyTable[key], code));
    // A new connection has no key down.
    desk.addEventListener("connected", () => this.#letGo());
  }

  press(keysym, code) {
    this.#desk.rfb?.sendKey(keysym, code);
    this.#letGo();
  }

  // What was held goes up after the key that it was for, as on a phone.
  #letGo() {
    for (const button of this.#panel.querySelectorAll("[aria-pressed=true]")) button.click();
  }
}

function add(row, label, action) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
  button.addEventListener("click", action);
  row.append(button);
  return button;
}
