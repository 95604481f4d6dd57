package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"i3bench/experiments"
	"i3bench/loadgen/coord"
	"i3bench/loadgen/coord/natsbus"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// natsFlags say how coordinators and agents find each other.
type natsFlags struct {
	Run       string        `default:"default" placeholder:"NAME" help:"Name of the run, of several on a NATS server."`
	TokenFile string        `type:"path" placeholder:"FILE" help:"File with the token of the NATS server."`
	NKeyFile  string        `name:"nkey-file" type:"path" placeholder:"FILE" help:"File with the seed of an NKey."`
	TLSCA     string        `name:"tls-ca" type:"path" placeholder:"FILE" help:"Certificates of who signs the server's."`
	Wait      time.Duration `default:"10m" help:"How long coordinator and agents wait for each other."`
}

// agentsFlags are those of a load that agents carry out.
type agentsFlags struct {
	Agents    int           `placeholder:"N" help:"Have N processes offer the load; see docs/agents.md."`
	Nats      string        `placeholder:"URL" help:"NATS server at which agents come, such as tls://10.0.0.1:4222."`
	Listen    string        `placeholder:"ADDR:PORT" help:"Embed a NATS server there, at which agents come."`
	Host      string        `placeholder:"ADDR" help:"Address of this machine for nodes and source. Default: loopback."`
	TLSCert   string        `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificate of the embedded server."`
	TLSKey    string        `name:"tls-key" type:"path" placeholder:"FILE" help:"Its key."`
	NKeysFile string        `name:"nkeys-file" type:"path" placeholder:"FILE" help:"NKeys that the server lets in."`
	Silence   time.Duration `default:"1s" help:"How long an agent may be silent until the run is INVALID."`
	natsFlags
}

// agentCmd is one agent.
type agentCmd struct {
	Nats string `required:"" placeholder:"URL" help:"NATS server of the coordinator, such as tls://10.0.0.1:4222."`
	natsFlags
}

// Run takes part in one run.
func (c *agentCmd) Run(s *session) error {
	cfg, err := c.config(c.Nats, "agent")
	if err != nil {
		return &usageError{err}
	}
	if err := cfg.Check(); err != nil {
		return &usageError{err}
	}
	bus, err := natsbus.Connect(s.ctx, cfg)
	if err != nil {
		return err
	}
	defer bus.Close()
	err = coord.RunAgent(s.ctx, bus, coord.AgentConfig{
		Run: c.natsFlags.Run, Version: version(), Wait: c.Wait,
		Told: func(what string) { fmt.Fprintln(s.out, what) },
	}, new(experiments.Agent))
	if s.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// config returns how to connect to a server.
func (f natsFlags) config(url, name string) (natsbus.Config, error) {
	token, err := secretIn(f.TokenFile)
	return natsbus.Config{
		URL: url, Token: token, NKeyFile: f.NKeyFile, CAFile: f.TLSCA, Name: name, Wait: f.Wait,
	}, err
}

// secretIn returns the first line of a file, or nothing if there is no name.
func secretIn(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("%s: empty: want a token", file)
	}
	return line, nil
}

// version tells programs apart that may not understand each other's plans: the revision they were built from.
func version() string {
	v := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				v = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				v += " modified"
			}
		}
	}
	return v
}

// check refuses flags that say something about agents when there are none, or that contradict each other.
func (f agentsFlags) check() error {
	var err error
	switch {
	case f.Agents < 0:
		err = fmt.Errorf("--agents %d: want at least 1", f.Agents)
	case f.Agents == 0 && (f.Nats+f.Listen+f.Host+f.TLSCert+f.TLSKey+f.NKeysFile+f.TokenFile+f.NKeyFile+f.TLSCA != ""):
		err = errors.New("flags for servers, addresses, tokens, NKeys and TLS: want --agents, too")
	case f.Nats != "" && f.Listen+f.TLSCert+f.TLSKey+f.NKeysFile != "":
		err = errors.New("--listen, --tls-cert, --tls-key, --nkeys-file: want no --nats beside them")
	case f.Listen == "" && f.TLSCert+f.TLSKey+f.NKeysFile != "":
		err = errors.New("--tls-cert, --tls-key and --nkeys-file: want --listen, too")
	case f.Host != "":
		if _, bad := netip.ParseAddr(f.Host); bad != nil {
			err = fmt.Errorf("--host %.40q: want an address of this machine", f.Host)
		}
	}
	if err != nil {
		return &usageError{err}
	}
	return nil
}

// experiment returns what agents are to carry out, without a bus.
func (f agentsFlags) experiment(s *session, sc *scenario.Scenario) (e experiments.Agents, err error) {
	e = experiments.Agents{
		Scenario: sc, Seed: s.cli.Seed,
		Config: coord.Config{
			Run: f.natsFlags.Run, Version: version(), Agents: f.Agents, Silence: f.Silence, Wait: f.Wait,
		},
	}
	if f.Host != "" {
		if e.Host, err = netip.ParseAddr(f.Host); err != nil {
			return e, err
		}
	}
	return e, errors.Join(e.Check(), f.checkBus())
}

// checkBus says what is missing, before there is a result.
func (f agentsFlags) checkBus() error {
	if f.Nats == "" {
		cfg, err := f.server()
		return errors.Join(err, cfg.Check())
	}
	cfg, err := f.config(f.Nats, "coordinator")
	return errors.Join(err, cfg.Check())
}

// carryOut has agents carry a scenario out, and tells the run if one was lost.
func (f agentsFlags) carryOut(ctx context.Context, s *session, e experiments.Agents, run, sink experiments.Sink,
	progress experiments.Progress,
) error {
	here, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer here.close()
	e.Bus = here.bus
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if f.Nats == "" && f.Listen == "" {
		if err := here.start(f, cancel); err != nil {
			return err
		}
	} else if here.url != "" {
		fmt.Fprintf(s.out, "agents may come: bench agent --nats %s --run %s\n", here.url, f.natsFlags.Run)
	}
	e.Met = func(all []coord.Member) {
		here.met.Store(true)
		for i, m := range all {
			fmt.Fprintf(s.out, "agent %d: %v, %d CPUs, clock %v ahead, ± %v\n", i, m, m.CPUs, m.Clock, m.ClockError)
		}
	}
	err = e.Run(ctx, sink, progress)
	if r, ok := run.(*reports.Run); ok && errors.Is(err, coord.ErrLost) {
		r.Invalidate(err.Error())
	}
	return err
}
