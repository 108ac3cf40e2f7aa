"""Every security check of the code, and what the code is without it.

A reader who can name a check that is missing here adds it. `test_checks.py` holds the list to the
code; `run.py` removes them.
"""

from __future__ import annotations

from typing import NamedTuple

# fmt: off
# In this order, until one is red.
GATE = (
    "tests/unit/gate/test_abuse.py", "tests/unit/gate/test_websocket.py", "tests/unit/gate/test_rfc6455.py",
    "tests/unit/gate/test_server.py", "tests/unit/gate/test_http_slow.py", "tests/unit/gate",
)
UNIT = ("tests/unit",)


class Check(NamedTuple):
    """One check.

    Args:
        file: below the package.
        code: what stands there once.
        without: the same with the check gone.
        tests: where to look when the module's own tests stay green.
    """

    name: str
    file: str
    code: str
    without: str
    tests: tuple[str, ...] = GATE


POLICY = "gate/policy.py"
CREDENTIALS = "gate/credentials.py"
SESSIONS = "gate/sessions.py"
OUTSIDE = "gate/outside.py"
HANDSHAKE = "gate/handshake.py"
API = "gate/api.py"
RELAY = "gate/relay.py"
HEADERS = "gate/headers.py"
LOANS = "gate/loans.py"
SHARING = "gate/sharing.py"
TARGETS = "gate/targets.py"
KEEPER = "gate/keeper.py"

REQUESTS = (
    Check("only three methods", POLICY, "if request.method not in METHODS:", "if False:"),
    Check("a bound for the target", POLICY, "if len(request.target) > limits.TARGET_BYTES:", "if False:"),
    Check("a bound for the headers' size", POLICY, "size > limits.HEADER_BYTES or ", ""),
    Check("a bound for the headers' number", POLICY, " or len(request.headers) > limits.HEADER_COUNT", ""),
    Check("no transfer coding", POLICY, 'if malformed or request.all("transfer-encoding"):', "if malformed:"),
    Check("no absolute target", POLICY, ' or not request.target.startswith("/")', ""),
    Check("a bound for the body", POLICY, " or int(length[:20]) > limits.BODY_BYTES", ""),
    Check("one credential in a query", POLICY, "if len(tokens) + len(target.tickets) > 1:", "if False:"),
    Check("the credential before the path", POLICY, "    if config.open and not", "    if name is None:\n        return plain(context, 400, close=True)\n    if config.open and not"),
    Check("no credential, no page", POLICY, "    if finding.access is None:", "    if finding.access is None and finding.wrong:"),
    Check("a ticket only for a WebSocket", POLICY, 'if target.tickets and name == "websockify" else None', "if target.tickets else None"),
    Check("wrong tokens are counted", POLICY, "WrongToken(answer=answer, client=view.client) if finding.wrong else answer", "answer"),
    Check("only indexed files", POLICY, "    if name in context.files:", "    if True:"),
    Check("a login only from our page", POLICY, "    if not outside.is_from_our_page(request, view, context.config):\n        return plain(context, 403)\n    kind", "    kind"),
    Check("a login only as a form", POLICY, "if kind != FORM or query_tokens or", "if query_tokens or"),
    Check("no token in a login's query", POLICY, "if kind != FORM or query_tokens or", "if kind != FORM or"),
    Check("one credential in a login", POLICY, " or len(given) > 1:", ":"),
    Check("a logout only by POST", POLICY, '    if request.method != "POST":\n        return plain(context, 405, ("Allow", "POST"))', ""),
    Check("a logout only from our page", POLICY, "    if not outside.is_from_our_page(request, view, context.config):\n        return plain(context, 403)\n    gone", "    gone"),
    Check("a link with a token leads to one without", POLICY, "if access.carrier is Carrier.QUERY and access.token is not None and page:", "if False:"),
    Check("no link points noVNC elsewhere", POLICY, '{"host": "", "port": 0, "path": "websockify"}', "{}"),
    Check("a session is told to frames only", POLICY, 'if ("framed", "1") in fields:', "if True:"),
    Check("a key opens code only", POLICY, "file.endswith(CODE) and ", ""),
    Check("a key has to be right", POLICY, " and credentials.opens_files(key, context)", ""),
    Check("without tokens, the Host is known", POLICY, "    if not outside.host_is_known(view, context.config):", "    if False:"),
    Check("without tokens, a WebSocket says its Origin", POLICY, 'return not request.all("upgrade")', "return True"),
    Check("without tokens, the Origin is ours", POLICY, "return len(origins) == 1 and outside.origin_is_ours(origins[0], view, context.config)", "return True"),
    Check("dots and backslashes are no path", TARGETS, 'or "\\\\" in decoded ', ""),
    Check("no control character in a path", TARGETS, " or not decoded.isprintable()", ""),
    Check("no dot segment in a path", TARGETS, '    if any(part in {"", ".", ".."} for part in folders) or _last in {".", ".."}:', "    if False:"),
    Check("a bound for a query's fields", TARGETS, ", max_num_fields=QUERY_FIELDS", ""),
    Check("a redirect keeps harmless settings only", TARGETS, "if key in KEPT_SETTINGS and", "if"),
    Check("a redirect stays here", TARGETS, 'name.rpartition("/")[2]', "name"),
    Check("line ends have one reading", "gate/lines.py", "return AMBIGUOUS.search(head) is None", "return True"),
)

