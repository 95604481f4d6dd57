package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"i3bench/loadgen/coord"
	"i3bench/loadgen/coord/natsbus"
)

// agentsHere is what a coordinator has in its own process and on its machine: a bus, and agents that it has
// started.
type agentsHere struct {
	bus    coord.Bus
	url    string      // of the embedded server
	token  string      // that agents need which are started here
	met    atomic.Bool // the agents are there
	ends   []func()    // what closing does, the last first
	agents sync.WaitGroup
}

// open connects to a server, or embeds one.
func (f agentsFlags) open(ctx context.Context) (*agentsHere, error) {
	h := &agentsHere{}
	if f.Nats != "" {
		cfg, err := f.config(f.Nats, "coordinator")
		if err != nil {
			return nil, err
		}
		bus, err := natsbus.Connect(ctx, cfg)
		if err != nil {
			return nil, err
		}
		h.bus, h.ends = bus, append(h.ends, bus.Close)
		return h, nil
	}
	cfg, err := f.server()
	if err != nil {
		return nil, err
	}
	server, err := natsbus.Serve(cfg)
	if err != nil {
		return nil, err
	}
	h.bus, h.url, h.token, h.ends = server, server.URL(), cfg.Token, append(h.ends, server.Close)
	return h, nil
}

// server returns how the embedded server listens: for agents that are started here on loopback, with a token
// that nobody else has.
func (f agentsFlags) server() (cfg natsbus.ServerConfig, err error) {
	cfg = natsbus.ServerConfig{Listen: f.Listen, CertFile: f.TLSCert, KeyFile: f.TLSKey}
	if f.Listen == "" {
		cfg.Listen, cfg.Token = "127.0.0.1:0", rand.Text()
		return cfg, nil
	}
	if cfg.Token, err = secretIn(f.TokenFile); err != nil {
		return cfg, err
	}
	if f.NKeysFile != "" {
		b, err := os.ReadFile(f.NKeysFile)
		if err != nil {
			return cfg, err
		}
		cfg.NKeys = strings.Fields(string(b))
	}
	return cfg, nil
}

// start starts agents on this machine. One that ends before all are there ends the run.
func (h *agentsHere) start(f agentsFlags, cancel context.CancelCauseFunc) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "i3bench-agents-*")
	if err != nil {
		return err
	}
	h.ends = append(h.ends, func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "token")
	if err := os.WriteFile(file, []byte(h.token), 0o600); err != nil {
		return err
	}
	for range f.Agents {
		cmd := exec.Command(self, "agent", "--nats", h.url, "--run", f.natsFlags.Run, "--token-file", file,
			"--wait", f.Wait.String())
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start agent: %w", err)
		}
		ended := make(chan struct{})
		h.agents.Go(func() {
			defer close(ended)
			if err := cmd.Wait(); !h.met.Load() {
				cancel(fmt.Errorf("an agent ended before the run: %v", err))
			}
		})
		h.ends = append(h.ends, func() { stop(cmd, ended) })
	}
	return nil
}

// agentPatience is how long agents that were told to end may take. Those whose coordinator failed end by
// themselves.
const agentPatience = 10 * time.Second

// stop waits until a process has ended, and kills it if it does not.
func stop(cmd *exec.Cmd, ended <-chan struct{}) {
	select {
	case <-ended:
	case <-time.After(agentPatience):
		_ = cmd.Process.Kill() // unless it has ended just now
		<-ended
	}
}

// close ends the agents that were started here, and then the bus.
func (h *agentsHere) close() {
	h.met.Store(true) // whoever ends now may
	for i := len(h.ends) - 1; i >= 0; i-- {
		h.ends[i]()
	}
	h.agents.Wait()
}
