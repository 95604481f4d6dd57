// Coverfloor reads a coverage profile of go test and prints the share of statements covered in each package named,
// failing where a share is below the floor. It merges what several test binaries covered, and runs no test itself.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

func main() {
	floor := flag.Float64("floor", 80, "smallest share of statements that must be covered, in percent")
	profile := flag.String("profile", "", "coverage profile written by go test -coverprofile")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: coverfloor -profile FILE [-floor PERCENT] PACKAGE...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *profile == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	file, err := os.Open(*profile)
	if err != nil {
		fmt.Fprintf(os.Stderr, "coverfloor: %v\n", err)
		os.Exit(2)
	}
	defer file.Close()
	shares, err := read(file)
	if err != nil {
		fmt.Fprintf(os.Stderr, "coverfloor: read %s: %v\n", *profile, err)
		os.Exit(2)
	}
	if !judge(os.Stdout, shares, *floor, flag.Args()) {
		os.Exit(1)
	}
}

// A share counts the statements of a package.
type share struct{ covered, statements int }

// percent returns the share as a percentage.
func (s share) percent() float64 { return 100 * float64(s.covered) / float64(s.statements) }

// A block is one stretch of statements of a profile, which appears once for every test binary that could reach it.
type block struct {
	statements int
	covered    bool
}

// read returns the share of every package in a profile.
func read(profile io.Reader) (map[string]share, error) {
	blocks := make(map[string]block)
	scanner := bufio.NewScanner(profile)
	for number := 1; scanner.Scan(); number++ {
		fields := strings.Fields(scanner.Text())
		if number == 1 && len(fields) == 2 && fields[0] == "mode:" {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d: %.60q has %d fields, want place, statements, count",
				number, scanner.Text(), len(fields))
		}
		statements, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("line %d: statements %.20q, want a number", number, fields[1])
		}
		place := fields[0]
		blocks[place] = block{statements, blocks[place].covered || fields[2] != "0"}
	}
	shares := make(map[string]share)
	for place, b := range blocks {
		file, _, _ := strings.Cut(place, ":")
		s := shares[path.Dir(file)]
		s.statements += b.statements
		if b.covered {
			s.covered += b.statements
		}
		shares[path.Dir(file)] = s
	}
	return shares, scanner.Err()
}

// judge prints the share of each package, then all of them on a line, and reports whether they reach the floor. A
// package that is not in the profile has not been measured, which is a failure and not a hundred percent.
func judge(w io.Writer, shares map[string]share, floor float64, packages []string) bool {
	ok := true
	var all []string
	for _, pkg := range packages {
		s := shares[pkg]
		switch {
		case s.statements == 0:
			fmt.Fprintf(w, "%-28s not in the profile\n", pkg)
			ok = false
			continue
		case s.percent() < floor:
			fmt.Fprintf(w, "%-28s %5.1f %% of %d statements, below %.0f %%\n", pkg, s.percent(), s.statements, floor)
			ok = false
		default:
			fmt.Fprintf(w, "%-28s %5.1f %% of %d statements\n", pkg, s.percent(), s.statements)
		}
		all = append(all, fmt.Sprintf("%s %.1f %%", path.Base(pkg), s.percent()))
	}
	fmt.Fprintf(w, "covered: %s; floor %.0f %%\n", strings.Join(all, ", "), floor)
	return ok
}
