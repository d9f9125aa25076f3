# What a developer or a new user types. `make serve` needs nothing but Swift on Debian 12: it installs, builds,
# fetches a model and serves it. Pass flags of the server by ARGS, as in: make serve ARGS="--port 8000 --dtype float32"
SHELL := /bin/bash
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/srt
MODEL ?= $(CACHE)/models/SmolLM2-135M-Instruct.Q4_1.gguf
FORMAT := swift format
FORMAT_OPTIONS := --configuration Config/swift-format.json --parallel --recursive Package.swift Sources Tests
ARGS ?=
MINUTES ?= 10

.PHONY: help deps build serve model test page-test check layout format walk chaos soak recovery hostile
.PHONY: bench bench-serving bench-accuracy bench-peers bench-streaming clients judges templates protos clean

help:  ## lists these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 22

deps:  ## installs the Debian packages that are missing
	@Config/install-packages.sh

build: deps  ## builds the server and its tests, optimized
	swift build -c release --build-tests

serve: deps $(MODEL)  ## builds the server, fetches a small model and serves it
	swift build -c release --product srt
	exec .build/release/srt launch_server --model-path "$(MODEL)" --served-model-name SmolLM2-135M-Instruct $(ARGS)

model: $(MODEL)  ## fetches the small model into the cache

$(CACHE)/models/%.gguf: | deps
	@Config/fetch-model.sh "$@"

# Tests that talk over sockets and those that compute go one after the other: a server inside the test process has to wait
# for the same few threads on which the others compute, longer than its clients do.
# Tests of child processes go with them: tests that expect a process of their own to end see none of them wait to be reaped.
TESTS := swift test -c release --skip-build --disable-xctest
SOCKET_TESTS := ^(HTTPFrontTests|EndToEndTests|SupervisorTests|OperatorTests)\.

test: build  ## runs all tests, or with ARGS="--filter NAME" some
ifeq ($(ARGS),)
	$(TESTS) --skip '$(SOCKET_TESTS)'
	$(TESTS) --filter '$(SOCKET_TESTS)'
else
	$(TESTS) $(ARGS)
endif

page-test:  ## installs Chromium (once) and uses the page in it; ARGS="NAME --pictures FOLDER" picks tests and takes screenshots
	@Config/install-packages.sh chromium fonts-liberation
	swift build -c release --product srt
	python3 Tests/WebPage/page_test.py .build/release/srt $(ARGS)

check: deps  ## format, imports, lengths of files
	$(FORMAT) lint --strict $(FORMAT_OPTIONS)
	@python3 Config/imports.py check

layout:  ## draws the imports and the sizes of all targets into Docs/Layout.md, after Package.swift was changed
	@python3 Config/imports.py draw

format:  ## formats all Swift, and all C where clang-format is installed
	$(FORMAT) --in-place $(FORMAT_OPTIONS)
	@if command -v clang-format >/dev/null; then \
	    find Sources -name '*.[ch]' -exec clang-format --style=file:Config/clang-format -i {} +; fi

bench: deps  ## measures this machine and models on it; ARGS names more models and options
	swift build -c release --product srt
	.build/release/srt bench offline Config/bench/qwen2.5-0.5b $(wildcard $(MODEL)) $(ARGS)

bench-serving: deps  ## sends a load to the server that runs on port 30000; ARGS has options
	swift build -c release --product srt
	.build/release/srt bench serving $(ARGS)

bench-accuracy: deps $(MODEL)  ## perplexity of the small model, and its agreement with bfloat16; ARGS has options
	swift build -c release --product srt
	.build/release/srt bench accuracy "$(MODEL)" --text Config/bench/northanger-abbey.txt $(ARGS)

bench-peers: deps $(MODEL)  ## installs llama.cpp and OpenVINO (half an hour, once) and compares them with srt
	swift build -c release --product srt
	Config/bench/peers/install.sh "$(CACHE)/peers" llama.cpp openvino
	"$(CACHE)/peers/openvino/bin/python" Config/bench/peers/models.py "$(CACHE)/peers" "$(MODEL)" \
	    Config/bench/qwen2.5-0.5b
	python3 Config/bench/peers/compare.py --srt .build/release/srt --cache "$(CACHE)/peers" $(ARGS)

bench-streaming: deps  ## what streaming costs the front: chunks a second on one core, what it adds to the first
	swift build -c release --product srt
	Config/bench/streaming_cost.py

# Programs of others against real servers.
clients: deps $(MODEL)  ## runs the openai, anthropic, ollama, LiteLLM and LangChain packages; ARGS="WORD" runs some cases
	swift build -c release --product srt
	MODEL="$(MODEL)" "$$(Config/clients/install.sh "$(CACHE)" clients)/bin/python" Config/clients/run.py $(ARGS)

judges: deps  ## lm-eval, SGLang's benchmark and its two gateways; MODEL_PATH names a model folder
	swift build -c release --product srt
	export MODEL="$(or $(MODEL_PATH),$(CURDIR)/Tests/Fixtures/llama-tied)"; \
	    judges=$$(Config/clients/install.sh "$(CACHE)" judges) && export PATH="$$judges/bin:$$PATH" && \
	    python3 Config/clients/lm_eval_agreement.py && python3 Config/clients/bench_sglang.py && \
	    python3 Config/clients/gateways.py

templates: build  ## renders the chat templates that others published as transformers does
	python=$$(Config/clients/install.sh "$(CACHE)" templates)/bin/python && \
	    $$python Tests/ChatTemplatesTests/fetch_templates.py "$(CACHE)/templates" && \
	    $$python Tests/ChatTemplatesTests/make_template_goldens.py "$(CACHE)/templates" "$(CACHE)/templates/goldens.json"
	SRT_TEMPLATE_CACHE="$(CACHE)/templates" $(TESTS) --filter '^ChatTemplatesTests\.GoldenTests'

walk: deps  ## walks SGLang's page of native endpoints with tiny models; ARGS names real ones
	swift build -c release --product srt
	python3 Tests/EndToEndTests/walk_native_api.py --srt .build/release/srt $(ARGS)

# Faults at length, on MODEL_PATH or else on a tiny model.
FAULTS := $(TESTS) --filter
export SRT_CHAOS_MODEL := $(MODEL_PATH)
export SRT_CHAOS_LOAD := $(LOAD)
export SRT_CHAOS_FLAGS := $(FLAGS)

chaos: build  ## kills processes at random for MINUTES (10) under load, the front too with FRONT=1; LOAD=embeddings, ranks, calls or grammars; MODEL_PATH names a model, FLAGS more flags
	SRT_CHAOS_MINUTES=$(MINUTES) SRT_CHAOS_FRONT=$(FRONT) $(FAULTS) ChaosTests

soak: build  ## works for MINUTES with a kill a minute and prints how the memory of each process develops
	SRT_SOAK_MINUTES=$(MINUTES) $(FAULTS) SoakTests

recovery: build  ## kills each process 50 times and prints how long it takes until it is ready again
	SRT_RECOVERY_KILLS=50 $(FAULTS) RecoveryTests

hostile: build  ## 2,000 slow clients and 200 that do not read beside 32 good ones
	SRT_HOSTILE_CLIENTS=1 $(FAULTS) HostileClientTests

protos:  ## generates Swift from the message definitions, after they were changed
	@Config/generate-protos.sh

clean:  ## removes what was built, not what was fetched
	rm -rf .build
