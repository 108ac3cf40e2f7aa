// A WebSocket as noVNC takes one, but for its text messages: those are the gate's news for us.

export class Channel {
  ended = null;  // how, once it is over; that may be before anybody listens

  // What noVNC sets, and looks for.
  onopen = null;
  onclose = null;
  onerror = null;
  #onmessage = null;
  #waiting = [];  // what came before noVNC was there
  #socket;

  // Called with the news; after each other message; and at the end, before noVNC hears of it.
  onnews = () => {};
  ontaken = () => {};
  onend = () => {};

  constructor(url) {
    this.#socket = new WebSocket(url, ["deskgate"]);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = (event) => this.onopen?.(event);
    this.#socket.onerror = (event) => this.onerror?.(event);
    this.#socket.onmessage = (event) => this.#take(event);
    this.#socket.onclose = (event) => this.#end(event);
  }

  // Ends it without waiting for the other side, which may be gone.
  abandon() {
    this.#socket.close();
    this.#end({ code: 1006, reason: "" });
  }

  #end(event) {
    this.ended = event;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.onend(event);
    this.onclose?.(event);
  }

  #take(event) {
    if (!this.#onmessage) {
      this.#waiting.push(event);
    } else if (typeof event.data === "string") {
      this.onnews(JSON.parse(event.data));
    } else {
      this.#onmessage(event);
      this.ontaken();
    }
  }

  get onmessage() { return this.#onmessage; }
  set onmessage(handler) {
    this.#onmessage = handler;
    // Later: noVNC is not ready yet when it sets this.
    queueMicrotask(() => this.#waiting.splice(0).forEach((event) => this.#take(event)));
  }

  get binaryType() { return this.#socket.binaryType; }
  set binaryType(kind) { this.#socket.binaryType = kind; }
  get protocol() { return this.#socket.protocol; }
  get readyState() { return this.#socket.readyState; }
  send(data) { this.#socket.send(data); }
  close(code, reason) { this.#socket.close(code, reason); }
}
