//go:build !linux

package deliver

import (
	"errors"
	"net/netip"
	"os"
	"time"
)

// errHere is why nothing can be measured.
var errHere = errors.New("it needs Linux")

func newBoard() (*os.File, error)            { return nil, errHere }
func mapBoard(*os.File) ([]byte, error)      { return nil, errHere }
func unmapBoard([]byte) error                { return nil }
func processTime(int) (time.Duration, error) { return 0, errHere }
func pauseAlone()                            {}
func pauseAmong()                            {}

// receivers cannot be opened here.
type receivers []netip.AddrPort

func openReceivers(Setup, *board) (receivers, error)       { return nil, errHere }
func (rs receivers) addresses() []netip.AddrPort           { return rs }
func (receivers) close()                                   {}
func feed(*Task, func(packet []byte, number uint64)) error { return errHere }
