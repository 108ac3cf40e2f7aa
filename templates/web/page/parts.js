// What the page consists of. Not in index.html, which strangers get: it tells them nothing.

const HTML = `
<main id="screen" aria-label="Desktop"></main>
<section id="notice" hidden>
<div>
<span class="wheel" aria-hidden="true"></span>
<div role="status"><h1></h1><p></p></div>
<button type="button" hidden>Try now</button>
</div>
</section>
<nav id="bar" aria-label="Desktop">
<div class="pill">
<button type="button" id="badge" aria-expanded="false" aria-controls="tools">
<svg class="in-control" aria-hidden="true"><use href="#i-control"/></svg><svg class="watching" aria-hidden="true"><use href="#i-watch"/></svg>
<span id="role"></span><span id="others" hidden></span>
</button>
<button type="button" id="back" hidden></button>
<div id="tools" role="toolbar" aria-label="Tools" hidden>
<button type="button" id="full" aria-pressed="false" title="Full screen"><svg aria-hidden="true"><use href="#i-full"/></svg></button>
<button type="button" data-panel="size" title="Size"><svg aria-hidden="true"><use href="#i-size"/></svg></button>
<button type="button" class="hands" data-panel="clipboard" title="Clipboard"><svg aria-hidden="true"><use href="#i-clipboard"/></svg></button>
<button type="button" class="hands" data-panel="keys" title="Special keys"><svg aria-hidden="true"><use href="#i-keys"/></svg></button>
<button type="button" class="hands" id="keyboard" aria-pressed="false" title="On-screen keyboard"><svg aria-hidden="true"><use href="#i-keyboard"/></svg></button>
<button type="button" id="picture" title="Save a screenshot"><svg aria-hidden="true"><use href="#i-picture"/></svg></button>
<button type="button" data-panel="people" title="Who is here"><svg aria-hidden="true"><use href="#i-people"/></svg></button>
<button type="button" data-panel="more" title="More"><svg aria-hidden="true"><use href="#i-more"/></svg></button>
</div>
</div>
<section class="panel" id="size" aria-label="Size" hidden>
<fieldset>
<legend>Size</legend>
<label class="remote"><input type="radio" name="size" value="remote"><span>Match this window<small>The desktop takes the window's size</small></span></label>
<label><input type="radio" name="size" value="scale"><span>Fit<small>All of it, made larger or smaller</small></span></label>
<label><input type="radio" name="size" value="off"><span>Actual size<small>Scroll to see the rest</small></span></label>
</fieldset>
<label class="move" hidden><input type="checkbox" id="move"><span>A finger moves the view<small>instead of the pointer</small></span></label>
</section>
<section class="panel" id="clipboard" aria-label="Clipboard" hidden>
<h2>Clipboard</h2>
<textarea id="clip" rows="5" spellcheck="false" aria-label="The desktop's clipboard" aria-describedby="clip-hint"></textarea>
<p id="clip-hint"></p>
<div class="row"><button type="button" id="clip-copy">Copy</button><button type="button" id="clip-paste">Paste from here</button></div>
</section>
<section class="panel" id="keys" aria-label="Special keys" hidden>
<h2>Special keys</h2>
<div class="keys held" role="group" aria-label="Held until pressed again"></div>
<div class="keys single" role="group" aria-label="Keys"></div>
<div class="keys fs" role="group" aria-label="Function keys"></div>
</section>
<section class="panel" id="people" aria-label="Who is here" hidden>
<h2>Who is here</h2>
<p id="company"></p>
<ul id="watching"></ul>
<ul id="loans"></ul>
<form id="link" hidden>
<h2>A link to watch</h2>
<p>For somebody who shall only look.</p>
<div class="row">
<label for="link-life" class="unseen">How long it works</label>
<select id="link-life"><option value="1h">for 1 hour</option><option value="12h">for 12 hours</option></select>
<button>Copy a new link</button>
</div>
<div id="link-made" hidden><input id="link-text" readonly aria-label="The link"><p><b id="link-copied">Copied.</b> In a terminal of the container, <code id="link-end"></code> ends it.</p></div>
</form>
</section>
<section class="panel" id="more" aria-label="More" hidden>
<p class="hint">Ctrl + Alt + Shift leads from the desktop to these tools.</p>
<a href="vnc.html?autoconnect=1&amp;resize=remote">noVNC's own page</a>
<a href="LICENSE.txt" target="_blank" rel="noopener">noVNC's licence</a>
<button type="button" id="logout">Log out</button>
</section>
</nav>
<textarea id="typed" aria-hidden="true" tabindex="-1" autocapitalize="off" autocomplete="off" spellcheck="false"></textarea>
<p id="said" role="status"></p>
<svg hidden>
<symbol id="i-control" viewBox="0 0 24 24"><path d="m5.5 3.5 5.3 16 2.5-6.7 6.7-2.5z"/></symbol>
<symbol id="i-watch" viewBox="0 0 24 24"><path d="M2.5 12S6 5.8 12 5.8 21.5 12 21.5 12 18 18.2 12 18.2 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="2.7"/></symbol>
<symbol id="i-full" viewBox="0 0 24 24"><path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/></symbol>
<symbol id="i-size" viewBox="0 0 24 24"><rect x="3" y="5" width="18" height="14" rx="2"/><path d="M7 12h10M9.5 9.5 7 12l2.5 2.5M14.5 9.5 17 12l-2.5 2.5"/></symbol>
<symbol id="i-clipboard" viewBox="0 0 24 24"><rect x="5.5" y="4.5" width="13" height="16" rx="2"/><path d="M9 3h6v3.5H9zM9 11h6M9 15h4"/></symbol>
<symbol id="i-keys" viewBox="0 0 24 24"><rect x="3.5" y="3.5" width="17" height="17" rx="4"/><path d="m8.5 12.5 3.5-3.5 3.5 3.5"/></symbol>
<symbol id="i-keyboard" viewBox="0 0 24 24"><rect x="2.5" y="5.5" width="19" height="13" rx="2"/><path d="M6.5 9.5h.01M10 9.5h.01M13.5 9.5h.01M17 9.5h.01M6.5 12.5h.01M17 12.5h.01M9 15h6"/></symbol>
<symbol id="i-picture" viewBox="0 0 24 24"><path d="M3.5 8h3.7L9 5.5h6L16.8 8h3.7v11h-17z"/><circle cx="12" cy="13" r="3.3"/></symbol>
<symbol id="i-people" viewBox="0 0 24 24"><circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.5-3.5 3-5.5 6.5-5.5s6 2 6.5 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 14.5c2 .8 3.2 2.5 3.5 5"/></symbol>
<symbol id="i-more" viewBox="0 0 24 24"><path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="2.6"/></symbol>
</svg>
`;

// Builds it anew.
export function build() {
  const template = document.createElement("template");
  template.innerHTML = HTML;
  return template.content;
}
