#!/bin/sh
# Runs the tests that must fail and checks how they are reported. It passes when each is reported as it should be.
set -u

tried=0
wrong=0

# expect CODE LINE ARGUMENTS...: the report of go test must end with that exit code and hold that line.
expect() {
	code=$1 line=$2
	shift 2
	output=$(bin/testreport -- -tags=canary -count=1 "$@" ./internal/canary 2>&1)
	got=$?
	tried=$((tried + 1))
	if [ "$got" -eq "$code" ] && printf '%s\n' "$output" | grep -q "^$line"; then
		echo "canary: go test $*: reported as it should be: $line"
	else
		wrong=$((wrong + 1))
		echo "canary: go test $*: exit code $got, want $code and a line with: $line"
		printf '%s\n' "$output" | sed 's/^/    /'
	fi
}

unset I3BENCH_NO_SKIP
expect 1 '0 passed, 1 failed, 0 skipped' -run=Fails
expect 0 '0 passed, 0 failed, 1 skipped' -run=Skips
expect 0 '1 passed, 0 failed, 0 skipped' -run=Races
expect 2 'testreport: no test ran' -run=NoSuchTest

I3BENCH_NO_SKIP=1
export I3BENCH_NO_SKIP
expect 3 '0 passed, 0 failed, 1 skipped' -run=Skips

if command -v "$(go env CC)" >/dev/null 2>&1; then
	CGO_ENABLED=1
	export CGO_ENABLED
	expect 1 '0 passed, 1 failed, 0 skipped' -race -run=Races
else
	echo "canary: no C compiler, so the race detector could not be tried"
	[ "${CI:-}" = true ] && wrong=$((wrong + 1))
fi
echo "$tried planted runs, $wrong reported wrongly"
[ "$wrong" -eq 0 ]