WHO = (
    Check("the exact token", "tokens.py", "if hmac.compare_digest(token.digest, given) and", "if token.digest[:1] == given[:1] and", UNIT),
    Check("constant time", "tokens.py", "hmac.compare_digest(token.digest, given)", "token.digest == given", ("tests/unit/gate/test_http_timing.py",)),
    Check("a token ends", "tokens.py", "return self.expires is None or now < self.expires", "return True", UNIT),
    Check("a token is long", "tokens.py", " or len(value) < least", "", UNIT),
    Check("a token cannot be guessed", "tokens.py", "if len(set(value)) < MIN_DIFFERENT_CHARACTERS:", "if False:", UNIT),
    Check("one Bearer", CREDENTIALS, "if len(bearers) == 1 else None", "if bearers else None"),
    Check("a wrong Bearer is no cookie's affair", CREDENTIALS, "        return _finding(_access(token, Carrier.BEARER))", "        if token:\n            return _finding(_access(token, Carrier.BEARER))"),
    Check("tokens in queries can be off", CREDENTIALS, "if not context.config.query_tokens:", "if False:"),
    Check("one cookie of our name", CREDENTIALS, "    if len(values) != 1:\n        return None\n", ""),
    Check("a logged-out session is over", CREDENTIALS, "context.denied.holds(session)", "False"),
    Check("the cookie's name is this desktop's", CREDENTIALS, 'if pair.startswith(f"{name}=")', 'if pair.startswith("vnc_") or pair.startswith(f"{name}=")'),
    Check("a key to the files dies with its token", CREDENTIALS, " and token.is_live(context.now):\n            found = True", ":\n            found = True"),
    Check("a cookie is signed", SESSIONS, "if not hmac.compare_digest(expected, signature):", "if False:"),
    Check("a cookie's token is in force", SESSIONS, "if token.token_id == token_id and token.is_live(now):", "if token.token_id == token_id:"),
    Check("a cookie lives twelve hours", SESSIONS, " <= age < LIFETIME_SECONDS", " <= age"),
    Check("a cookie is not of the future", SESSIONS, "if not -CLOCK_SLACK_SECONDS <= age <", "if not age <"),
    Check("a cookie's key is of its token", SESSIONS, 'key = hmac.digest(boot_secret, token.digest, "sha256")', "key = boot_secret"),
    Check("a cookie's key is of this start", SESSIONS, 'key = hmac.digest(boot_secret, token.digest, "sha256")', "key = token.digest"),
    Check("a session ends with its token", SESSIONS, "return own if self.token.expires is None else min(own, self.token.expires)", "return own"),
    Check("a forgotten logout revives nobody", SESSIONS, "            floors[token_id] = max(floors.get(token_id, -1), entries.pop(oldest))", "            entries.pop(oldest)"),
    Check("a damaged list logs everybody out", SESSIONS, "max(self.until, self.floors.get(token_id, -1))", "self.floors.get(token_id, -1)"),
    Check("no script reads the cookie", SESSIONS, ', "HttpOnly"]', "]"),
    Check("the cookie comes from our site only", SESSIONS, '["SameSite=Lax", *', '["SameSite=None", *'),
    Check("a framed cookie is partitioned", SESSIONS, ', "Partitioned"]', "]"),
    Check("the cookie is of https alone", SESSIONS, '*(["Secure"] if secure else [])', ""),
    Check("the cookie's prefix", SESSIONS, 'return f"__Host-{name}" if', "return name if"),
    Check("a cookie for each role", SESSIONS, 'Role.VIEW: "vncview"', 'Role.VIEW: "vnc"'),
    Check("a cookie counts under its role's name", CREDENTIALS, "if access is not None and access.role is role:", "if access is not None:"),
    Check("control does not count where one watches", CREDENTIALS, "(Role.VIEW,) if watching else ", ""),
    Check("a cookie that does not count stays", CREDENTIALS, "stale=tuple(role for role in roles if came[role])", "stale=tuple(role for role in Role if cookie_values(request, _name(role, outside, context)))"),
    Check("the cookie's path", SESSIONS, 'f"Path={subpath}"', '"Path=/"'),
    Check("a ticket is used once", "gate/tickets.py", "        self._unspent.pop(key, None)", "        pass"),
    Check("a ticket is short-lived", "gate/tickets.py", "if ticket is None or ticket.until <= now:", "if ticket is None:"),
    Check("a ticket's token is in force", "gate/tickets.py", "    if token is None or token.role is not ticket.token.role or not token.is_live(now):", "    if False:"),
    Check("a ticket's session is not logged out", "gate/tickets.py", "(denied.holds(session) or session.ends <= now)", "session.ends <= now"),
    Check("a ticket's session is not over", "gate/tickets.py", "(denied.holds(session) or session.ends <= now)", "denied.holds(session)"),
    Check("a ticket prolongs no session", POLICY, "new_cookie(token, view, context, session)", "new_cookie(token, view, context)"),
    Check("nor does it in a frame", POLICY, "new_session(token, context, session)", "new_session(token, context)"),
    Check("a bound for tickets", "gate/tickets.py", "if len(own) >= limits.TICKETS:", "if False:"),
    Check("a bound for wrong tokens", "gate/failures.py", "return max(wait, 0.0)", "return 0.0"),
    Check("a bound for whom that remembers", "gate/failures.py", "if len(self._empty_at) > limits.FAILURE_PEERS:", "if False:"),
    Check("one household in IPv6", "gate/failures.py", "address)[:8].hex()", "address).hex()"),
)

