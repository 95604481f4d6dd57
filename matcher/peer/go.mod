// The peers of package matcher, kept out of the project's own module: see doc.go.
module i3bench/matcher/peer

go 1.26.0

replace i3bench => ../..

require (
	github.com/cockroachdb/swiss v0.0.0-20260820225851-333444432258
	github.com/gaissmai/bart v0.30.0
	github.com/puzpuzpuz/xsync/v4 v4.5.0
	i3bench v0.0.0
)

require golang.org/x/sys v0.49.0 // indirect
