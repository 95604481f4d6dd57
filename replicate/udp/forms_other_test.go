//go:build !linux

package udp

// forms returns the implementations of this system.
func forms() []form {
	return []form{{"portable", portableForm, false}, {"classes", classes, false}}
}
