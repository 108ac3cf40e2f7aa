// The badge and the tools: shown when asked for, gone with the first touch of the desktop.

const DRAG_PX = 6;  // a click may tremble by so much
const MODIFIERS = ["Control", "Alt", "Shift"];

export class Bar {
  #desk;
  #bar = document.getElementById("bar");
  #badge = document.getElementById("badge");
  #tools = document.getElementById("tools");
  #panels = [...this.#bar.querySelectorAll(".panel")];

  constructor({ desk, notice, signal }) {
    this.#desk = desk;
    this.#badge.addEventListener("click", () => this.toggle());
    for (const button of this.#tools.querySelectorAll("[data-panel]")) {
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-controls", button.dataset.panel);
      button.addEventListener("click", () => this.#choose(button.dataset.panel));
    }
    for (const button of this.#tools.querySelectorAll("button")) button.setAttribute("aria-label", button.title);
    desk.screen.addEventListener("pointerdown", () => this.close(), { capture: true, signal });
    this.#bar.addEventListener("keydown", (event) => this.#key(event));
    this.#listenForTheWayIn(signal);
    this.#letItBeMoved(signal);
    this.#fullScreen(signal);
    document.getElementById("picture").addEventListener("click", () => {
      desk.canvas?.toBlob((blob) => save(blob));
      notice.say("The screenshot is among your downloads");
    });
  }

  toggle() {
    if (this.#tools.hidden) this.open();
    else this.close();
  }

  open() {
    this.#tools.hidden = false;
    this.#badge.setAttribute("aria-expanded", "true");
  }

  // Gives the keyboard back to the desktop when it was here.
  close() {
    const inside = this.#bar.contains(document.activeElement);
    this.#choose(null);
    this.#tools.hidden = true;
    this.#badge.setAttribute("aria-expanded", "false");
    if (inside) this.#desk.rfb?.focus({ preventScroll: true });
  }

  // Shows one panel, or hides it when it is shown.
  #choose(name) {
    for (const panel of this.#panels) {
      const shown = panel.id === name && panel.hidden;
      panel.hidden = !shown;
      this.#button(panel.id).setAttribute("aria-expanded", String(shown));
      if (shown) panel.dispatchEvent(new Event("shown"));
    }
  }

  #button(name) { return this.#tools.querySelector(`[data-panel=${name}]`); }

  #key(event) {
    if (event.key === "Escape") {
      const panel = this.#panels.find((each) => !each.hidden);
      if (panel) {
        this.#choose(null);
        this.#button(panel.id).focus();
      } else {
        this.close();
      }
    }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && this.#tools.contains(event.target)) {
      const all = [...this.#tools.querySelectorAll("button")].filter((each) => each.checkVisibility());
      all.at((all.indexOf(event.target) + step) % all.length).focus();
    }
  }

  // The desktop takes every key, Tab as well. Ctrl, Alt and Shift alone mean nothing to it: pressed
  // together and let go, they lead here.
  #listenForTheWayIn(signal) {
    const down = new Set();
    let armed = false;
    addEventListener("keydown", ({ key }) => {
      if (MODIFIERS.includes(key) || key === "Meta") down.add(key);
      armed = MODIFIERS.includes(key) && (armed || MODIFIERS.every((each) => down.has(each)));
    }, { capture: true, signal });
    addEventListener("keyup", ({ key }) => {
      down.delete(key);
      if (!armed || down.size) return;
      armed = false;
      this.open();
      setTimeout(() => this.#badge.focus());  // the desktop has to see this key go up
    }, { capture: true, signal });
    addEventListener("blur", () => { down.clear(); armed = false; }, { signal });
  }

  // Along the edge, when it covers what is needed.
  #letItBeMoved(signal) {
    let from = null, moved = false;
    this.#badge.addEventListener("pointerdown", (event) => {
      from = event.clientX;
      moved = false;
      this.#badge.setPointerCapture(event.pointerId);
    });
    this.#badge.addEventListener("pointermove", (event) => {
      if (from === null || (!moved && Math.abs(event.clientX - from) < DRAG_PX)) return;
      moved = true;
      this.#place(event.clientX);
    });
    this.#badge.addEventListener("pointerup", () => { from = null; });
    this.#badge.addEventListener("click", (event) => { if (moved) event.stopImmediatePropagation(); }, { capture: true });
    addEventListener("resize", () => this.#place(), { signal });
    new ResizeObserver(() => this.#place()).observe(this.#bar);
  }

  #wanted = null;  // its middle, in pixels; null for the window's
  #place(wanted = this.#wanted) {
    this.#wanted = wanted;
    const half = this.#bar.offsetWidth / 2, width = document.documentElement.clientWidth;
    const middle = Math.min(Math.max(wanted ?? width / 2, half), width - half);
    this.#bar.style.left = `${middle - half}px`;
  }

  #fullScreen(signal) {
    const button = document.getElementById("full");
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener("click", async () => {
      if (document.fullscreenElement) {
        await document.exitFullscreen();
        return;
      }
      await document.documentElement.requestFullscreen({ navigationUI: "hide" });
      // Esc, Super and Alt+Tab for the desktop, where the browser can.
      await navigator.keyboard?.lock?.().catch(() => {});
      this.close();
    });
    document.addEventListener("fullscreenchange", () => {
      button.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement)));
    }, { signal });
  }
}

function save(blob) {
  const link = document.createElement("a");
  const moment = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  link.download = `desktop-${moment.slice(0, 19).replace(/[T:]/g, "-")}.png`;
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
