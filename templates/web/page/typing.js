// The on-screen keyboard of a phone: it types into a field that nobody sees.

import KeyTable from "../core/input/keysym.js";
import keysyms from "../core/input/keysymdef.js";

const FILL = "_".repeat(40);  // something to delete
const TOUCH = matchMedia("(pointer: coarse)");
const NAMED = {
  Enter: KeyTable.XK_Return, Tab: KeyTable.XK_Tab, Escape: KeyTable.XK_Escape, Delete: KeyTable.XK_Delete,
  ArrowLeft: KeyTable.XK_Left, ArrowRight: KeyTable.XK_Right, ArrowUp: KeyTable.XK_Up, ArrowDown: KeyTable.XK_Down,
};

export class Typing {
  #keys;
  #field = document.getElementById("typed");
  #last = FILL;

  constructor({ keys }) {
    this.#keys = keys;
    const button = document.getElementById("keyboard");
    button.hidden = !TOUCH.matches;
    button.addEventListener("pointerdown", (event) => event.preventDefault());  // keeps the focus
    button.addEventListener("click", () => {
      if (document.activeElement === this.#field) this.#field.blur();
      else this.#field.focus({ preventScroll: true });
    });
    for (const event of ["focus", "blur"]) {
      this.#field.addEventListener(event, () => {
        button.setAttribute("aria-pressed", String(event === "focus"));
        this.#refill();
      });
    }
    this.#field.addEventListener("keydown", (event) => this.#named(event));
    this.#field.addEventListener("input", (event) => { if (!event.isComposing) this.#typed(); });
    this.#field.addEventListener("compositionend", () => this.#typed());
  }

  #refill() {
    this.#field.value = this.#last = FILL;
    this.#field.setSelectionRange(FILL.length, FILL.length);
  }

  #named(event) {
    if (!(event.key in NAMED)) return;  // most phones name no key: what they typed is in the field
    event.preventDefault();
    this.#keys.press(NAMED[event.key], event.code);
  }

  // The difference to what was there: so much is deleted, so much is new.
  #typed() {
    const now = this.#field.value;
    let same = 0;
    while (same < now.length && now[same] === this.#last[same]) same += 1;
    for (let gone = this.#last.length - same; gone > 0; gone -= 1) this.#keys.press(KeyTable.XK_BackSpace, "Backspace");
    for (const letter of now.slice(same)) {
      this.#keys.press(letter === "\n" ? KeyTable.XK_Return : keysyms.lookup(letter.codePointAt(0)));
    }
    this.#last = now;
    if (now.length < FILL.length / 2 || now.length > FILL.length * 3) this.#refill();
  }
}
