package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"i3bench/loadgen/plan"
	"i3bench/reports"
)

type planCmd struct {
	Receivers float64  `default:"1e6" help:"Receivers of the group."`
	PPS       float64  `default:"500" name:"pps" help:"Packets the source sends per second."`
	Bytes     float64  `default:"1000" help:"Bytes of a packet's payload."`
	Churn     string   `default:"20%/h" help:"Share of the receivers that leave in a time, as many come: 20%/h, 1%/m."`
	Loss      string   `default:"0.1%" help:"Share of the packets that are lost on each hop."`
	Degree    int      `default:"8" help:"D: links under one identifier."`
	Variant   string   `default:"relays/A-M" help:"How the tree is built and kept, and the network, as in bench sim."`
	Objective string   `placeholder:"p99<TIME" help:"What the wait in all nodes on the way to a receiver may take."`
	Node      string   `default:"${planNode}" help:"Type of node: cores, nic (bit/s), pps (of the NIC), memory (bytes)."`
	Speed     float64  `default:"1" help:"How many times as fast a core of the node is as the one that was measured."`
	Uneven    float64  `default:"1" help:"Receivers at the busiest node over what they would be by chance."`
	Use       string   `default:"50%-70%" help:"Share of the processors that may be used, from and to."`
	Spare     string   `default:"3%" help:"Nodes beyond what is needed; one at least."`
	Draws     int      `default:"20000" help:"Draws of the Monte-Carlo."`
	From      []string `placeholder:"DIR" help:"Results of bench micro, sim and plan --self, instead of defaults."`
	JSON      bool     `name:"json" help:"Print JSON; files are written with --out only."`
	Save      string   `placeholder:"FILE" help:"Write what a plan is made from, --from and defaults, as JSON; no plan."`
	selfFlags
}

// planNode is the node of the default.
const planNode = "cores=16,nic=25e9,pps=5e6,memory=64e9"

// Help says what the command does, for kong.
func (c *planCmd) Help() string {
	return "Says how many nodes a group needs, with an interval, what decides it, and what would make it narrower. With " +
		"--self it predicts instead what this machine bears. See docs/plan.md."
}

// Run plans.
func (c *planCmd) Run(s *session) error {
	if c.Self {
		return c.selfFlags.run(s)
	}
	if c.Check != "" || c.Find != 0 {
		return &usageError{errors.New("--check and --find: want --self with them")}
	}
	measured, err := c.measured()
	if err != nil {
		return err
	}
	if c.Save != "" {
		return writeFigures(c.Save, measured)
	}
	q, err := c.question(s.cli, &measured)
	if err != nil {
		return &usageError{err}
	}
	a, err := q.Solve()
	if err != nil {
		return &usageError{err}
	}
	return c.write(s, a)
}

// measured returns the figures of the result directories, and the defaults for what they lack.
func (c *planCmd) measured() (m plan.Measured, err error) {
	if m, err = plan.Defaults(); err != nil {
		return m, err
	}
	var results []*reports.Result
	for _, dir := range c.From {
		r, err := reports.Open(dir)
		if err != nil {
			return m, &usageError{fmt.Errorf("--from: %w", err)}
		}
		if own := reports.PlanMeasured(plan.Measured{}, []*reports.Result{r}); own.Empty() {
			return m, &usageError{fmt.Errorf("--from %s: want the result of bench micro --parts copies, bench sim --rows "+
				"nodes,recovery or bench plan --self", dir)}
		}
		results = append(results, r)
	}
	return reports.PlanMeasured(m, results), nil
}

// question reads the flags.
func (c *planCmd) question(all *cli, m *plan.Measured) (q plan.Question, err error) {
	q = plan.Question{
		Demand: plan.Demand{
			Receivers: c.Receivers, Packets: c.PPS, Bytes: c.Bytes, Variant: c.Variant, Degree: c.Degree,
		},
		Policy: plan.DefaultPolicy(), Measured: m, Seed: all.Seed, Draws: c.Draws,
	}
	q.Policy.Speed, q.Policy.Uneven = c.Speed, c.Uneven
	if c.Draws < 100 || c.Draws > mostDraws {
		return q, fmt.Errorf("--draws %d: want 100 to %d", c.Draws, mostDraws)
	}
	if !(c.Speed > 0 && c.Speed <= 1000) {
		return q, fmt.Errorf("--speed %v: want more than zero, 1000 at most", c.Speed)
	}
	if !(c.Uneven >= 1 && c.Uneven <= 1000) {
		return q, fmt.Errorf("--uneven %v: want 1 to 1000", c.Uneven)
	}
	if q.Demand.Churn, err = readChurn(c.Churn); err != nil {
		return q, err
	}
	if q.Demand.Loss, err = readShare("--loss", c.Loss); err != nil {
		return q, err
	}
	if q.Policy.Spare, err = readShare("--spare", c.Spare); err != nil {
		return q, err
	}
	if q.Policy.Processor, err = readUse(c.Use); err != nil {
		return q, err
	}
	if q.Demand.Limit, err = readLimit(c.Objective); err != nil {
		return q, err
	}
	q.Node, err = readNode(c.Node)
	return q, err
}

