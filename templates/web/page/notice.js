// What the person reads while there is no desktop, and short words about what just happened.

const CALM_MS = 500;  // most reconnects are over by then: nothing flashes up
const SAID_MS = 4000;

const TEXTS = {
  connecting: ["Connecting", ""],
  starting: ["The desktop is starting", "It appears here by itself."],
  restarting: ["The desktop is restarting", "It comes back here by itself."],
  offline: ["No network", "The desktop comes back with it."],
  silent: ["The container does not answer", "This page keeps trying. If the container was stopped, start it again; a new start may print a new link."],
  refused: ["The connection fails", "The desktop is up. It may be full, or a proxy on the way does not pass WebSockets on, or changes the page's address: then start it with PUBLIC_URL."],
};
const CAN_TRY = ["offline", "silent", "refused"];

export class Notice {
  #desk;
  #box = document.getElementById("notice");
  #button = this.#box.querySelector("button");
  #said = document.getElementById("said");
  #timer = 0;
  #saying = 0;

  constructor(desk) {
    this.#desk = desk;
    desk.addEventListener("trouble", ({ detail }) => this.#show(detail));
    this.#button.addEventListener("click", () => desk.retry());
  }

  #show(why) {
    clearTimeout(this.#timer);
    if (why === null) {
      this.#box.hidden = true;
      delete this.#desk.screen.dataset.gone;
    } else if (this.#box.hidden) {
      this.#timer = setTimeout(() => this.#write(why), CALM_MS);
    } else if (why !== "connecting") {  // between two tries, the reason stays
      this.#write(why);
    }
  }

  #write(why) {
    const [title, text] = TEXTS[why];
    this.#box.querySelector("h1").textContent = title;
    this.#box.querySelector("p").textContent = text;
    this.#button.hidden = !CAN_TRY.includes(why);
    this.#box.hidden = false;
    this.#desk.screen.dataset.gone = "";
  }

  // A few words that go away by themselves; screen readers say them too.
  say(text) {
    clearTimeout(this.#saying);
    this.#said.textContent = text;
    this.#saying = setTimeout(() => { this.#said.textContent = ""; }, SAID_MS);
  }
}
