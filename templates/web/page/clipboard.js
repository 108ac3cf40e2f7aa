// The clipboard. Copied in the desktop: it is here, where the browser lets a page write. Pasted here by
// the usual keys: it is there, without a question, as the browser's own paste brings it. And a text box.

import KeyTable from "../core/input/keysym.js";

const PASTE_MS = 100;  // an empty clipboard, or a picture, brings no text: then the keys go as they are
const TYPED_MS = 300;
// VNC_CLIPBOARD → what the panel says. Xvnc holds to it, whatever a page does.
const HINTS = {
  both: "What is copied in the desktop stands here; what you write here can be pasted there.",
  in: "What you write here can be pasted in the desktop; what is copied there stays there.",
  out: "What is copied in the desktop stands here; nothing from here can be pasted there.",
};

export class Clipboard {
  #desk;
  #box = document.getElementById("clip");
  #hint = document.getElementById("clip-hint");
  #known = "";  // what the desktop's clipboard holds, as far as we know
  #unwritten = false;
  #newer = false;  // it changed since the person was last elsewhere, where something may be copied
  #local = null;  // what the browser's clipboard held when it was last pasted

  constructor({ desk, notice, signal }) {
    this.#desk = desk;
    desk.addEventListener("clipboard", ({ detail }) => this.#came(detail));
    desk.addEventListener("connected", () => { this.#known = ""; });
    this.#listenForPaste(signal);
    addEventListener("blur", () => { this.#newer = false; }, { signal });
    // A browser that lets a page write only after a click or key gets the text with the next one.
    for (const event of ["pointerup", "keyup"]) addEventListener(event, () => this.#write(), { capture: true, signal });

    let timer = 0;
    this.#box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#send(this.#box.value), TYPED_MS);
    });
    this.#box.addEventListener("change", () => this.#send(this.#box.value));
    document.getElementById("clipboard").addEventListener("shown", () => this.#explain());
    const copy = document.getElementById("clip-copy"), paste = document.getElementById("clip-paste");
    copy.addEventListener("click", async () => {
      notice.say(await copyText(this.#box) ? "Copied" : "This browser does not let the page copy: use Ctrl+C");
    });
    desk.addEventListener("news", () => {
      const { clipboard } = desk;
      const takes = clipboard === "both" || clipboard === "in";
      document.querySelector("[data-panel=clipboard]").hidden = clipboard === "off";
      this.#box.readOnly = !takes;
      copy.hidden = clipboard === "in";
      paste.hidden = !takes || !navigator.clipboard?.readText;
    });
    paste.addEventListener("click", async () => {
      try {
        this.#box.value = await navigator.clipboard.readText();
        this.#send(this.#box.value);
      } catch {
        notice.say("This browser does not let the page read: use Ctrl+V in the box");
      }
    });
  }

  #explain() {
    this.#hint.textContent = `${HINTS[this.#desk.clipboard]} ${navigator.clipboard
      ? "The usual keys work too." : "Over plain http the browser lets no page copy by itself."}`;
  }

  // From the desktop.
  #came(text) {
    this.#known = this.#box.value = text;
    this.#newer = this.#unwritten = true;
    this.#write();
  }

  async #write() {
    if (!this.#unwritten || !navigator.clipboard?.writeText) return;
    try {
      await navigator.clipboard.writeText(this.#known);
      this.#unwritten = false;
    } catch {
      // Not now: with the next click or key.
    }
  }

  // To the desktop.
  #send(text) {
    if (text === this.#known) return;
    this.#known = this.#box.value = text;
    this.#newer = true;
    this.#unwritten = false;
    this.#desk.rfb?.clipboardPasteFrom(text);
  }

  // Ctrl+V and its kin: let the browser paste first, then let the key through.
  #listenForPaste(signal) {
    let waiting = null;
    const through = () => {
      clearTimeout(waiting?.timer);
      const { keysym, code } = waiting;
      waiting = null;
      this.#desk.rfb?.sendKey(keysym, code);
    };
    addEventListener("keydown", (event) => {
      const { rfb, canvas, role } = this.#desk;
      if (!rfb || role === "view" || event.target !== canvas || event.altKey || !pastes(event)) return;
      event.stopImmediatePropagation();  // noVNC would take the key, and the browser not paste
      if (waiting) through();
      const keysym = event.code === "Insert" ? KeyTable.XK_Insert : event.shiftKey ? KeyTable.XK_V : KeyTable.XK_v;
      waiting = { keysym, code: event.code, timer: setTimeout(through, PASTE_MS) };
    }, { capture: true, signal });
    addEventListener("paste", (event) => {
      if (!waiting) return;
      event.preventDefault();
      const text = event.clipboardData.getData("text/plain");
      // An old text of the browser's must not take the place of what was copied in the desktop since.
      if (text && text !== this.#local && !this.#newer) this.#send(text);
      this.#local = text;
      through();
    }, { capture: true, signal });
  }
}

function pastes({ key, code, ctrlKey, shiftKey }) {
  return (ctrlKey && key.toLowerCase() === "v") || (shiftKey && !ctrlKey && code === "Insert");
}

// Copies what is in a field; whether that was possible.
export async function copyText(box) {
  try {
    await navigator.clipboard.writeText(box.value);
    return true;
  } catch {
    box.select();
    return document.execCommand("copy");  // the only way over plain http
  }
}
