// Who is here: the role on the badge, the others by number; and what they may do for each other.

import { copyText } from "./clipboard.js";

export class People {
  #gate;
  #notice;
  #badge = document.getElementById("badge");
  #back = document.getElementById("back");
  #loan = null;  // of this session, on either side

  constructor({ desk, gate, notice }) {
    this.#gate = gate;
    this.#notice = notice;
    let before = null;
    desk.addEventListener("news", ({ detail }) => {
      this.#show(detail);
      if (before) this.#announce(before, detail);
      before = detail;
    });
    this.#back.addEventListener("click", () => this.#end(this.#loan));
    document.getElementById("link").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#makeLink();
    });
  }

  #show({ role, others, owner, watching = [], loans = [], lent = null, borrowed = null }) {
    this.#loan = lent ?? borrowed;
    this.#badge.dataset.role = role;
    const number = others.control + others.view;
    document.getElementById("role").textContent = lent ? "Lent" : ROLES[role];
    const shown = document.getElementById("others");
    shown.hidden = number === 0;
    shown.textContent = number ? `+${number}` : "";
    shown.setAttribute("aria-label", `and ${count(number, "other", "others")}`);
    this.#back.hidden = !this.#loan;
    this.#back.textContent = lent ? "Take control back" : "Give control back";

    document.getElementById("company").textContent = company(role, others, lent, borrowed);
    const names = watching.map(({ name }, at) => numbered(watching, name, at));
    fill("watching", lent ? [] : watching, (person, at) => [names[at], "Lend control", () => this.#lend(person)]);
    fill("loans", loans.filter(({ id }) => id !== this.#loan?.id), (loan) => [`${who(loan.from)} lent control to ${who(loan.to)}`, "End it", () => this.#end(loan)]);
    document.getElementById("link").hidden = !owner;
  }

  // What a person should know at once. Who only watches hears of nobody else.
  #announce(before, { role, others, lent, borrowed }) {
    if (role !== before.role) {
      if (lent) this.#notice.say(`Control is with ${who(lent.to)} now`);
      else if (borrowed) this.#notice.say(`You control the desktop: ${who(borrowed.from)} lent it to you`);
      else this.#notice.say(role === "control" ? "You control the desktop again" : "You only watch now");
    } else if (role === "control" && !before.lent && !borrowed) {
      if (others.control > before.others.control) this.#notice.say("Somebody else controls the desktop too");
      else if (others.view > before.others.view) this.#notice.say("Somebody watches");
    }
  }

  async #post(path, body) {
    try {
      const answer = await this.#gate.ask(path, { method: "POST", body: JSON.stringify(body) });
      const told = await answer.json();
      if (answer.ok) return told;
      this.#notice.say(told.error);
    } catch {
      this.#notice.say("The container did not do it: try again");
    }
    return null;
  }

  async #lend({ id }) {
    await this.#post("api/loans", { to: id });
  }

  #end({ id }) { return this.#post(`api/loans/${id}/end`, {}); }

  async #makeLink() {
    const base = new URL("./", document.baseURI).href.replace(/\/$/, "");
    const made = await this.#post("api/watch-links", { ttl: document.getElementById("link-life").value, base_url: base });
    if (!made) return;
    const box = document.getElementById("link-made"), text = document.getElementById("link-text");
    text.value = made.url;
    box.hidden = false;
    const copied = await copyText(text);
    document.getElementById("link-copied").hidden = !copied;
    document.getElementById("link-end").textContent = `deskgate token revoke ${made.name}`;
  }
}

const ROLES = { control: "Control", view: "Watching" };

function company(role, { control, view }, lent, borrowed) {
  const you = lent ? `You lent control to ${who(lent.to)}, and watch meanwhile.`
    : borrowed ? `You control the desktop: ${who(borrowed.from)} lent it to you.`
    : role === "control" ? "You control the desktop." : "You watch. Keys and pointer do nothing here.";
  const them = [control && count(control, "other controls it", "others control it"), view && count(view, "other watches", "others watch")];
  return `${you} ${them.filter(Boolean).join(", ") || "Nobody else is here"}.`;
}

// The names of the two links that a start prints say nothing about who opened them.
function who(name) {
  return { control: "the owner", view: "a watcher" }[name] ?? name;
}

// Several may have come by one link: then they have numbers.
function numbered(all, name, at) {
  const shown = name === "view" ? "Watcher" : name;
  if (all.filter((each) => each.name === name).length < 2) return shown;
  return `${shown} ${all.slice(0, at + 1).filter((each) => each.name === name).length}`;
}

// Rows of a text and a button. As they were, they stay, and with them the focus.
function fill(id, all, row) {
  const list = document.getElementById(id);
  const told = JSON.stringify(all);
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  list.replaceChildren(...all.map((each, at) => {
    const [text, label, action] = row(each, at);
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-label", `${label}: ${text}`);
    button.addEventListener("click", action);
    item.append(text, button);
    return item;
  }));
  list.hidden = all.length === 0;
}

function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}
