# i3bench: every task of the project. It needs Go, make and git; what else a target uses it fetches, or says is missing.
# Values in capitals may be set on the command line: make fuzz FUZZTIME=10m

GO        ?= go
FUZZTIME  ?= 60s
BENCHTIME ?= 1s
FLOOR     ?= 80
OPS       ?= 1e9
MEMBERS   ?= 100000
HOLD      ?= 5m
SEEDS     ?= 5000
RESULT    ?= bench-out/latest
ROUNDS    ?= 3
PROCESSES ?= 16384 65536 1048576
SIZES     ?= 1e3 1e5 1e6 1e7
FANS      ?= 8 64
FROM      ?=
OBJECTIVES ?=
V         ?= 0
# Where tests keep what they made for people to look at, such as screenshots.
ARTIFACTS ?=
# What make gate compares the folder with, the rows whose change is wanted (a regular expression), a file to append the
# Markdown summary to, and whether it fails, too, where it cannot tell.
BASE      ?= HEAD
ACCEPT    ?=
SUMMARY   ?=
STRICT    ?= 0
DIRS      ?= $(filter-out bench-out/latest/,$(sort $(wildcard bench-out/*/)))
# How long each row of delivery takes, of which there are 27 for each number of receivers in a round.
DELIVERTIME ?= 0.3s

# The packages whose coverage has a floor, and those whose tests count towards it.
COVERED    = i3bench/i3 i3bench/i3/node i3bench/i3/host i3bench/i3/multicast
COVERED_BY = ./i3/...
MICRO      = ./asm ./matcher/... ./replicate ./i3/... ./sim/...

empty :=
space := $(empty) $(empty)
comma := ,

# The core library of ns-3 by the name it has here: -lns3-core, or with a version in it.
NS3_CORE = $(firstword $(patsubst lib%.so,-l%,$(notdir \
	$(wildcard $(foreach d,/usr/lib/* /usr/lib /usr/lib64 /usr/local/lib,$(d)/libns3*-core*.so)))))

# What the tables of others are in, by the names of pkg-config; the last of several values of -march counts.
TABLES = libdpdk absl_flat_hash_map

# Stamp the commit into the binary where there is one to read; git refuses in a folder that belongs to somebody else.
VCS    = $(if $(shell git rev-parse HEAD 2>/dev/null),auto,false)
BUILD  = $(GO) build -buildvcs=$(VCS)
# The house's own tools, which need nothing but the standard library.
HOUSE  = $(GO) build -buildvcs=false -o bin/ ./internal/tools/...
REPORT = bin/testreport $(if $(filter 1,$(V)),-v) --
TOOL   = $(GO) tool -modfile=tools/go.mod

.PHONY: help build bench bench-smoke find find-repeats hold deliver sim sim-smoke micro-report million simdoc \
	plan-defaults readme reference generate test race purego arm64 lint tidy fmt vuln pages fuzz fuzz-list \
	fuzz-smoke soak model ring attacks huge cover micro peer-ns3 peers peer-tables tables delivery sql \
	compare gate gate-proof history canary ci clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

build: ## Build cmd/bench and cmd/analyze into bin/
	$(BUILD) -o bin/ ./cmd/...

bench: build ## The main job, a tour of everything in 90 seconds; results and report in bench-out/
	bin/bench

bench-smoke: build ## The main job in its shortest form; on a busy machine it may be INVALID
	bin/bench tour --quick || test $$? = 4

find: build ## The largest rate that meets objectives, three minutes; OBJECTIVES="join.p99<250ms" names others
	bin/bench find $(OBJECTIVES:%=--objective '%')

find-repeats: ## Five searches as of find, their trials in turn: whether they agree on a rate; ten minutes
	$(GO) test ./experiments -run TestRepeatedSearchesAgree -repeats 5 -count 1 -v -timeout 30m

hold: build ## 100,000 members in one process against nodes in another for five minutes; MEMBERS=1000 HOLD=10s is short
	bin/bench hold --members $(MEMBERS) --for $(HOLD)

deliver: build ## Delivery: 64 receivers, 10,000 packets with loss; each must arrive exactly once
	bin/bench deliver

sim: build ## The paper's simulations, every figure and table of section 6, about 10 minutes
	bin/bench sim

sim-smoke: build ## The simulations in their shortest form, without the sockets
	bin/bench sim --rows tree,recovery,cluster,wan --seeds 2 --large-seeds 1 --sizes 16,64,256 --servers 1024 \
		--packets 40 --others C-M

micro-report: build ## What look-ups and copies cost, three minutes; FROM="bin/tables.txt bin/delivery.txt" adds others
	bin/bench micro $(FROM:%=--from %)

million: build ## 1,048,576 receivers: join, then a minute of refreshes and a packet a second; up to 20 minutes
	bin/bench sim --rows scale

simdoc: sim ## Run the simulations and rewrite their figures in docs/simulator.md and README.md
	bin/analyze readme $(RESULT) --file docs/simulator.md
	bin/analyze readme $(RESULT) --file README.md --block simulations

# Simulated groups whose figures bench plan comes with.
PLANSIM = bin/bench sim --nets A-M --others powerlaw
THREE   = --seeds 3 --large-seeds 3
PLANNED = nodes large losses wide narrow paper copies self

plan-defaults: build ## Measure and simulate anew what bench plan comes with, five minutes on idle cores
	rm -rf bin/plan
	$(PLANSIM) --rows nodes --sizes 256,1024 --seeds 5 --large-seeds 5 --variants relays --out bin/plan/nodes
	$(PLANSIM) --rows nodes --sizes 4096 $(THREE) --variants relays --out bin/plan/large
	$(PLANSIM) --rows recovery --sizes 64,256,1024 $(THREE) --out bin/plan/losses
	$(PLANSIM) --rows nodes,recovery --sizes 64,256,1024 $(THREE) --variants relays --degree 16 --out bin/plan/wide
	$(PLANSIM) --rows nodes,recovery --sizes 64,256,1024 $(THREE) --variants relays --degree 4 --out bin/plan/narrow
	$(PLANSIM) --rows nodes --sizes 256,1024 $(THREE) --variants paper --out bin/plan/paper
	bin/bench micro --parts copies --fans 1,8,64 --time 0.1s --out bin/plan/copies
	bin/bench plan --self --rounds 5 --out bin/plan/self
	bin/bench plan $(PLANNED:%=--from bin/plan/%) --save loadgen/plan/defaults.json

readme: bench ## Run the main job and rewrite the figures in README.md from its result
	bin/analyze readme $(RESULT) --file README.md

reference: build ## Run the main job on a quiet machine and keep its report in reports/reference and README.md
	rm -rf bin/reference
	bin/bench --out bin/reference
	bin/analyze reference bin/reference --to reports/reference
	bin/analyze readme bin/reference --file README.md --block glance

generate: ## Write the assembly of ./asm again from its generator
	$(GO) -C asm/_gen run . -dir ..

test: ## Every test, not from the cache; V=1 shows what each test says
	@$(HOUSE)
	$(if $(ARTIFACTS),mkdir -p $(ARTIFACTS))
	$(REPORT) -count=1 -timeout=15m $(if $(ARTIFACTS),-artifacts -outputdir=$(abspath $(ARTIFACTS))) ./...

pages: ## Open the report and the live page in Chromium; screenshots in bin/pages
	@mkdir -p bin/pages
	$(GO) test -count=1 -run 'InBrowser|InPrint' -artifacts -outputdir=$(abspath bin/pages) ./reports ./cmd/bench
	@find bin/pages/_artifacts -type f -exec mv -f {} bin/pages/ \; && rm -r bin/pages/_artifacts && ls bin/pages

race: ## Tests under the race detector (needs a C compiler), without the long scenarios
	@$(HOUSE)
	CGO_ENABLED=1 $(REPORT) -race -short -count=1 -timeout=15m ./...

purego: ## Tests of the portable build, without assembly and without the long scenarios, up to the simulator
	@$(HOUSE)
	$(GO) vet -tags=purego ./...
	$(REPORT) -tags=purego -short -count=1 -timeout=15m ./asm ./matcher/... ./replicate/... ./i3/... ./sim/... ./testbed

arm64: ## Tests of ./asm for arm64 under emulation (needs qemu-aarch64-static)
	@if ! command -v qemu-aarch64-static >/dev/null; then \
		echo "arm64: no qemu-aarch64-static: apt-get install qemu-user-static brings it" >&2; exit 1; fi
	@mkdir -p bin
	GOARCH=arm64 $(GO) vet ./asm
	GOARCH=arm64 $(GO) test -c -o bin/asm-arm64.test ./asm
	cd asm && qemu-aarch64-static ../bin/asm-arm64.test $(if $(filter 1,$(V)),-test.v)

lint: ## gofmt, go vet, staticcheck, go.mod, the rules of internal/tidy, and that generated files are up to date
	@files=$$(gofmt -l .) || exit 1; if [ -n "$$files" ]; then echo "gofmt would change:" $$files; exit 1; fi
	@for f in .ci/run .ci/prepare; do bash -n $$f || exit 1; done
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) -C matcher/peer vet ./...
	$(GO) -C matcher/peer tool -modfile=../../tools/go.mod staticcheck ./...
	$(GO) -C matcher/peer mod tidy -diff
	$(GO) -C replicate/peer vet ./...
	$(GO) -C replicate/peer tool -modfile=../../tools/go.mod staticcheck ./...
	$(GO) -C replicate/peer mod tidy -diff
	$(GO) -C reports/sql/peer mod tidy -diff
	$(GO) test -count=1 ./internal/tidy
	$(GO) -C asm/_gen vet .
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && $(GO) -C asm/_gen run . -dir "$$dir" && \
		for file in "$$dir"/*; do diff -u "asm/$${file##*/}" "$$file" || { \
			echo "lint: asm/$${file##*/} is not what asm/_gen writes: make generate" >&2; exit 1; }; done

fmt: ## Format every Go file with gofumpt
	$(TOOL) gofumpt -l -w .

vuln: ## Look for known vulnerabilities that the code can reach (asks vuln.go.dev)
	$(TOOL) govulncheck ./...

fuzz: ## Fuzz every target for FUZZTIME each (60s), one after the other
	@$(HOUSE)
	bin/fuzzall -time=$(FUZZTIME)

fuzz-smoke: ## Fuzz every target for 3 seconds
	@$(HOUSE)
	bin/fuzzall -time=3s

fuzz-list: ## List the fuzz targets
	@$(GO) run ./internal/tools/fuzzall -list

soak: ## OPS operations (1e9, some ten minutes) on the matcher against an oracle, shared by the kernels
	I3BENCH_OPS=$(OPS) $(GO) test -count=1 -timeout=3h -run '^TestSoak$$' -v ./matcher

model: ## Every order of events on small rings, and SEEDS (5000) larger ones with churn: some forty minutes
	I3BENCH_MODEL=1 I3BENCH_SEEDS=$(SEEDS) $(GO) test -count=1 -timeout=3h -v \
		-run '^Test(Model|Churn|Kills)$$' ./i3/chord

ring: ## 64 nodes as processes: a quarter killed at once, then one a second for a minute; two minutes
	I3BENCH_RING=64 $(GO) test -count=1 -timeout=15m -run '^TestRingOfProcesses$$' -v ./cmd/bench

attacks: ## The attacks on nodes, rings and groups in full: 1e6 graphs, 1e6 forgeries, 1e7 inserts; some minutes
	I3BENCH_ATTACKS=1 $(GO) test -count=1 -timeout=3h -v -run '^TestAttack' ./i3/node ./i3/chord ./i3/multicast

huge: ## The matcher and its limit at 1e8 entries: takes 12 GB and some minutes
	I3BENCH_HUGE=1 $(GO) test -run='^$$' -bench='Huge' -benchtime=$(BENCHTIME) -timeout=1h ./matcher

cover: ## Coverage of i3, node, host and multicast, each at least FLOOR percent (80)
	@$(HOUSE)
	$(GO) test -count=1 -timeout=15m -coverprofile=bin/cover.out \
		-coverpkg=$(subst $(space),$(comma),$(COVERED)) $(COVERED_BY)
	bin/coverfloor -floor=$(FLOOR) -profile=bin/cover.out $(COVERED)

micro: ## Micro-benchmarks of the matcher and the protocol: make micro > new.txt
	@$(GO) test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) $(MICRO)

peer-ns3: ## Build the engine's peer on ns-3 (needs libns3-dev and a C++ compiler)
	@if [ -z "$(NS3_CORE)" ] || ! command -v $(CXX) >/dev/null; then \
		echo "peer-ns3: no core library of ns-3 or no $(CXX): apt-get install libns3-dev brings both" >&2; exit 1; fi
	@mkdir -p bin
	$(CXX) -O3 -std=c++17 -Wall -o bin/peer-ns3 sim/peer/ns3/hold.cc $(NS3_CORE)

peers: peer-ns3 ## The engine, a heap and ns-3 in turn, ROUNDS times (3); ends with the ratios
	@$(GO) test -c -o bin/sim.test ./sim
	@rm -f bin/peers.txt
	@for round in $$(seq $(ROUNDS)); do for n in $(PROCESSES); do \
		(cd sim && \
			../bin/sim.test -test.run='^$$' -test.bench="Engine/processes=$$n/" -test.benchtime=$(BENCHTIME)) && \
		bin/peer-ns3 -time $(BENCHTIME:s=) $$n || exit 1; done; done | tee bin/peers.txt
	@awk -f sim/peer/ratio.awk bin/peers.txt

peer-tables: ## Build the table's peers in C and C++ (needs libdpdk-dev, libabsl-dev, pkg-config and a C++ compiler)
	@if ! command -v $(CXX) >/dev/null || ! pkg-config --exists $(TABLES); then \
		echo "peer-tables: no $(CXX), or no pkg-config that knows $(TABLES):" \
			"apt-get install g++ pkg-config libdpdk-dev libabsl-dev" >&2; exit 1; fi
	@mkdir -p bin
	$(CXX) -O3 -std=c++17 -Wall -o bin/peer-tables matcher/peer/tables/tables.cc \
		$$(pkg-config --cflags --libs $(TABLES)) -march=native

tables: peer-tables ## The table, its limit and its peers in turn, ROUNDS times (3), for SIZES; ends with the ratios
	@$(HOUSE)
	@$(GO) test -c -o bin/matcher.test ./matcher
	@$(GO) -C matcher/peer test -c -o ../../bin/peer.test .
	@rm -f bin/tables.txt bin/tables.failed
	@for round in $$(seq $(ROUNDS)); do for n in $(SIZES); do \
		bin/matcher.test -test.run='^$$' -test.benchtime=$(BENCHTIME) \
			-test.bench="^Benchmark(Match|Limit)$$/^n=$$n$$|^BenchmarkPeer$$/./^n=$$n$$" && \
		bin/peer.test -test.run='^$$' -test.benchtime=$(BENCHTIME) -test.bench="^BenchmarkPeer$$/./^n=$$n$$" && \
		bin/peer-tables -time $(BENCHTIME:s=) -n $$n || { touch bin/tables.failed; exit 1; }; \
	done; done | tee bin/tables.txt
	@test ! -e bin/tables.failed
	@bin/tableratio bin/tables.txt

delivery: ## The data path, its limit in C and its peers in turn, a minute a round; ROUNDS (3); ends with ratios
	@$(HOUSE)
	@$(GO) test -c -o bin/cluster.test ./cluster
	@$(GO) test -c -o bin/udp.test ./replicate/udp
	@$(GO) -C replicate/peer test -c -o ../../bin/delivery.test .
	@rm -f bin/delivery.txt bin/delivery.failed
	@for round in $$(seq $(ROUNDS)); do for fan in $(FANS); do \
		for job in bin/cluster.test=/.*/.* bin/cluster.test=/.* bin/delivery.test=; do \
			$${job%%=*} -test.run='^$$' -test.benchtime=$(DELIVERTIME) \
				-test.bench="^BenchmarkDelivery$$/^what$${job#*=}/^fan=$$fan$$/^size=(64|512|1200)$$" || exit 1; \
		done; done && \
		(cd replicate/udp && ../../bin/udp.test -test.run='^$$' -test.bench='^BenchmarkLimit$$' -test.benchtime=3x) || \
		{ touch bin/delivery.failed; exit 1; }; \
	done | tee bin/delivery.txt
	@test ! -e bin/delivery.failed
	@bin/deliveryratio bin/delivery.txt

sql: export CGO_ENABLED = 1
sql: ## The queries of reports/sql in DuckDB, against the report's own figures (needs a C++ compiler)
	$(GO) -C reports/sql/peer vet ./...
	$(GO) -C reports/sql/peer tool -modfile=../../../tools/go.mod staticcheck ./...
	$(GO) -C reports/sql/peer test -count=1 -v ./...

compare: build ## Compare two files of benchmark results, or result directories: make compare OLD=... NEW=...
	bin/analyze compare $(OLD) $(NEW)

# What is judged: of several rows of a benchmark that say the same, one. Processor time, since neighbours on the machine
# take the other from programs that only compute.
GATED = ^cpu-ns/|^allocs/op$$|^sim-

gate: ROUNDS = 12
gate: BENCHTIME = 30ms
gate: MEASURE = bin/interleave -base '$(BASE)' -rounds $(ROUNDS) -benchtime $(BENCHTIME)
gate: build ## Measure this folder and the commit BASE (HEAD) in turns, ROUNDS times (12), and fail if this is worse
	@$(HOUSE)
	$(MEASURE) -out bin/gate
	@bin/analyze gate bin/gate/old.txt bin/gate/new.txt --units '$(GATED)' --again "$(MEASURE) -out bin/gate/again" \
		--confirm-old bin/gate/again/old.txt --confirm-new bin/gate/again/new.txt \
		$(if $(ACCEPT),--accept '$(ACCEPT)') $(if $(SUMMARY),--summary '$(SUMMARY)') || \
		{ code=$$?; test $$code = 3 && test '$(STRICT)' != 1 || exit $$code; }

gate-proof: build ## Prove the gate: 25 times HEAD against itself, a slower look-up, and a message more; eight minutes
	@$(HOUSE)
	bin/interleave -plant none -set lookup -rounds 30 -benchtime 20ms -repeat 26 -within 15m -out bin/proof/none
	@for n in $$(seq 25); do echo "equals, $$n:"; bin/analyze gate bin/proof/none/$$n/old.txt bin/proof/none/$$n/new.txt \
		--units '$(GATED)' --confirm-old bin/proof/none/$$((n+1))/old.txt \
		--confirm-new bin/proof/none/$$((n+1))/new.txt | tail -n 1; done | tee bin/proof/none.txt
	@! grep -q REGRESSION bin/proof/none.txt && test $$(grep -c ' rows, ' bin/proof/none.txt) = 25
	bin/interleave -plant slower-lookup -set lookup -rounds 30 -benchtime 20ms -repeat 2 -out bin/proof/slower
	bin/analyze gate bin/proof/slower/1/old.txt bin/proof/slower/1/new.txt --units '$(GATED)' \
		--confirm-old bin/proof/slower/2/old.txt --confirm-new bin/proof/slower/2/new.txt; test $$? = 1
	bin/interleave -plant extra-message -set counts -rounds 2 -out bin/proof/message
	bin/analyze gate bin/proof/message/old.txt bin/proof/message/new.txt --units '$(GATED)'; test $$? = 1

history: build ## Rows of the result directories DIRS (all of bench-out) over time, and where they changed
	bin/analyze history $(DIRS) --html bin/history.html
	@echo "charts: bin/history.html"

canary: ## Prove that a failing test, a data race and a forbidden skip each turn a run red
	@$(HOUSE)
	@sh internal/canary/canary.sh

ci: ## What the project's CI runs: every row above that can fail, with a table at the end
	bash .ci/run

clean: ## Remove what builds and runs leave behind
	rm -rf bin bench-out
	$(GO) clean -testcache
