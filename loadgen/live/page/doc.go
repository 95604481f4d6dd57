// Package page shows the snapshots of package loadgen/live on a page in a browser, while a run goes on. It keeps no
// result and offers no way to change anything: whoever opens the page reads.
//
// The page is one file with its script and style in it, and loads nothing else. Snapshots come as server-sent events,
// those of the last minutes first. A browser that is slow or stands still never delays the run: it misses snapshots,
// which are counted, and at last it is cut off.
package page
