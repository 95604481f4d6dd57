package page_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"i3bench/loadgen/live"
	"i3bench/loadgen/live/page"
)

// A page that shows one snapshot, and a program that reads it.
func Example() {
	s, err := page.Listen(":0") // any port of this machine
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	s.Publish(live.Snapshot{Schema: live.Schema, Title: "load", Doing: "3 of 64 standing receivers"})
	resp, err := http.Get(s.URL() + "snapshot.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(strings.Contains(string(body), "3 of 64 standing receivers"))
	http.DefaultClient.CloseIdleConnections()
	// Output: true
}
