// The connection to the desktop: made at once, made again when it is lost, until the session is over.
//
// Events: `news` (role, others), `connected`, `drawn` (its first picture), `clipboard` (a text),
// `trouble` (why there is no desktop; null when there is one again), `over` (why, in the gate's word).

import RFB from "../core/rfb.js";
import { connect } from "./main.js";

const ROLE_CHANGED = 4000;  // the gate's code for: come again, you have another role now
const WAITS_MS = [0, 250, 500, 1000, 2000, 4000];  // before each further try; then the last
const CONNECT_MS = 10_000;
const SILENT_MS = 50_000;  // after which a connection is dead: the gate says something every 20 s
const AWAKE_MS = 2_000;  // the same after a sleep, when what was said meanwhile is here already

export class Desk extends EventTarget {
  role = null;
  borrowed = null;  // control that somebody lent
  clipboard = "off";  // which way it goes: in, out, both
  rfb = null;  // noVNC's, while connected
  #channel = null;
  #gate;
  #settings;
  #stopped = false;
  #wake = () => {};
  #heard = 0;

  // settings: of the address, as in noVNC's; signal: ends what listens.
  constructor({ gate, settings, signal }) {
    super();
    this.#gate = gate;
    this.#settings = settings;
    this.screen = document.getElementById("screen");
    const look = () => {
      if (document.visibilityState !== "visible") return;
      this.#wake();
      this.#checkSoon();
    };
    document.addEventListener("visibilitychange", look, { signal });
    for (const event of ["online", "pageshow"]) addEventListener(event, look, { signal });
    const clock = setInterval(() => this.#endWhenSilent(SILENT_MS), AWAKE_MS);
    signal.addEventListener("abort", () => clearInterval(clock));
  }

  get canvas() { return this.screen.querySelector("canvas:not(.frozen)"); }

  // connecting: the first connection, that is under way.
  async start(connecting) {
    this.#trouble("connecting");
    for (let tries = 0; !this.#stopped; tries += 1) {
      const end = await this.#connect(await (tries ? connect(this.#gate) : connecting));
      if (this.#stopped) return;
      if (end.joined) tries = 0;
      if (end.code === ROLE_CHANGED) continue;
      if (!(await this.#ready(tries, end))) return;
    }
  }

  stop() {
    this.#stopped = true;
    this.#channel?.abandon();
    this.#wake();
  }

  retry() { this.#wake(); }

  #trouble(why) {
    this.screen.dataset.state = why;
    this.#tell("trouble", why);
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  // Waits until there is a desktop to connect to; false when the session is over.
  async #ready(tries, end) {
    for (let turn = tries; !this.#stopped; turn += 1) {
      await this.#pause(WAITS_MS[Math.min(turn, WAITS_MS.length - 1)]);
      const status = await this.#gate.status();
      if (status === 401) {
        this.#tell("over", end.reason);
        return false;
      }
      if (status === 200) {
        // Up, and yet no connection, again and again: something between us, or no place.
        if (tries > 2) this.#trouble("refused");
        return true;
      }
      if (status === 503) this.#trouble(this.role ? "restarting" : "starting");
      else this.#trouble(navigator.onLine ? "silent" : "offline");
    }
    return false;
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  // Shows what comes by a channel; resolves when it ends.
  #connect(channel) {
    if (this.#stopped) channel?.abandon();
    const { code, reason } = channel?.ended ?? { code: 0, reason: "" };
    if (!channel || channel.ended) return { code, reason, joined: false };
    return new Promise((resolve) => {
      let joined = false;
      this.#channel = channel;
      const timer = setTimeout(() => channel.abandon(), CONNECT_MS);
      this.#heard = Date.now();

      channel.onnews = (news) => {
        this.#heard = Date.now();
        this.role = news.role;
        this.borrowed = news.borrowed;
        this.clipboard = news.clipboard ?? "off";
        rfb.viewOnly = this.role === "view" || this.#settings.get("view_only") === "1";
        this.#tell("news", news);
      };
      channel.ontaken = () => { this.#heard = Date.now(); };
      channel.onend = ({ code, reason }) => {
        clearTimeout(timer);
        if (joined) this.#freeze();
        this.rfb = null;
        this.#trouble("connecting");
        resolve({ code, reason, joined });
      };

      const rfb = this.#settle(new RFB(this.screen, channel, { shared: this.#settings.get("shared") !== "0" }));
      rfb.addEventListener("connect", () => {
        clearTimeout(timer);
        joined = true;
        this.rfb = rfb;
        this.screen.dataset.state = "connected";
        this.#tell("trouble", null);
        this.#tell("connected");
        this.#thawWhenDrawn(rfb);
      });
      rfb.addEventListener("clipboard", ({ detail }) => this.#tell("clipboard", detail.text));
    });
  }

  #settle(rfb) {
    rfb.background = "";
    for (const [name, property] of [["quality", "qualityLevel"], ["compression", "compressionLevel"]]) {
      const level = Number.parseInt(this.#settings.get(name) ?? "", 10);
      if (level >= 0 && level <= 9) rfb[property] = level;
    }
    rfb.showDotCursor = this.#settings.get("show_dot") === "1";
    return rfb;
  }

  // The last picture stays until the next one is there.
  #freeze() {
    const canvas = this.canvas;
    if (!canvas?.width || this.#stopped) return;
    const frozen = Object.assign(document.createElement("canvas"), { className: "frozen", width: canvas.width, height: canvas.height });
    frozen.setAttribute("aria-hidden", "true");
    const { left, top, width, height } = canvas.getBoundingClientRect();
    for (const [name, value] of Object.entries({ left, top, width, height })) frozen.style[name] = `${value}px`;
    frozen.getContext("2d").drawImage(canvas, 0, 0);
    this.#melt();
    this.screen.append(frozen);
  }

  #melt() { this.screen.querySelectorAll(".frozen").forEach((each) => each.remove()); }

  // noVNC's canvas is transparent until its first picture.
  #thawWhenDrawn(rfb) {
    const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const look = () => {
      if (rfb !== this.rfb) return;
      if (this.canvas.width) pixel.drawImage(this.canvas, 0, 0, 1, 1, 0, 0, 1, 1);
      if (pixel.getImageData(0, 0, 1, 1).data[3] === 0) {
        requestAnimationFrame(look);
        return;
      }
      this.#melt();
      performance.mark("drawn");
      this.#tell("drawn");
    };
    look();
  }

  // A connection can die unheard, while a laptop sleeps or changes its network.
  #endWhenSilent(ms) {
    if (this.rfb && Date.now() - this.#heard > ms) this.#channel.abandon();
  }

  #checkSoon() {
    const heard = this.#heard;
    const slept = Date.now() - heard > SILENT_MS / 2;
    if (slept) setTimeout(() => { if (this.#heard === heard) this.#endWhenSilent(0); }, AWAKE_MS);
  }
}
