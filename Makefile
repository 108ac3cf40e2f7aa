# Longer work is in docker/*, so that it also runs without make.
SERVICE ?= desktop
.DEFAULT_GOAL := help
.PHONY: help up down url logs images token test test-arm64 unit fuzz lint mutants bench soak chaos docs pictures lock wheel tags push feature sbom contract release-check clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## Build and start the desktop, wait until it works, print its links (SERVICE=python|java|golang)
	@docker/up $(SERVICE)

down: ## Stop and remove what `make up` started
	@docker compose --profile '*' --progress quiet down --remove-orphans --volumes

url: ## Print the links of the running desktop
	@docker/links $(SERVICE)

logs: ## Follow the desktop's output
	docker compose logs --follow $(SERVICE)

images: ## Build all variants
	@docker/build all

token: ## Make a token of your own in secrets/vnc_token, for VNC_TOKEN_FILE
	@docker/token

test: lint ## Install what is needed, check, build all variants, run every test (ARGS=… for pytest)
	@docker/prepare docker-registry podman catatonit $(if $(findstring exhaustive,$(ARGS)),npm) && docker/build
	@.venv/bin/python -m pytest $(ARGS)

test-arm64: lint ## Build the debian variant for arm64 and try it, under emulation if need be (20 minutes)
	@ARCH=arm64 docker/build debian
	@.venv/bin/python -m pytest tests/container/emulated.py $(ARGS)

unit: ## Run the tests that need no engine
	@docker/prepare
	@.venv/bin/python -m pytest tests/unit tests/fuzz $(ARGS)

fuzz: ## Look for inputs that break what takes a stranger's bytes (SECONDS=300)
	@docker/fuzz $(SECONDS)

lint: ## Check style, types, shell scripts and Dockerfiles
	@docker/prepare
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --check --quiet . && .venv/bin/hadolint docker/Dockerfile docker/standins/*.Dockerfile
	@.venv/bin/mypy --no-error-summary && shellcheck -x $$(grep -ls '^#!.*bash' docker/* .ci/*) features/src/*/install.sh

mutants: ## Remove each security check, one at a time, and see a test turn red (WORDS=…; 15 minutes)
	@docker/prepare
	@.venv/bin/python -m tests.mutants.run $(WORDS)

bench: ## Print the tables of benchmarks/, and draw their pictures (20 minutes)
	@docker/prepare socat xterm
	@PYTHONPATH=entrypoint .venv/bin/python -m benchmarks.relay
	@PYTHONPATH=entrypoint .venv/bin/python -m benchmarks.page
	@.venv/bin/python -m benchmarks.start && .venv/bin/python -m benchmarks.stop

soak: ## Let everything happen to a gate for SECONDS=300, and watch its memory
	@docker/prepare
	@PYTHONPATH=entrypoint .venv/bin/python -m benchmarks.soak --seconds $(or $(SECONDS),300)

chaos: ## Let faults befall a container for SECONDS=300, and see each healed (ARGS="--seed 7"; as root)
	@docker/prepare
	@docker/build debian
	@PYTHONPATH=entrypoint .venv/bin/python -m tests.chaos --seconds $(or $(SECONDS),300) $(ARGS)

docs: ## Write the generated pages of docs/, and build the site in dist/docs
	@docker/prepare
	@.venv/bin/python docs/generate.py && docker/docs

pictures: ## Take the pictures of README and docs anew
	@docker/prepare && docker/build debian python
	@.venv/bin/python -m pytest tests/browser/test_picture.py --update-screenshots

lock: ## Pin the newest allowed versions of what we depend on
	@docker/lock

wheel: ## Build dist/deskgate-*.whl
	@docker/prepare
	.venv/bin/python -m hatchling build -t wheel

tags: ## Print the tags that a push would give (REGISTRY=ghcr.io/me)
	@docker/push --dry-run

push: ## Push the images under all their tags to REGISTRY=ghcr.io/me, and join the architectures
	@docker/push $(ARGS)

feature: ## Publish the Dev Container Feature to REGISTRY=ghcr.io/me
	@docker/feature

sbom: ## Write what is in each image to dist/sbom (CycloneDX)
	@docker/sbom

contract: ## Hold the images to the contract with the kit, as people do with theirs (IMAGES=…)
	@docker/contract $(IMAGES)

release-check: ## Say what keeps this commit from being released, after building dist/ (ARGS=--before-tag)
	@docker/prepare
	@.venv/bin/python -m release.check $(ARGS)

clean: down ## Remove also the images, .venv and build files; `docker/engine stop` ends our engine
	@docker/clean
