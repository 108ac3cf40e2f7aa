// The page: puts its parts together.

import { Bar } from "./bar.js";
import { Clipboard } from "./clipboard.js";
import { Desk } from "./desk.js";
import { Keys } from "./keys.js";
import { Notice } from "./notice.js";
import { build } from "./parts.js";
import { People } from "./people.js";
import { Size } from "./size.js";
import { Typing } from "./typing.js";

// Shows the desktop; returns what takes it away.
// connecting: the first connection, see main.js; lock: takes the desktop away too, and says why.
export function show(gate, connecting, lock) {
  const parts = build();
  const shown = [...parts.children];
  document.body.append(parts);
  const over = new AbortController();
  const { signal } = over;

  const settings = new URLSearchParams(location.search);
  const desk = new Desk({ gate, settings, signal });
  const notice = new Notice(desk);
  new Bar({ desk, notice, signal });
  new Size({ desk, settings });
  new Clipboard({ desk, notice, signal });
  new Typing({ keys: new Keys({ desk }) });
  new People({ desk, gate, notice });

  function stop() {
    over.abort();
    desk.stop();
    shown.forEach((part) => part.remove());
  }

  document.getElementById("logout").addEventListener("click", async () => {
    if (await gate.logOut()) lock(...ENDS["logged out"]);
    else notice.say("The container does not answer, so you are still logged in: try again");
  });
  desk.addEventListener("over", ({ detail }) => lock(...ENDS[detail] ?? ENDS.other));
  desk.start(connecting);
  return stop;
}

// What the gate said when it closed the connection, and what the person reads.
const ENDS = {
  "logged out": ["Its link opens the desktop again, while it is good.", "You are logged out"],
  expired: ["A login lasts for twelve hours, and no longer than its link.", "Your time here is over"],
  revoked: ["It opens nothing any more: ask for a new one.", "This link was taken back"],
  other: ["The link was taken back, its time or the login's is over, or the container was started anew.", "This login is over"],
};
