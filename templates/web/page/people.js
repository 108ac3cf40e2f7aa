// Who is here: the role on the badge, the others by number.

const ROLES = { control: "Control", view: "Watching" };

export class People {
  #notice;
  #role = document.getElementById("role");
  #others = document.getElementById("others");
  #company = document.getElementById("company");

  constructor({ desk, notice }) {
    this.#notice = notice;
    let before = null;
    desk.addEventListener("news", ({ detail }) => {
      this.#show(detail);
      if (before) this.#announce(before, detail);
      before = detail;
    });
  }

  #show({ role, others }) {
    document.getElementById("badge").dataset.role = role;
    this.#role.textContent = ROLES[role];
    const number = others.control + others.view;
    this.#others.hidden = number === 0;
    this.#others.textContent = number ? `+${number}` : "";
    this.#others.setAttribute("aria-label", `and ${count(number, "other", "others")}`);
    this.#company.textContent = company(role, others);
  }

  #announce(before, { role, others }) {
    if (role !== before.role) this.#notice.say(role === "control" ? "You control the desktop now" : "You only watch now");
    else if (others.control > before.others.control) this.#notice.say("Somebody else controls the desktop too");
    else if (others.view > before.others.view) this.#notice.say("Somebody watches");
  }
}

function company(role, { control, view }) {
  const you = role === "control" ? "You control the desktop." : "You watch. Keys and pointer do nothing here.";
  const them = [control && `${count(control, "other controls", "others control")} it`, view && `${count(view, "other watches", "others watch")}`];
  const told = them.filter(Boolean).join(", ");
  return told ? `${you} ${told[0].toUpperCase()}${told.slice(1)}.` : `${you} Nobody else is here.`;
}

function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}
