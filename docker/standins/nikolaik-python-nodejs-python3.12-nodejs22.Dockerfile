# Stand-in for nikolaik/python-nodejs:python3.12-nodejs22: Debian's python3 and nodejs.
# parent: debian:trixie-slim
FROM deskgate-standin/debian-trixie-slim
# `python` exists in the real base, and /usr/local/bin is where it lives there.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends nodejs python3 python3-pip python3-pytest python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/bin/python3 /usr/local/bin/python
ENV LANG=C.UTF-8
CMD ["python3"]