// mostDraws bounds the draws of a plan.
const mostDraws = 1_000_000

// readShare reads a share: 3% or 0.03.
func readShare(flag, text string) (float64, error) {
	number, hundredth := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(number, 64)
	if hundredth {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("%s %.20q: want a share such as 3%% or 0.03", flag, text)
	}
	return v, nil
}

// readChurn reads a share in a time, and returns that of an hour.
func readChurn(text string) (float64, error) {
	share, unit, ok := strings.Cut(text, "/")
	perHour := map[string]float64{"h": 1, "m": 60, "s": 3600, "d": 1.0 / 24}[unit]
	v, err := readShare("--churn", share)
	if !ok || err != nil || perHour == 0 {
		return 0, fmt.Errorf("--churn %.20q: want a share in a time, such as 20%%/h (s, m, h, d)", text)
	}
	return v * perHour, nil
}

// readUse reads from which share to which of the processors may be used.
func readUse(text string) (use [3]float64, err error) {
	low, high, ok := strings.Cut(text, "-")
	if !ok {
		high = low
	}
	if use[0], err = readShare("--use", low); err == nil {
		use[2], err = readShare("--use", high)
	}
	use[1] = (use[0] + use[2]) / 2
	if err == nil && !(use[0] > 0 && use[0] <= use[2]) {
		err = fmt.Errorf("--use %.20q: want shares above zero, the smaller first, such as 50%%-70%%", text)
	}
	return use, err
}

// readLimit reads an objective, and returns its seconds.
func readLimit(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	limit, ok := strings.CutPrefix(strings.ReplaceAll(text, " ", ""), "p99<")
	d, err := time.ParseDuration(limit)
	if !ok || err != nil || d <= 0 {
		return 0, fmt.Errorf("--objective %.40q: want p99 and a time, such as p99<250ms", text)
	}
	return d.Seconds(), nil
}

// readNode reads a type of node; what it does not say is as in the default.
func readNode(text string) (n plan.NodeType, err error) {
	fields := map[string]*float64{"cores": &n.Cores, "nic": &n.Bits, "pps": &n.Packets, "memory": &n.Memory}
	for _, part := range append(strings.Split(planNode, ","), strings.Split(text, ",")...) {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		field := fields[name]
		if !ok || field == nil {
			return n, fmt.Errorf("--node %.40q: want some of cores, nic, pps and memory, such as %s", part, planNode)
		}
		if *field, err = strconv.ParseFloat(value, 64); err != nil {
			return n, fmt.Errorf("--node %.40q: want a number, such as 25e9", part)
		}
	}
	return n, n.Check()
}

// write prints the answer, and writes its files.
func (c *planCmd) write(s *session, a plan.Answer) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	if c.JSON {
		fmt.Fprintf(s.out, "%s\n", text)
		if s.cli.Out == "" {
			return nil
		}
	} else {
		fmt.Fprint(s.out, reports.PlanText(a))
	}
	dir := s.cli.Out
	if dir == "" {
		dir = filepath.Join("bench-out", time.Now().Format("20060102-150405"))
	}
	page, err := reports.PlanHTML(a, append([]string{"bench"}, s.args...))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "plan.html"), page, 0o644),
			os.WriteFile(filepath.Join(dir, "plan.json"), append(text, '\n'), 0o644))
	}
	if err == nil && !c.JSON {
		fmt.Fprintf(s.out, "\nplan: %s and plan.json\n", filepath.Join(dir, "plan.html"))
	}
	return err
}

// writeFigures writes what a plan is made from, an observation in a line.
func writeFigures(name string, m plan.Measured) error {
	text, err := json.Marshal(m)
	if err == nil {
		text = bytes.ReplaceAll(text, []byte("},{"), []byte("},\n{"))
		err = os.WriteFile(name, append(text, '\n'), 0o644)
	}
	return err
}
