# Stand-in for caddy:2: Debian's Caddy with the real image's folders.
# parent: debian:trixie-slim
FROM deskgate-standin/debian-trixie-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends caddy \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /config/caddy /data/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
