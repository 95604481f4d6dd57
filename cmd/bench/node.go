package main

import (
	"errors"

	"i3bench/daemon"
)

// nodeCmd is one i3 node. Its flags are for what differs between the nodes of a ring; a file has the rest, and what
// flags say goes before what it says.
type nodeCmd struct {
	Config   string   `placeholder:"FILE" help:"Configuration file (TOML); see docs/node.md."`
	Listen   string   `placeholder:"ADDR:PORT" help:"The node's address, at which others reach it."`
	Join     []string `placeholder:"HOST:PORT" help:"Members of the ring to join. Without any: a ring of its own."`
	Position string   `placeholder:"HEX" help:"Place on the ring, 16 digits. Default: a hash of the address."`
	HTTP     string   `name:"http" placeholder:"ADDR:PORT" help:"Metrics, health and lookups; off for none."`
}

// Run runs a node until the process is told to end.
func (c *nodeCmd) Run(s *session) error {
	if s.cli.Profile {
		return &usageError{errors.New("--profile: a node has no result directory; want GET /profile of its --http address")}
	}
	cfg, err := c.config()
	if err != nil {
		return &usageError{err}
	}
	if err := cfg.Check(); err != nil {
		return &usageError{err}
	}
	return daemon.Run(s.ctx, cfg, cfg.Logger(s.errs))
}

// config returns what the file says, with the flags before it.
func (c *nodeCmd) config() (cfg daemon.Config, err error) {
	if c.Config != "" {
		if cfg, err = daemon.Load(c.Config); err != nil {
			return cfg, err
		}
	}
	if c.Listen != "" {
		cfg.Listen = c.Listen
	}
	if len(c.Join) > 0 {
		cfg.Join = c.Join
	}
	if c.Position != "" {
		cfg.Position = c.Position
	}
	if c.HTTP != "" {
		cfg.HTTP = c.HTTP
	}
	return cfg, nil
}
