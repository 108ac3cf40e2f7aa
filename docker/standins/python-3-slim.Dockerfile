# Stand-in for python:3-slim: Debian's python3 under the real image's names.
# parent: debian:trixie-slim
FROM deskgate-standin/debian-trixie-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/bin/python3 /usr/local/bin/python
ENV LANG=C.UTF-8
CMD ["python3"]
