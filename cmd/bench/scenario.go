package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"i3bench/experiments"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

type scenarioFlags struct {
	Scenario string   `placeholder:"NAME" help:"Offer what a scenario says: a file, or one of those below."`
	Set      []string `sep:"none" placeholder:"KEY=VALUE" help:"Change a key of the scenario, such as phases.0.for=10s."`
	Shorten  float64  `placeholder:"N" help:"Divide all times of the scenario: short for --set shorten=N."`
	DryRun   bool     `help:"Print the scenario as it would be carried out, and how many operations there are."`
}

// Help lists scenarios and keys, for kong.
func (c *loadCmd) Help() string {
	var b strings.Builder
	b.WriteString("While it runs, it shows every second how it stands: in place on a terminal, in a line elsewhere, " +
		"with --progress=json in a line of JSON, and with --live=:8080 on a page at http://127.0.0.1:8080/, too.\n\n")
	b.WriteString("Scenarios of the library:\n\n")
	for _, name := range scenario.Names() {
		s, err := scenario.Load(name, nil)
		if err != nil {
			continue // a test loads them all
		}
		fmt.Fprintf(&b, "  %-16s %s\n", name, firstSentences(s.About))
	}
	b.WriteString("\nKeys for --set; * is the number or the name of an element:\n\n")
	for _, k := range scenario.Keys() {
		fmt.Fprintf(&b, "  %-32s %s %s\n", k.Path, k.Doc, k.Default)
	}
	return b.String()
}

// firstSentences returns a text up to where it says what is shown.
func firstSentences(text string) string {
	before, _, _ := strings.Cut(text, " Shows ")
	return before
}

// ofScenario are the flags that have a meaning beside --scenario.
var ofScenario = []string{
	"scenario", "set", "shorten", "dry-run", "late", "catchup", "out", "seed", "progress", "profile", "live",
	"agents", "nats", "listen", "host", "tls-cert", "tls-key", "nkeys-file", "silence", "run", "token-file", "nkey-file",
	"tls-ca", "wait",
}

// given returns the names of the flags on the command line.
func given(s *session) (names []string) {
	var c cli
	k, err := kong.New(&c, kong.Name("bench"), simVars)
	if err != nil {
		return nil
	}
	parsed, err := k.Parse(s.args)
	if err != nil {
		return nil
	}
	for _, p := range parsed.Path {
		if p.Flag != nil {
			names = append(names, p.Flag.Name)
		}
	}
	return names
}

// scenario runs the scenario that the flags name.
func (c *loadCmd) scenario(s *session) error {
	names := given(s)
	for _, name := range names {
		if !slices.Contains(ofScenario, name) {
			return &usageError{fmt.Errorf("--%s beside --scenario: want --set with a key of the scenario", name)}
		}
	}
	if err := positive(map[string]float64{"late": c.Late.Seconds()}); err != nil {
		return err
	}
	sets := c.Set
	if c.Shorten != 0 {
		sets = append(sets, fmt.Sprintf("shorten=%v", c.Shorten))
	}
	if slices.Contains(names, "seed") {
		sets = append(sets, fmt.Sprintf("seed=%d", s.cli.Seed))
	}
	sc, err := scenario.Load(c.Scenario, sets)
	if err != nil {
		return &usageError{err}
	}
	if sc.Seed != 0 {
		s.cli.Seed = sc.Seed
	}
	if c.DryRun {
		text, err := sc.Describe(s.cli.Seed)
		fmt.Fprint(s.out, text)
		return err
	}
	s.more = make(map[string]string)
	for _, line := range sc.Values() {
		s.more["scenario."+line[0]] = line[1]
	}
	return c.play(s, sc)
}

// play offers a scenario and judges its objectives.
func (c *loadCmd) play(s *session, sc *scenario.Scenario) error {
	spans, err := sc.Resolve(s.cli.Seed)
	if err != nil {
		return &usageError{err}
	}
	e := experiments.Scenario{
		World: experiments.Kind(sc.World), Cluster: sc.Cluster, Spans: spans, Seed: s.cli.Seed, CatchUp: c.CatchUp,
	}
	var several experiments.Agents
	if c.Agents > 0 {
		if several, err = c.agentsFlags.experiment(s, sc); err != nil {
			return &usageError{err}
		}
	} else if e.Live, err = s.watch(c.liveFlags); err != nil {
		return err
	}
	var verdict string
	run := func(ctx context.Context, sink experiments.Sink, progress experiments.Progress) error {
		j := experiments.NewJudge(sc.Objectives, sink)
		if c.Agents > 0 {
			err = c.carryOut(ctx, s, several, sink, j, progress)
		} else {
			err = e.Run(ctx, j, progress)
		}
		if err != nil {
			return err
		}
		verdict, err = j.Verdict()
		return err
	}
	last := spans[len(spans)-1]
	what := fmt.Sprintf("%s, %d phases, %v", sc.Name, len(spans), (last.Begin + last.For).Round(time.Millisecond))
	if c.Agents > 0 {
		what += fmt.Sprintf(", %d agents", c.Agents)
	}
	err = s.run(stage{name: reports.StageLoad, run: run, live: true, what: what, note: what + fmt.Sprintf(
		" on %d nodes (%s), D = %d, %d standing receivers, %v packets/s", sc.Cluster.Nodes, sc.World, sc.Cluster.Degree,
		sc.Cluster.Standing, sc.Cluster.Rate)})
	fmt.Fprint(s.out, verdict)
	return err
}

// check refuses flags that say something about a scenario when there is none.
func (f scenarioFlags) check() error {
	if f.Set != nil || f.DryRun || f.Shorten != 0 {
		return &usageError{errors.New("--set, --shorten and --dry-run: want --scenario, too")}
	}
	return nil
}
