# Stand-in for nginx:stable: Debian's nginx with the real image's ways: sites are in conf.d alone, and
# the logs are the container's streams.
# parent: debian:trixie-slim
FROM deskgate-standin/debian-trixie-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends nginx-light \
 && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled/* \
 && ln -sf /dev/stdout /var/log/nginx/access.log \
 && ln -sf /dev/stderr /var/log/nginx/error.log
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
