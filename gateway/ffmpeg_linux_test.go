package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tool returns the path of a program of the package ffmpeg, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("gateway: %s is not installed, so no real stream goes through the tree (apt-get install ffmpeg)", name)
	}
	return path
}

// run runs a program to its end and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %v\n%s", cmd, err, complaints.Bytes())
	}
	return out.String()
}

// framesIn returns how many frames of video ffprobe decodes in a file or from an address.
func framesIn(t *testing.T, ffprobe, input string) int {
	out := run(t, ffprobe, "-v", "error", "-count_frames", "-select_streams", "v:0",
		"-show_entries", "stream=nb_read_frames", "-of", "default=nokey=1:noprint_wrappers=1", input)
	first, _, _ := strings.Cut(out, "\n") // a stream of a programme is printed twice
	n, err := strconv.Atoi(first)
	if err != nil {
		t.Errorf("ffprobe of %s printed %q, which is no number of frames", input, out)
	}
	return n
}

// freePort returns a port that nobody listened at a moment ago.
func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return addrOf(conn)
}

// listening reports whether somebody listens at a port.
func listening(at netip.AddrPort) bool {
	table, err := os.ReadFile("/proc/net/udp")
	return err == nil && bytes.Contains(table, fmt.Appendf(nil, ":%04X 00000000:0000", at.Port()))
}

// A real MPEG-TS stream of ffmpeg, at its own pace, goes through a tree of 64 receivers with the losses of section 6.3.
// The bytes that come out of each of the 64 egresses are the bytes that went in, which are those that ffmpeg writes to
// a file itself, and ffprobe, which listens at one of the egresses, decodes every frame.
func TestRealStream(t *testing.T) {
	ffmpeg, ffprobe := tool(t, "ffmpeg"), tool(t, "ffprobe")
	receivers, seconds, silence := 64, 8, 25*time.Second
	if testing.Short() {
		receivers, seconds, silence = 12, 3, 10*time.Second
	}
	const perSecond = 25
	player := freePort(t)
	tr := grow(t, receivers, player)

	played := make(chan int, 1)
	go func() { // it ends when nothing has come for so long, and has room for all that may come at once
		played <- framesIn(t, ffprobe,
			fmt.Sprintf("udp://%v?timeout=%d&buffer_size=4194304", player, silence.Microseconds()))
	}()
	if !until(func() bool { return listening(player) || len(played) > 0 }) {
		t.Fatalf("ffprobe does not listen at %v", player)
	}
	file := filepath.Join(t.TempDir(), "in.ts")
	codecs := []string{"-c:v", "mpeg2video", "-b:v", "1M", "-c:a", "mp2", "-f", "mpegts"}
	run(t, ffmpeg, slices.Concat([]string{
		"-v", "error", "-nostdin",
		"-re", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=320x240:rate=%d:duration=%d", perSecond, seconds),
		"-re", "-f", "lavfi", "-i", fmt.Sprintf("sine=duration=%d", seconds),
	}, codecs, []string{fmt.Sprintf("udp://%v?pkt_size=1316", tr.ingress.Addr())}, codecs, []string{file})...)
	tr.check(t)
	if written, err := os.ReadFile(file); err != nil || sha256.Sum256(written) != [32]byte(tr.sent.bytes.Sum(nil)) {
		t.Errorf("%d bytes in the file of ffmpeg (%v), not those of the stream: %v", len(written), err, tr.sent)
	}
	in, out := framesIn(t, ffprobe, file), <-played
	t.Logf("frames: %d in the file of ffmpeg, %d at the egress", in, out)
	if in != seconds*perSecond || out != in {
		t.Errorf("ffprobe decodes %d frames of the file and %d of what came out, ffmpeg made %d",
			in, out, seconds*perSecond)
	}
}