FROM_WHERE = (
    Check("a cookie's WebSocket has an Origin of ours", HANDSHAKE, "if origin is None or not outside.origin_is_ours(origin, view, context.config):", "if False:"),
    Check("a cookie's WebSocket says its Origin", HANDSHAKE, "if origin is None or not outside", "if origin is not None and not outside"),
    Check("version 13", HANDSHAKE, ' or request.one("sec-websocket-version") != "13"', ""),
    Check("a whole key", HANDSHAKE, "        or not _is_key(key)\n", ""),
    Check("GET and HTTP/1.1", HANDSHAKE, '(request.method, request.version) != ("GET", "1.1")', "False"),
    Check("no subprotocol but ours", HANDSHAKE, "        or (protocols and chosen is None)\n", ""),
    Check("a list of subprotocols", HANDSHAKE, '        or not _is_list(request, "sec-websocket-protocol", SUBPROTOCOL)\n', ""),
    Check("a list of extensions", HANDSHAKE, '        or not _is_list(request, "sec-websocket-extensions", EXTENSION)\n', ""),
    Check("a bound for viewers", HANDSHAKE, "full = context.places[access.role] < 1", "full = False"),
    Check("guests are machines", HANDSHAKE, "if full and (access.carrier is not Carrier.BEARER or context.guests < 1):", "if full and context.guests < 1:"),
    Check("a bound for guests", HANDSHAKE, " or context.guests < 1):", "):"),
    Check("the Origin's host and port", OUTSIDE, "    return _same(authority, outside.authority, scheme)", "    return True"),
    Check("the Origin's port", OUTSIDE, "return (left[0], left[1] or default) == (right[0], right[1] or default)", "return left[0] == right[0]"),
    Check("the Origin's scheme", OUTSIDE, "    if outside.scheme not in {None, scheme}:\n        return False\n", ""),
    Check("an Origin is whole", OUTSIDE, "parts = ORIGIN.fullmatch(text)", "parts = ORIGIN.match(text)"),
    Check("an authority is whole", OUTSIDE, "parts = AUTHORITY.fullmatch(text)", "parts = AUTHORITY.match(text)"),
    Check("forwarded headers of proxies only", OUTSIDE, "trusted = _is_trusted(request.peer, config)", "trusted = True"),
    Check("the rightmost that is no proxy", OUTSIDE, "        if not _is_trusted(word, config):\n            break\n", ""),
    Check("the last forwarded scheme", OUTSIDE, "scheme = protos[-1].lower() if", "scheme = protos[0].lower() if"),
    Check("the last forwarded host", OUTSIDE, "host = forwarded[-1]", "host = forwarded[0]"),
    Check("a POST of another site", OUTSIDE, 'if request.one("sec-fetch-site") in {"cross-site", "same-site"}:', "if False:"),
    Check("a POST of another Origin", OUTSIDE, "    return len(origins) == 1 and origin_is_ours(origins[0], outside, config)", "    return True"),
    Check("a known host", OUTSIDE, 'return _is_localhost(host) or _address(host.strip("[]")) is not None', "return True"),
    Check("metrics and pictures need control", API, "if access.role is not Role.CONTROL:", "if False:"),
    Check("no token in an API's query", API, "if access.carrier is Carrier.QUERY:", "if False:"),
    Check("only the owner manages tokens", API, "owner = access.token is not None and access.token.name == OWNER", "owner = access.token is not None"),
    Check("an owner has control", API, " or access.role is not Role.CONTROL or access.carrier", " or access.carrier"),
    Check("no cookie manages tokens", API, " or access.carrier is not Carrier.BEARER:\n        return plain(context, 403)\n    which", ":\n        return plain(context, 403)\n    which"),
    Check("a cookie gets no token's link", API, "    if access.carrier is not Carrier.BEARER:\n        return plain(context, 403)\n    try", "    try"),
    Check("a cookie asks the API only from our page", API, "if access.carrier is Carrier.COOKIE and not", "if False and not"),
    Check("no page that hides its Origin asks the API", OUTSIDE, ' and not by_script):', "):"),
    Check("a ticket's life is bounded", API, "if seconds > limits.TICKET_SECONDS_AT_MOST:", "if False:"),
    Check("a link's base is an address", "gate/bodies.py", 'f"{public_url(given)}/"', 'f"{given}/"'),
)

