package udp

// A Steering says which socket of a group a datagram that arrives is for. The zero value is the first for all.
type Steering struct {
	byWord bool
	offset int // of the word
}

// ToFirst steers all input to the first socket; the others only send.
func ToFirst() Steering { return Steering{} }

// ByWord steers by the 32-bit word, most significant byte first, at so many bytes from the beginning of the datagram:
// to the socket that [Part] says. A datagram that ends before is for the first socket. A train that arrives whole goes
// where its first datagram goes: its receiver must look at the words of the others, and may then use another's.
func ByWord(offset int) Steering { return Steering{byWord: true, offset: offset} }

// Part returns which of n equal ranges of the 32-bit numbers a word is in.
func Part(word uint32, n int) int { return int(uint64(word) * uint64(n) >> 32) }

// maxGroup bounds the sockets of a group: the kernel's program for it computes with 32 bits.
const maxGroup = 1 << 10

// closeAll closes sockets that are not wanted after all.
func closeAll(conns []Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}
