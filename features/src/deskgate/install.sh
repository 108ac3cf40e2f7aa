#!/bin/sh
# Installs deskgate into a dev container's image: run by the tool that builds it, as root, with the
# options in the environment (https://containers.dev/implementors/features/).
set -eu

if ! command -v apt-get >/dev/null; then
    echo "deskgate: error: apt-get is missing: give the container a base of Debian or Ubuntu" >&2
    exit 66
fi
user=${_REMOTE_USER:-root}
settings="DESKTOP=$DESKTOP"
# Without a token only who is inside, such as the editor that forwards the port, may come in.
if [ "$PASSWORDLESS" = true ]; then settings="$settings VNC_AUTH=none NOVNC_LISTEN=127.0.0.1"; fi
package=deskgate
if [ "$VERSION" != latest ]; then package="$package==$VERSION"; fi

if ! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3-venv
fi
/usr/bin/python3 -m venv /opt/deskgate
/opt/deskgate/bin/pip install --disable-pip-version-check --no-cache-dir "$package"
/opt/deskgate/bin/deskgate install --desktop "$DESKTOP"

install -d -m 0700 -o "$user" /run/deskgate
install -d /usr/local/share/deskgate
# The container goes on when this ends, so the desktop is left behind. It runs as whom the editor's
# terminals run as: the links are theirs to read, and its programs start on it. Until then root runs
# what it names whole: PATH may begin with folders of theirs. An editor may have changed their id
# before the first start; later, a name in their folder may be of a file that is not theirs.
cat >/usr/local/share/deskgate/start <<START
#!/bin/sh
set -- env $settings deskgate run
if [ "\$(/usr/bin/id -u)" = 0 ] && [ "$user" != root ]; then
    if [ "\$(/usr/bin/stat --format %U /run/deskgate)" != "$user" ]; then
        /usr/bin/chown -R "$user:" /run/deskgate
    fi
    set -- /usr/sbin/runuser --user "$user" -- "\$@"
fi
/usr/bin/setsid "\$@" </dev/null &
START
# Whoever attaches at once may be faster than the desktop.
cat >/usr/local/share/deskgate/link <<'LINK'
#!/bin/sh
timeout 30 sh -c 'until deskgate health 2>/dev/null; do sleep 0.2; done'
exec deskgate url
LINK
chmod 755 /usr/local/share/deskgate/start /usr/local/share/deskgate/link