PAGES = (
    Check("a policy on every answer", HEADERS, '        ("Content-Security-Policy", f"{csp}; frame-ancestors {ancestors}"),\n', ""),
    Check("no frame unless listed", HEADERS, "; frame-ancestors {ancestors}", ""),
    Check("no Referer", HEADERS, '        ("Referrer-Policy", "no-referrer"),\n', ""),
    Check("no guessing of types", HEADERS, '        ("X-Content-Type-Options", "nosniff"),\n', ""),
    Check("no use by other origins", HEADERS, '        ("Cross-Origin-Resource-Policy", "same-origin"),\n', ""),
    Check("no opener", HEADERS, '        headers.append(("Cross-Origin-Opener-Policy", "same-origin"))', "        pass"),
    Check("a page loads nothing from elsewhere", HEADERS, "f\"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data:; \"\n        \"connect-src 'self'; font", "f\"script-src {script}; style-src {style}; img-src 'self' data:; \"\n        \"connect-src 'self'; font"),
    Check("our page loads nothing from elsewhere", HEADERS, "f\"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data:; \"\n        \"connect-src 'self'; base-uri", "f\"script-src {script}; style-src {style}; img-src 'self' data:; \"\n        \"connect-src 'self'; base-uri"),
    Check("our page connects here only", HEADERS, "\"connect-src 'self'; base-uri", "\"connect-src *; base-uri"),
    Check("news for who asks", RELAY, "        if self._news is not None and not self._code:", "        if not self._code:"),
    Check("a page connects here only", HEADERS, "\"connect-src 'self'; font-src", "\"connect-src *; font-src"),
    Check("hashes for inline scripts", "gate/pages.py", 'csp = viewer_csp(inline_hashes(data, "script"),', 'csp = viewer_csp(["unsafe-inline"],'),
    Check("no link in the web folder", "gate/pages.py", "if not stat.S_ISREG(status.st_mode) or", "if"),
    Check("no link in a file's place", "gate/pages.py", " | os.O_NOFOLLOW", ""),
    Check("no pipe in a file's place", "gate/pages.py", " | os.O_NONBLOCK", ""),
    Check("no hidden file", "gate/pages.py", ' or name.startswith("."):', ":"),
    Check("no hidden folder", "gate/pages.py", '        folders[:] = [name for name in folders if not name.startswith(".")]\n', ""),
    Check("nothing private in a cache", "gate/answers.py", "    return (*headers.common(context.config), headers.TEXT, headers.NO_STORE)", "    return (*headers.common(context.config), headers.TEXT)"),
)

