package multicast

import (
	"net/netip"

	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// A Profile is what all receivers of a group have in common: their
// configuration, checked and with its defaults, in one copy however many they
// are. It is immutable.
type Profile struct {
	cfg  Config
	host *host.Shared
}

// A Member is what one receiver has of its own. Its fields are those of [Config]
// and [host.Config].
type Member struct {
	Self   netip.AddrPort
	Seed   uint64
	Near   chord.Range
	Skew   machine.Duration
	Agent  uint8
	Events *Events // nil: those of the profile's configuration
}

// NewProfile checks a configuration. What a [Member] has of its own is not
// looked at.
func NewProfile(cfg Config) (*Profile, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	h, err := host.Share(cfg.Host)
	if err != nil {
		return nil, err
	}
	return &Profile{cfg: cfg, host: h}, nil
}

// NewReceiver returns a receiver that does nothing before Join.
func (p *Profile) NewReceiver(m Member) (*Receiver, error) {
	r := new(Receiver)
	if err := r.init(p, m, r); err != nil {
		return nil, err
	}
	return r, nil
}

// init makes a receiver that hands what arrives at its host to handler.
func (r *Receiver) init(p *Profile, m Member, handler host.Handler) error {
	if err := r.core.init(p, m, handler); err != nil {
		return err
	}
	r.near, r.scheme = m.Near, p.cfg.Refresh
	r.drawStep()
	if p.cfg.gauged {
		r.more().gauge = new(gauge)
	}
	if m.Agent > 0 {
		r.more().agent = m.Agent
	}
	return nil
}

// member returns what a configuration for one host says of it alone.
func (c *Config) member() Member {
	return Member{Self: c.Host.Self, Seed: c.Host.Seed, Near: c.Near, Skew: c.Skew, Agent: c.Agent}
}
