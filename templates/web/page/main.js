// Begins: connects while the rest of the page is still on its way. `index.html` calls it when the gate
// has let the person in.

import { Channel } from "./channel.js";
import { Gate } from "./gate.js";
import { MODULES } from "./modules.js";

// Shows the desktop; resolves with what takes it away.
// session: only where the browser keeps no cookie; lock: takes it away too, and says why.
export async function start(session, lock) {
  preload();
  const gate = new Gate(session);
  const connecting = connect(gate);
  try {
    const { show } = await import("./page.js");
    return show(gate, connecting, lock);
  } catch (error) {
    connecting.then((channel) => channel?.abandon());
    throw error;
  }
}

// A connection that is not open yet, or none for now.
export async function connect(gate) {
  const url = await gate.socket();
  return url === null ? null : new Channel(url);
}

// All at once: each module names others, and a far away browser would ask for them one after another.
function preload() {
  for (const path of MODULES) {
    const href = new URL(path, import.meta.url).href;
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  }
}