BOUNDS = (
    Check("a request has ten seconds", "gate/server.py", "        self._clock(limits.REQUEST_SECONDS, self._too_slow)\n        goner", "        goner"),
    Check("the next request too", "gate/server.py", "            self._clock(limits.REQUEST_SECONDS, self._too_slow)\n        self._unread", "        self._unread"),
    Check("a bound for strangers", "gate/server.py", "        goner = self._keeper.strangers.add(self)\n", "        goner = None\n"),
    Check("who is not yet read is not silent", "gate/channel.py", "self.silent and time.monotonic() - self._came > limits.SILENT_SECONDS", "self.silent"),
    Check("a newcomer is read before he makes room", "gate/life.py", "backlog=limits.ACCEPTS", "backlog=limits.BACKLOG"),
    Check("who has its answer makes room as the silent do", "gate/channel.py", "return self.idle or (", "return ("),
    Check("who has its answer gets no second one", "gate/server.py", "self.silent or self.idle or", "self.silent or"),
    Check("who is known is no stranger", KEEPER, "        self.strangers.remove(connection)\n        return", "        return"),
    Check("versions of HTTP", POLICY, "request.version not in VERSIONS or ", ""),
    Check("a bound for who is known", "gate/server.py", "            goner = self._keeper.greet(self)\n", "            goner = self._keeper.strangers.remove(self)\n"),
    Check("a bound for a head that is not whole", "gate/server.py", "max_incomplete_event_size=HEAD_BYTES", "max_incomplete_event_size=10**9"),
    Check("line ends are looked at", "gate/server.py", "        if not has_one_reading(head):", "        if False:"),
    Check("a ticket is spent before Xvnc is asked", "gate/server.py", "                    self._keeper.tickets.spend(decision.access.ticket)", "                    pass"),
    Check("arrivals are counted at once", "gate/server.py", "                self._keeper.arriving[self._arriving] += 1", "                pass"),
    Check("a token revoked meanwhile", "gate/server.py", "        self._keeper.look_at(viewer)\n", ""),
    Check("nothing is heard before that look", "gate/server.py", "        viewer.start(head)\n", "        viewer.start(head)\n        viewer.data_received(early)\n        early = b\"\"\n"),
    Check("an idle connection ends", "gate/channel.py", "        self._clock(limits.KEEP_ALIVE_SECONDS, self._rested)\n\n    def _rested", "\n    def _rested"),
    Check("an answer that nobody takes", "gate/channel.py", "        elif left:\n            self._transport.abort()", "        elif left:\n            pass"),
    Check("no reading while an answer waits", "gate/channel.py", "        self._full = True\n        self._transport.pause_reading()", "        pass"),
    Check("a bound after a refusal", "gate/channel.py", "        if self._lingered > limits.LINGER_BYTES:", "        if False:"),
    Check("an end after a refusal", "gate/channel.py", "        self._clock(limits.LINGER_SECONDS, self._transport.abort)\n", ""),
    Check("who goes is of the address with the most", "gate/limits.py", "goner = max(going, key=lambda each: many[self._address(each)])", "goner = going[0]"),
    Check("who does nothing goes first", "gate/limits.py", "[each for each in earlier if self._does_nothing(each)] or earlier", "earlier"),
    Check("a TLS handshake is a stranger", "gate/door.py", "        goner = self._keeper.strangers.add(self)\n", "        goner = None\n"),
    Check("a TLS handshake has ten seconds", "gate/door.py", "ssl_handshake_timeout=limits.REQUEST_SECONDS", "ssl_handshake_timeout=600"),
    Check("four dials at once", "gate/desk.py", "asyncio.Semaphore(limits.DIALS)", "asyncio.Semaphore(1000)"),
    Check("a dial has five seconds", "gate/desk.py", "asyncio.timeout(seconds)", "asyncio.timeout(None)"),
    Check("probes ask once a second", "gate/desk.py", "            if time.monotonic() - when < fresh:\n                return good\n", ""),
    Check("watchers leave places", "gate/company.py", "min(free, limits.WATCHERS - watching)", "free"),
    Check("no binary, no viewer", RELAY, "if frame.opcode is Opcode.TEXT:", "if False:"),
    Check("no shortcut inside a frame", "gate/shortcut.py", "self._inside or not", "not"),
    Check("a shortcut for whole binary frames alone", "gate/shortcut.py", "data[:2] != bytes((0x82, 0x80 | length))", "data[1] != 0x80 | length"),
    Check("no shortcut between fragments", RELAY, "None if self._fragments else self._shortcut.payload(data)", "self._shortcut.payload(data)"),
    Check("no shortcut after a goodbye", RELAY, "if message is not None and self._frames.state is State.OPEN:", "if message is not None:"),
    Check("a bound for a message", RELAY, "max_size=limits.MESSAGE_BYTES", "max_size=None"),
    Check("a bound for fragments", RELAY, "if len(self._fragments) > limits.FRAGMENTS:", "if False:"),
    Check("a bound for empty frames", RELAY, "if (control or not frame.data) and self._patience.too_many_empty_frames():", "if False:"),
    Check("a viewer that broke a rule is read no more", RELAY, "self._frames.fail(code, reason)", "self._frames.send_close(code, reason)"),
    Check("half-open is closed", RELAY, '        """Half-open is closed."""\n        return False', '        """Half-open is closed."""\n        return True'),
    Check("a bound for pongs", RELAY, "if self._browser.get_write_buffer_size() > limits.SEND_BUFFER_BYTES:", "if False:"),
    Check("who is held back hears of the end", RELAY, "        self._browser.resume_reading()  # it may", "        #"),
    Check("Xvnc is held back", RELAY, "        self._link.transport.pause_reading()", "        pass"),
    Check("the viewer is held back", RELAY, "        self._browser.pause_reading()", "        pass"),
    Check("the end of a token", RELAY, "if self.access.ends is not None and now >= self.access.ends:", "if False:"),
    Check("a dead viewer", RELAY, "        elif patience.dead:\n            self._browser.abort()\n", ""),
    Check("a silent viewer", RELAY, "elif not self.joined and patience.age >= limits.FIRST_MESSAGE_SECONDS:", "elif False:"),
    Check("a stalled viewer", RELAY, "elif patience.stalled(self._browser.get_write_buffer_size()):", "elif False:"),
    Check("a ping", RELAY, "elif not self._code and patience.ping_is_due():", "elif False:"),
    Check("a revoked token", RELAY, "        if access is None:", "        if access is None and token is not None:"),
    Check("a token of another role", "gate/access.py", "if token is None or token.role is not self.role:", "if token is None:"),
    Check("a guest does not stay", RELAY, "self.joined = not self.guest", "self.joined = True"),
    Check("Xvnc's side ends too", RELAY, '        self._say(f"{self.name}: closing with {code}, {reason}")\n        self._link.transport.abort()\n', '        self._say(f"{self.name}: closing with {code}, {reason}")\n'),
    Check("a lost viewer leaves Xvnc", RELAY, "GOING_AWAY  # nobody is left to tell\n        self._link.transport.abort()\n", "GOING_AWAY\n"),
)

