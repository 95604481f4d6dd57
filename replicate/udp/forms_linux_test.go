package udp

// forms returns the implementations of this system.
func forms() []form {
	return []form{
		{"native", Open, true},
		{"portable", func(cfg Config) (Conn, error) { cfg.Portable = true; return Open(cfg) }, false},
	}
}
