//go:build !linux

package udp

// openNative opens the best form of socket that this system has.
func openNative(cfg Config) (Conn, error) { return openPortable(cfg) }
