// Requests to the gate. All addresses are relative to the page, so that every prefix holds.

const ANSWER_MS = 5000;

export class Gate {
  // session: shown with each request, where no cookie follows them.
  constructor(session) {
    this.headers = session ? { Authorization: `Session ${session.session}` } : {};
    this.session = session;
  }

  ask(path, options = {}) {
    return fetch(path, {
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
      ...options,
      headers: { ...this.headers, ...options.headers },
    });
  }

  // What the gate says of us: 200, 401 when the session is over, 503 while there is no desktop, 0 when
  // it says nothing.
  async status() {
    try {
      const answer = await this.ask("api/me");
      await answer.text();  // else the browser keeps the request open
      return answer.status;
    } catch {
      return 0;
    }
  }

  // The address of a WebSocket to the desktop; null when there is none now.
  async socket() {
    const url = new URL("websockify", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.session) {
      try {
        const answer = await this.ask("api/tickets", { method: "POST" });
        url.searchParams.set("ticket", (await answer.json()).ticket);
      } catch {
        return null;
      }
    }
    return url.href;
  }

  // Whether the session is over: at the gate (its answer leads elsewhere), or where this page alone
  // had it, which forgets it. A browser that kept its cookie would be let in again.
  async logOut() {
    try {
      const answer = await this.ask("logout", { method: "POST" });
      return answer.type === "opaqueredirect" || answer.status === 401 || Boolean(this.session);
    } catch {
      return Boolean(this.session);
    }
  }
}
