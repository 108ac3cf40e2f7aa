// How the desktop fits into the window: it takes the window's size, or is scaled, or stays as it is.

const MODES = ["remote", "scale", "off"];
const KEPT = "deskgate-size";
const TOUCH = matchMedia("(pointer: coarse)");

export class Size {
  #desk;
  #panel = document.getElementById("size");
  #mode;

  constructor({ desk, settings }) {
    this.#desk = desk;
    const asked = settings.get("resize") ?? recall();
    this.#mode = MODES.includes(asked) ? asked : "remote";
    this.#panel.addEventListener("change", ({ target }) => {
      if (target.name === "size") {
        this.#mode = target.value;
        remember(this.#mode);
      }
      this.#apply();
    });
    for (const event of ["connected", "news"]) desk.addEventListener(event, () => this.#apply());
  }

  #apply() {
    const { rfb, role } = this.#desk;
    // Only who controls may change the desktop's size, and not of one that was lent to him.
    const guest = role === "view" || Boolean(this.#desk.borrowed);
    const mode = this.#mode === "remote" && guest ? "scale" : this.#mode;
    this.#panel.querySelector(".remote").hidden = guest;
    this.#panel.querySelector(`[value=${mode}]`).checked = true;
    this.#panel.querySelector(".move").hidden = mode !== "off" || !TOUCH.matches;
    this.#desk.screen.dataset.size = mode;
    if (!rfb) return;
    rfb.scaleViewport = mode === "scale";
    rfb.resizeSession = mode === "remote";
    // A finger cannot use scroll bars: there, noVNC moves the view.
    rfb.clipViewport = mode === "off" && TOUCH.matches;
    rfb.dragViewport = rfb.clipViewport && document.getElementById("move").checked;
  }
}

// A frame of another site may have no storage.
function recall() {
  try { return localStorage.getItem(KEPT); } catch { return null; }
}

function remember(mode) {
  try { localStorage.setItem(KEPT, mode); } catch { /* then not */ }
}
