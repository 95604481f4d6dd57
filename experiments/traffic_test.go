package experiments

import (
	"testing"
	"time"

	"i3bench/reports"
)

// A group at rest gets its packets and keeps its triggers alive, and nothing else; refreshes are as many whatever is
// sent, so that their share falls with the rate; and the same seed gives the same counts.
func TestTraffic(t *testing.T) {
	e := Traffic{Nodes: 4, Degree: 4, Receivers: 8, Rates: []int{1, 20}, Size: 64, For: 60 * time.Second, Seed: 3}
	var r, again recorder
	for _, to := range []*recorder{&r, &again} {
		if err := e.Run(t.Context(), to, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
	}
	r.known(t)
	if r.sorted() != again.sorted() {
		t.Error("the same seed gave other counts")
	}
	rows := reports.SummarizeTraffic(r.of(reports.KindPackets), r.of(reports.KindBytes))
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		t.Logf("%d/s: %v", row.Rate, row.Packets)
		sent := float64(row.Rate) * row.Seconds
		// Each receiver gets each packet once, through one node at least.
		if data := row.Packets[reports.TrafficData]; data < 16*sent || data > 40*sent {
			t.Errorf("%d/s: %v packets of data of %v sent to 8 receivers", row.Rate, data, sent)
		}
		if row.Packets[reports.TrafficRepair] != 0 || row.Packets[reports.TrafficOther] > 0.01*sent*16 {
			t.Errorf("%d/s: a group at rest repairs or searches: %v", row.Rate, row.Packets)
		}
	}
	few, many := rows[0].Packets[reports.TrafficRefresh], rows[1].Packets[reports.TrafficRefresh]
	if few < 8*2 || many < 0.7*few || many > 1.4*few {
		t.Errorf("%v refreshes at 1/s, %v at 20/s: expected about as many", few, many)
	}
}
