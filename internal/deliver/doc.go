// Package deliver measures how many packets a sender delivers to receivers for a second of processor time: it starts
// the sender as a process of its own, whose time is therefore the sender's alone, counts what reaches the receivers,
// and keeps the sender from running ahead of them. It knows nothing of what is sent or how, sends nothing itself but
// what [Feed] hands to a sender, and says of a run in which anything was lost only that it failed.
//
// # How it is used
//
// The sender is a [Role], known by its name in the program or test binary, which is started again for it:
//
//	func TestMain(m *testing.M) {
//		deliver.Main(map[string]deliver.Role{"plain": plain}) // does not return in the process of a sender
//		os.Exit(m.Run())
//	}
//
//	func plain(t *deliver.Task) error {
//		conn, err := net.ListenUDP("udp4", nil)
//		if err != nil {
//			return err
//		}
//		defer conn.Close()
//		t.Ready("")
//		packet := make([]byte, t.Size)
//		for {
//			first, n := t.Take(16) // waits until each receiver has room for 16 more
//			if n == 0 {
//				return nil
//			}
//			for i := range n {
//				deliver.Stamp(packet, first+uint64(i))
//				for _, to := range t.To {
//					if _, err := conn.WriteToUDPAddrPort(packet, to); err != nil {
//						return err
//					}
//				}
//			}
//		}
//	}
//
//	func BenchmarkPlain(b *testing.B) {
//		deliver.Benchmark(b, deliver.Setup{Sender: "plain", Fan: 8, Size: 512, Trains: true})
//	}
//
// A sender that gets its packets from elsewhere (a node, a server) says by [Task.Ready] where, and then lets
// [Task.Wait] pass the time. [Setup.Local] is a role of this process that brings it packets: [Feed] does so by UDP.
// It takes from the same account, so that what is under way through the sender is bounded as well. A local role may
// also be the receivers ([Setup.Own]): it then counts into [Task.Tally].
//
// # What is measured
//
// From the end of a warm-up until the last packet sent has arrived: packets received, wall time, and the processor
// time of the sender's process in user and system, which the kernel tells to the nanosecond. On loopback the path of a
// UDP datagram up to the receiver's socket is walked in the system call of the sender, and so is the waking of the
// receiver. Of TCP a part is walked by the receivers: what their acknowledgements set free is sent in their time. The
// sender runs on one processor of Go's unless [Setup.Procs] says otherwise; nothing is bound to a core.
//
// Every packet bears a number in its last eight bytes ([Stamp]). A receiver adds the numbers up, which tells a lost
// packet that was made up for by a doubled one.
//
// The sender reads the receivers' counts in memory that both processes share. It looks only when what it knew of them
// is used up, and sleeps while there is no room.
//
// All this needs Linux. Elsewhere [Start] returns an error.
package deliver
