package udp

// forms returns the implementations of this system.
func forms() []form {
	return []form{
		{"native", Open, true},
		{"portable", portableForm, false},
		{"classes", classes, true},
		{"portable classes", func(cfg Config) (Conn, error) { cfg.Portable = true; return classes(cfg) }, false},
	}
}