RIGHTS_AND_SECRETS = (
    Check("a watcher enters by the view password", "gate/desk.py", "none_is_fine=control", "none_is_fine=True"),
    Check("no view password, no watcher", "gate/desk.py", '            raise DeskError("the RFB password file has no view password")', "            return None"),
    Check("None alone is offered", "rfb.py", "            if chosen != NONE:", "            if False:", UNIT),
    Check("one version", "rfb.py", "            if version != VERSION:\n                # RFC", "            if False:\n                # RFC", UNIT),
    Check("a bound for Xvnc's reasons", "rfb.py", "min(int.from_bytes(self._buffer[:4], \"big\"), MAX_REASON_BYTES)", "int.from_bytes(self._buffer[:4], \"big\")", UNIT),
    Check("nobody has the desktop alone", "programs.py", '        "-AlwaysShared",\n', "", UNIT),
    Check("nobody locks the others out", "programs.py", '        "-UseBlacklist=0",\n', "", UNIT),
    Check("no program changes Xvnc", "programs.py", '        "-AllowOverride=",\n', "", UNIT),
    Check("X asks for its cookie", "programs.py", '        *("-auth", place.path("Xauthority")),\n', "", UNIT),
    Check("no X over TCP", "programs.py", '        *("-nolisten", "tcp"),\n', "", UNIT),
    Check("no abstract X socket", "programs.py", '        *("-nolisten", "local"),\n', "", UNIT),
    Check("RFB on loopback alone", "programs.py", ', "-localhost"]', "]", UNIT),
    Check("no RFB over TCP beside a unix socket", "programs.py", 'listen = ["-rfbport", "-1", "-rfbunixpath",', 'listen = ["-rfbunixpath",', UNIT),
    Check("a logged-out viewer ends", KEEPER, "if session is not None and self._denied.holds(session):", "if False:"),
    Check("a logout outlives the gate", KEEPER, "            write_private(self._denied_path, self._denied.to_json().encode())", "            pass"),
    Check("revoked tokens end viewers", KEEPER, "        for viewer in tuple(self.viewers):\n            self.look_at(viewer)\n", "        pass\n"),
    Check("a bad token file counts for nothing", "gate/tokenset.py", "                    reason = str(error)", "                    reason, rows = str(error), ()"),
    Check("a bad token file holds up no other", "gate/tokenset.py", "                except TokensUnreadableError as error:\n", "                except TokensUnreadableError as error:\n                    return\n"),
    Check("a name or token stands once", "gate/tokenset.py", "            if _clash(found, rows):", "            if False:"),
    Check("old rows that clash go", "gate/tokenset.py", "rows = () if _clash(found, source.tokens) else source.tokens", "rows = source.tokens"),
    Check("a half-written file waits", "gate/tokenset.py", "return not _is_being_written(self._state, _state(self.path))", "return True"),
    Check("so does one that was just emptied", "gate/tokenset.py", "    if now[0] == before[0]:", "    if False:"),
    Check("a comment that is misread is an error", "tokenfile.py", "    if LOOKS_MEANT.search(line):", "    if False:", UNIT),
    Check("a view row leads nowhere", "tokenfile.py", "target if token.role is Role.CONTROL and not hide else NOWHERE", "target", UNIT),
    Check("a plain row is no watcher's", "tokenfile.py", "    if role is Role.CONTROL and target == NOWHERE and not is_hash:", "    if False:", UNIT),
    Check("a refused address hides its password", "errors.py", '    value = SECRET_IN_URL.sub("(hidden)", value)', "    pass", ("tests/unit/test_errors.py",)),
    Check("a token for deskgate alone", "visit.py", '    if not seen["ours"]:', "    if False:", ("tests/unit/test_visit.py",)),
    Check("a QR code of no given token", "banner.py", "    if plan.settings.vnc_qr and not why_no_qr(plan):", "    if plan.settings.vnc_qr:", ("tests/unit/test_banner.py",)),
    Check("no doubles in a token file", "tokenfile.py", "        if token.name in names:", "        if False:", UNIT),
    Check("tokens of a file are long", "tokenfile.py", "    if not is_hash and (problem := weakness(value, short=short)):", "    if False:", UNIT),
    Check("hashes hide tokens", "tokenfile.py", "value = hashed(token.value) if hide else token.value", "value = token.value", UNIT),
    Check("one change at a time", "tokenstore.py", "                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)", "                    pass", UNIT),
    Check("never a file that the gate refuses", "tokenstore.py", "                parse_rows(text, short=True)  # never", "                #", UNIT),
    Check("files are private", "files.py", "os.O_CLOEXEC, 0o600)", "os.O_CLOEXEC, 0o644)", UNIT),
    Check("links are not followed", "files.py", "    fresh.unlink(missing_ok=True)\n    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL", "    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT", UNIT),
    Check("the runtime folder is ours", "runtime.py", "    if about.st_uid != os.geteuid() and not _may_be_taken(folder):", "    if False:", UNIT),
    Check("root takes only where nobody else makes folders", "runtime.py", "os.geteuid() == 0 and private and", "os.geteuid() == 0 and", UNIT),
    Check("what the gate left is removed", "runtime.py", "if about.st_uid not in RESERVED or os.geteuid() != 0:", "if True:", UNIT),
    Check("no user's folder is made through a link", "runtime.py", "os.O_DIRECTORY | os.O_NOFOLLOW", "os.O_DIRECTORY", UNIT),
    Check("the desktop cannot replace the runtime folder", "runtime.py", "    if users and (weak := identity.may_replace(users.desktop, folder.parent)):", "    if users and (weak := None):", UNIT),
    Check("a link on the way can be replaced, too", "identity.py", "    ways = (path.absolute(), path.resolve())", "    ways = (path.resolve(),)", UNIT),
    Check("no link in a file's place is read", "files.py", "open_regular(str(path), os.O_NOFOLLOW)", "open_regular(str(path))", UNIT),
    Check("a bound for a file of ours", "files.py", "    if len(data) > OWN_BYTES:", "    if False:", UNIT),
    Check("what the gate reads is root's", "users.py", "    \"gate.json\": (\"root\", \"gate\", 0o640),", "    \"gate.json\": (\"gate\", \"\", 0o600),", UNIT),
    Check("a token is told to the gate alone", "probe.py", "    if uid not in {int(row[7]) for row in here}:", "    if False:", UNIT),
    Check("root takes only an empty folder", "runtime.py", "private and not any(folder.iterdir())", "private", UNIT),
    Check("the shared folder is sticky", "users.py", "SHARED_FOLDER_MODE: Final = 0o1771", "SHARED_FOLDER_MODE: Final = 0o771", UNIT),
    Check("tokens are the gate's alone", "users.py", '"websockify-tokens.conf": ("gate", "", 0o600)', '"websockify-tokens.conf": ("gate", "", 0o604)', UNIT),
    Check("a program runs as its user", "conductor/embed.py", "            become(user)\n        except OSError as error:\n            return", "            pass\n        except OSError as error:\n            return", UNIT),
    Check("groups go with the user", "identity.py", "    os.setgroups([user.gid, *user.groups])\n    os.setgid", "    os.setgid", UNIT),
    Check("gate and Xvnc gain nothing by setuid programs", "identity.py", "        memory.gain_nothing()", "        pass", UNIT),
    Check("the desktop is not the gate's user", "users.py", "        if given in RESERVED", "        if False", UNIT),
    Check("a secret file is a regular one", "files.py", "    if not stat.S_ISREG(os.fstat(handle).st_mode):", "    if False:", UNIT),
    Check("a log line is one line", "gate/log.py", "char if char.isprintable() else char", "char if True else char"),
    Check("a log line is short", "gate/log.py", 'text if len(text) <= LINE_CHARACTERS else text[:LINE_CHARACTERS] + "…"', "text"),
    Check("no core dump, no reading by the same uid", "memory.py", "ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)", "0", UNIT),
    Check("the gate locks its memory before the secret comes", "gate/__main__.py", "    if not memory.lock():", "    if False:"),
    Check("PID 1 answers root and its own user", "conductor/control.py", "        if not may_ask(door):", "        if False:", UNIT),
    Check("the control socket is private", "conductor/control.py", "os.umask(0o177)", "os.umask(0o022)", UNIT),
    Check("no stranger's folder is believed", "running.py", "if chosen or folder == runtime.RUN_FOLDER or folder.lstat().st_uid == os.getuid():", "if True:", UNIT),
    Check("nor by root", "running.py", 'glob("deskgate-*/status.json") if _is_its_owners(p.parent)', 'glob("deskgate-*/status.json")', UNIT),
    Check("tokens and start record change together", "tokenstore.py", "                then()  # before", "                #", UNIT),
    Check("few pictures at once", "gate/screenshot.py", "if keeper.snapping >= limits.SCREENSHOTS:", "if False:"),
    Check("an open desktop is asked for twice", "reading.py", '        if get("novnc_listen") not in ("127.0.0.1", "::1") and not get("vnc_auth_none"):', "        if False:", UNIT),
    Check("no drop-in in the place of ours", "dropins.py", '        if name in RESERVED | ours or name.startswith("start.d"):', "        if False:", UNIT),
    Check("no drop-in's values for all programs", "dropins.py", 'default_section=""', 'default_section="DEFAULT"', UNIT),
    Check("only root's drop-in is another user's", "dropins.py", "        if uid != self.ground.uid and not self.ground.root:", "        if False:", UNIT),
    Check("a drop-in's command is not told", "dropins.py", '"it" if key in ("command", "environment") else quote(text)', "quote(text)", UNIT),
    Check("nor what supervisord says of a drop-in", "conductor/sections.py", '    text = f"{where}supervisord cannot read it; look at its values"', "    text = message", UNIT),
    Check("no control character in a setting", "reading.py", "    if any(ord(char) < 32 or", "    if any(ord(char) < 0 or", UNIT),
    Check("secrets leave the environment", "surroundings.py", "if name not in secrets or name in kept", "if True", UNIT),
    Check("the watch link has its own token", "reading.py", '    if get("vnc_token") and get("vnc_token") == get("vnc_view_token"):', "    if False:", UNIT),
    Check("the health check sees an open gate", "health.py", "    if asks and GREETING in ask_greeting(record, None):", "    if False:", UNIT),
    Check("the health check sees a back door", "health.py", "    if bad := sorted(listening & doors - {record[\"port\"]}):", "    if bad := []:", UNIT),
)

