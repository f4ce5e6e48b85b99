# Everything a person or CI runs. A recipe that needs more than three lines is a script in scripts/.

.DEFAULT_GOAL := help
.PHONY: help build demo up down all-up all-down infra-up logs native-up native-down traffic trace env test test-secured chaos fault kills soak bench-traces-away tutorial tutorial-check tutorial-render test-tutorial fuzz package semver sizes check fmt-check clippy doc deny shellcheck advisories tools clean-data

# What is said on the command line of make; a shell may have variables of these names for something else.
ARGS =
NAME =
SERVICE =
STEPS =
# What `make fuzz` runs: all targets unless one is named.
TARGET =
SECONDS_EACH = 600

# What a shell may have left that makes tools find or do something else.
unexport BASH_ENV CARGO_BUILD_TARGET CDPATH ENV GREP_OPTIONS POSIXLY_CORRECT
ifneq ($(TMPDIR),)
ifeq ($(wildcard $(TMPDIR)/.),)
$(warning TMPDIR is set to $(TMPDIR), which is no folder: it is ignored)
unexport TMPDIR
endif
endif
ifneq ($(CARGO_BUILD_TARGET),)
$(warning CARGO_BUILD_TARGET is set to $(CARGO_BUILD_TARGET), and ignored: what is built here is run here)
endif
# These change what is built, or whether it can be, so they are named.
BUILD_VARIABLES := $(filter RUSTFLAGS RUSTC% RUSTUP_TOOLCHAIN CARGO_BUILD_% CARGO_ENCODED_% CARGO_PROFILE_%,$(filter-out CARGO_BUILD_TARGET,$(.VARIABLES)))

# Scripts talk to this machine, which is behind no proxy; orderflow sees to that by itself.
COMMA := ,
NOT_PROXIED := $(or $(NO_PROXY),$(no_proxy))
export NO_PROXY := 127.0.0.1,localhost,::1$(if $(NOT_PROXIED),$(COMMA)$(NOT_PROXIED))
export no_proxy := $(NO_PROXY)

# The servers that the tests run on: embedded, native or containers; and the native ones that must be real.
export STACK ?= embedded
export STACK_REQUIRES ?=

ORDERFLOW := $(or $(CARGO_TARGET_DIR),$(CARGO_BUILD_TARGET_DIR),target)/debug/orderflow

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# exec: the command takes the shell's place, so that Ctrl-C and SIGTERM reach it and nothing outlives make.

demo: build ## Start everything, send a few orders, show the trace of one; ARGS=--once stops by itself
	@exec $(ORDERFLOW) demo $(ARGS)

up: build ## Start everything and keep it until Ctrl-C
	@exec $(ORDERFLOW) up $(ARGS)

down: $(ORDERFLOW) ## Stop what is running, also what a killed command left behind
	@exec $(ORDERFLOW) down $(ARGS)

all-up: ## Start everything in containers, with the real servers; ready for orders when it ends
	@scripts/containers.sh up

all-down: ## Remove the containers and their data; KEEP_DATA=1 keeps the data
	@scripts/containers.sh down

infra-up: ## Start the servers alone in containers, and print the settings for services from the editor
	@scripts/containers.sh infra

logs: ## Follow what the containers say; SERVICE=orders
	@scripts/containers.sh logs $(SERVICE)

native-up: build ## Start everything with the real servers as processes, no Docker; ready for orders when it ends
	@exec $(ORDERFLOW) up --servers native --detach $(ARGS)

native-down: down ## Stop what native-up has started

traffic: $(ORDERFLOW) ## Send orders and follow each to its end; ARGS="--orders 200"
	@exec $(ORDERFLOW) traffic $(ARGS)

trace: $(ORDERFLOW) ## Show the linked trace of one order; ARGS=<order id or trace id>
	@exec $(ORDERFLOW) trace $(ARGS)

env: $(ORDERFLOW) ## Print the addresses of what is running, as settings
	@exec $(ORDERFLOW) env $(ARGS)

build: ## Build everything; about three minutes the first time
	$(if $(BUILD_VARIABLES),@echo "of this shell$(COMMA) the build gets $(BUILD_VARIABLES)" >&2)
	@cargo build --workspace

