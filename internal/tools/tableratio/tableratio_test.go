package main

import (
	"strings"
	"testing"
)

const rounds = `goos: linux
cpu: some processor
BenchmarkMatch/n=1e7/hit=100/keys=uniform/batch=16-2   	 100	  40.0 ns/lookup	 64.0 B/entry
BenchmarkMatch/n=1e7/hit=100/keys=uniform/batch=256-2  	 100	  64.0 B/entry	  22.0 ns/lookup
BenchmarkMatch/n=1e7/hit=100/keys=uniform/batch=256-2  	 100	  64.0 B/entry	  20.0 ns/lookup
BenchmarkMatch/n=1e7/hit=100/keys=uniform/batch=256-2  	 100	  64.0 B/entry	  18.0 ns/lookup
BenchmarkMatch/n=1e3/hit=100/keys=uniform/batch=256-2  	 100	   5.0 ns/lookup
BenchmarkMatch/n=1e3/hit=50/keys=zipf/batch=256-2      	 100	   6.0 ns/lookup
BenchmarkLimit/n=1e7/hit=100/keys=uniform-2            	 100	  99.0 %cpu	  9.0 ns/lookup
BenchmarkLimit/n=1e7/hit=100/keys=uniform-2            	 100	  89.9 %cpu	 70.0 ns/lookup
BenchmarkLimit/n=1e7/hit=100/keys=uniform-2            	 100	 11.0 ns/lookup
BenchmarkPeer/table=dpdk-bulk64/n=1e7/hit=100/keys=uniform 12345 50.00 ns/lookup 11700000 lookups/s
BenchmarkPeer/table=map/n=1e7/hit=50/keys=uniform-2 	 100	 100.0 ns/lookup
BenchmarkTouch/size=1GiB-2                             	 100	  9.0 ns/lookup
BenchmarkInsert/n=1e7/hit=100/keys=uniform             	 100	  9.0 ns/op
PASS
`

const reported = `keys=uniform                  n=1e3    n=1e7    n=1e7
                            hit=100  hit=100   hit=50
ours, batch=256, ns             5.0     20.0        -
  spread                        0 %     20 %        -
limit, ns                         -     10.0        -
dpdk-bulk64, ns                   -     50.0        -
map, ns                           -        -    100.0
limit/ours                        -     0.50        -
dpdk-bulk64/ours                  -     2.50        -

keys=zipf                     n=1e3
                             hit=50
ours, batch=256, ns             6.0
  spread                        0 %
`

func TestReport(t *testing.T) {
	r := make(results)
	busy, err := r.read(strings.NewReader(rounds))
	if err != nil {
		t.Fatal(err)
	}
	if busy != 1 {
		t.Errorf("tableratio: %d results left out, want 1", busy)
	}
	if got := report(r); got != reported {
		t.Errorf("tableratio: reported\n%s\nwant\n%s", got, reported)
	}
}