LENT = (
    Check("a lender watches meanwhile", LOANS, "        if self.by(access.session):\n            return Role.VIEW\n", ""),
    Check("the role in Xvnc is that of now", HANDSHAKE, "role = context.loans.role_of(access)", "role = access.role"),
    Check("a role that changes ends a viewer", KEEPER, "        if self.loans.role_of(viewer.access) is not viewer.role:", "        if False:"),
    Check("a loan is to one session", LOANS, "(one.token.token_id, one.session_id) == (other.token.token_id, other.session_id)", "one.token.token_id == other.token.token_id"),
    Check("who borrowed cannot lend", LOANS, "if lender is None or lender.token.role is not Role.CONTROL or self.by(lender):", "if lender is None or self.by(lender):"),
    Check("control is lent once", LOANS, " or self.by(lender):", ":"),
    Check("one loan to each", LOANS, " or self.to(borrower):", ":"),
    Check("a bound for loans", LOANS, "        if len(self.each) >= limits.LOANS:", "        if False:"),
    Check("a loan ends with a logout", LOANS, "            if denied.holds(session):", "            if False:"),
    Check("a loan ends with a link", LOANS, "            if not _in_force(session, tokens, now):", "            if False:"),
    Check("a loan ends with its token's role", LOANS, "return same_role and now <", "return now <"),
    Check("a loan ends with its session", LOANS, " and now < replace(session, token=token).ends", ""),
    Check("a loan ends with nobody there", LOANS, "        if now - self.seen > limits.LOAN_AWAY_SECONDS:", "        if False:"),
    Check("loans are looked at before a decision", KEEPER, "        self._look_at_loans()\n        here = self.here()", "        here = self.here()"),
    Check("only who controls lends", SHARING, "    if access.role is not Role.CONTROL or access.session is None:", "    if access.session is None:"),
    Check("a loan is ended by its own", SHARING, "    if access.role is not Role.CONTROL and context.loans.to(access.session) != loan:", "    if False:"),
    Check("only the owner makes watch links", SHARING, "    if access.token.name != OWNER or access.role is not Role.CONTROL:", "    if access.role is not Role.CONTROL:"),
    Check("no owner by name alone makes watch links", SHARING, "    if access.token.name != OWNER or access.role is not Role.CONTROL:", "    if access.token.name != OWNER:"),
    Check("a page's link only watches", SHARING, "                role=Role.VIEW,", "                role=Role.CONTROL,"),
    Check("no row that controls is used again", SHARING, "(name in spare and not live[name])", "not live[name]"),
    Check("a page's link ends", SHARING, "        if seconds > limits.WATCH_LINK_SECONDS_AT_MOST:", "        if False:"),
    Check("a bound for pages' links", SHARING, "range(1, limits.WATCH_LINKS + 1)", "range(1, 999)"),
    Check("names are for who controls", "gate/company.py", "        if access.role is Role.VIEW:", "        if False:"),
)

CHECKS: tuple[Check, ...] = (*REQUESTS, *WHO, *FROM_WHERE, *PAGES, *BOUNDS, *RIGHTS_AND_SECRETS, *LENT)