$(ORDERFLOW):
	@cargo build --workspace

ifeq ($(STACK),embedded)
test: build ## Run all tests; STACK=native or containers: the suites that also run on the real servers
	cargo build --workspace --examples
	cargo test --workspace --exclude secured --doc
	cargo test --workspace --exclude secured --lib --bins --test '*'
else
test: build
	cargo test --workspace --test conformance --test contract
endif

test-secured: build ## Send one order over TLS and SASL everywhere; compiles an OpenSSL once. STACK=containers: through the images
ifeq ($(STACK),containers)
	docker compose --profile services build
endif
	STACK=$(if $(filter containers,$(STACK)),containers,native) cargo test --package secured --features tls

chaos: build ## Disturb each part in each way while customers order, and count the books; ARGS="--part kafka --list --help"
	@exec $(dir $(ORDERFLOW))chaos $(ARGS)

fault: $(ORDERFLOW) ## Make one thing go wrong in what runs, and show its trace; NAME=greylist, or none for the list
	@scripts/fault.sh $(abspath $(ORDERFLOW)) $(NAME)

kills: ## Kill `orderflow up` at fifty moments of its start, run and stop, and see that nothing is left; KILLS=50
	@ORDERFLOW_KILLS=$(or $(KILLS),50) cargo test -p orderflow --test command killed_at_any_moment -- --nocapture

soak: build ## Kill and start Kafka consumers under load for ten minutes; SOAK_SECONDS=60 ARGS="--brokers localhost:9092"
	@scripts/soak.sh $(abspath $(ORDERFLOW)) $(ARGS)

bench-traces-away: build ## Orders at full speed with the trace backend there and away, in turn; ORDERS=2000 PAIRS=3 STACK=native
	@scripts/traces-away.sh $(abspath $(ORDERFLOW))

tutorial: ## Make the branches of the tutorial, from 00-uninstrumented to 13-keep-it, from the commit that is checked out
	@cargo build --quiet --package tutorial
	@exec $(dir $(ORDERFLOW))tutorial branches

tutorial-check: build ## On a branch of the tutorial: say whether the next chapter is finished, or which edge is missing; CHAPTER=4
	@exec $(dir $(ORDERFLOW))tutorial check

tutorial-render: ## Write code and pictures into docs/tutorial
	@cargo build --quiet --package tutorial
	@exec $(dir $(ORDERFLOW))tutorial render

test-tutorial: build ## Build, test and run each step of the tutorial, and hold it against its chapter; STEPS="04-kafka 05-outbox"
	@exec $(dir $(ORDERFLOW))tutorial verify $(STEPS) $(ARGS)

fuzz: ## Feed hostile input to the parsers, ten minutes each; TARGET=sqs_request SECONDS_EACH=60
	@scripts/fuzz.sh $(SECONDS_EACH) $(TARGET)

package: ## Package what is published, and compile and run the programs of its READMEs against that
	@scripts/package.sh

semver: ## Whether the API of what is published changed as its version says, since SINCE=HEAD~1
	@command -v cargo-semver-checks >/dev/null || cargo install cargo-semver-checks --locked
	cargo semver-checks --package otel-carriers --package otel-messaging --all-features --baseline-rev $(or $(SINCE),HEAD~1)

sizes: ## Count the lines of each package, without its tests
	@scripts/sizes.sh

check: fmt-check clippy doc deny shellcheck ## Check format, lints, docs, dependencies and scripts

fmt-check: ## Check the format
	cargo fmt --all --check

clippy: ## Check the lints, warnings as errors
	cargo clippy --workspace --all-targets --all-features -- --deny warnings

doc: ## Build the API documentation, warnings as errors
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps

deny: tools ## Check the dependencies: duplicates, licences, sources
	cargo deny check bans licenses sources

advisories: tools ## Check the dependencies for known vulnerabilities; fetches a database
	cargo deny check advisories

shellcheck: tools ## Check the shell scripts
	scripts/shellcheck.sh

tools: ## Install what the checks need and this machine lacks
	@scripts/install-tools.sh

clean-data: ## Stop what is running and forget all orders, traces and mail
	@test ! -x $(ORDERFLOW) || $(ORDERFLOW) down
	rm -rf .orderflow
