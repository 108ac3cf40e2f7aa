# Stand-in for golang:1.21-bookworm: Go 1.21 of bookworm-backports in the real base's place.
# parent: debian:bookworm-slim
FROM deskgate-standin/debian-bookworm-slim
RUN sed -n 's/ bookworm main$/ bookworm-backports main/p' /etc/apt/sources.list >/etc/apt/sources.list.d/backports.list \
 && apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates golang-1.21-go/bookworm-backports golang-1.21-src/bookworm-backports \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/lib/go-1.21 /usr/local/go \
 && mkdir -p /go/bin /go/src && chmod -R 1777 /go
ENV GOLANG_VERSION=1.21 GOTOOLCHAIN=local GOPATH=/go PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /go
CMD ["bash"]
