# Stand-in for eclipse-temurin:17-jdk: Debian's OpenJDK 17 in the real base's place, with an
# entrypoint that, as the real one, ends in `exec "$@"`; it leaves a mark that tests look for.
# parent: debian:bookworm-slim
FROM deskgate-standin/debian-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends openjdk-17-jdk-headless \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /opt/java \
 && ln -s /usr/lib/jvm/java-17-openjdk-* /opt/java/openjdk
COPY --chmod=755 <<'SH' /__cacert_entrypoint.sh
#!/bin/sh
set -e
export DESKGATE_STANDIN_ENTRYPOINT=ran
exec "$@"
SH

ENV JAVA_HOME=/opt/java/openjdk \
    PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    JAVA_VERSION=jdk-17 LANG=C.UTF-8
ENTRYPOINT ["/__cacert_entrypoint.sh"]
CMD ["jshell"]
