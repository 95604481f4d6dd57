package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"i3bench/reports"
)

// A transcript is what a process has written so far.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (tr *transcript) Write(b []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.buf.Write(b)
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.buf.String()
}

// await waits until there is a match, and returns all there are with their groups.
func (tr *transcript) await(t *testing.T, pattern string) [][]string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if found := re.FindAllStringSubmatch(tr.String(), -1); found != nil {
			return found
		}
	}
	t.Fatalf("no %s within %v in:\n%s", pattern, patience, tr)
	return nil
}

// A taker is a process that takes part in a run.
type taker struct {
	*exec.Cmd
	says transcript
	done chan struct{}
}

// take starts bench with arguments.
func take(t *testing.T, args string) *taker {
	t.Helper()
	p := &taker{Cmd: program(t, args), done: make(chan struct{})}
	p.Stdout, p.Stderr = &p.says, &p.says
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.Wait()
	}()
	t.Cleanup(func() { // does nothing to one that has ended
		p.Process.Kill()
		<-p.done
	})
	return p
}

// code waits for the end and returns the exit code, or -1 after a signal.
func (p *taker) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%v has not ended within %v:\n%s", p.Args, patience, &p.says)
	}
	return p.ProcessState.ExitCode()
}

// lead starts a coordinator, whose result goes to the directory.
func lead(t *testing.T, args string) (p *taker, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "result")
	return take(t, args+" --progress plain --late 1h --out "+dir), dir
}

// gone waits until a process that is not ours to wait for has ended, and returns how long that took.
func gone(t *testing.T, pid string) time.Duration {
	t.Helper()
	begin := time.Now()
	for time.Since(begin) < patience {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || bytes.Contains(b, []byte(") Z ")) {
			return time.Since(begin)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("process %s is still there after %v", pid, patience)
	return 0
}

// Loads of tests: one that ends soon, and one that does not end by itself.
const (
	soon       = "load --joins 40 --repairs 40 --for 2s --standing 16 --pool 32 --silence 20s"
	withoutEnd = "load --joins 40 --repairs 40 --for 1h --standing 16 --pool 32"
)

// Eight processes offer a load together; the result is that of one run, and all of them end.
func TestEightAgents(t *testing.T) {
	t.Parallel()
	p, dir := lead(t, soon+" --agents 8")
	if code := p.code(t); code != exitOK {
		t.Fatalf("exit %d:\n%s", code, &p.says)
	}
	pids := p.says.await(t, `agent \d: \S+ pid (\d+), \d+ CPUs, clock \S+ ahead, ± \S+`)
	if len(pids) != 8 {
		t.Errorf("%d agents are listed", len(pids))
	}
	for _, pid := range pids {
		gone(t, pid[1])
	}
	hasFiles(t, dir)
	r := readable(t, dir)
	for _, kind := range []string{reports.KindJoin, reports.KindRepair} {
		l := reports.SummarizeLoad(kind, r.Select(reports.StageLoad, kind), r.Select(reports.StageLoad, reports.KindOffered))
		if l.Offered != 80 || l.Completed < 70 {
			t.Errorf("%s: %d offered, %d completed", kind, l.Offered, l.Completed)
		}
		seen := make(map[int64]bool)
		for _, s := range l.Seconds {
			if seen[s.Second] {
				t.Errorf("%s: second %d comes twice", kind, s.Second)
			}
			seen[s.Second] = true
		}
	}
	if len(r.Manifest.Invalid) > 0 || r.Manifest.Parameters["agents"] != "8" {
		t.Errorf("%v, parameters %v", r.Manifest.Invalid, r.Manifest.Parameters)
	}
}

// natsServer builds and starts the server of the NATS project as a process of its own.
func natsServer(t *testing.T, token string) (url string, kill func()) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: building nats-server takes a while")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command, to build nats-server, is not in PATH")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "nats-server")
	build := exec.Command("go", "build", "-o", binary, "github.com/nats-io/nats-server/v2")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v, %s", err, out)
	}
	conf := filepath.Join(dir, "nats.conf")
	text := fmt.Sprintf("listen: \"127.0.0.1:-1\"\nauthorization: {token: %q}\n", token)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var says transcript
	cmd := exec.Command(binary, "-c", conf)
	cmd.Stdout, cmd.Stderr = &says, &says
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	return "nats://" + says.await(t, `Listening for client connections on (127\.0\.0\.1:\d+)`)[0][1], kill
}

// On a server that runs elsewhere the same code does the same. An agent that is killed on the way makes the
// run INVALID: exit code 4, the reason in the manifest; the others stop and end, and what they have measured
// is kept. One that is only held up, and comes back, offers nothing more.
func TestAgentKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: eight processes")
	}
	t.Parallel()
	file := tokenFile(t)
	url, _ := natsServer(t, "a token for all of them")
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			bus := fmt.Sprintf(" --nats %s --token-file %s --run %s", url, file, name)
			p, dir := lead(t, withoutEnd+" --silence 2s --agents 8"+bus)
			var agents []*taker
			for range 8 {
				agents = append(agents, take(t, "agent"+bus))
			}
			p.says.await(t, `8 agents, \d+ join p99`)
			victim := agents[3]
			if err := victim.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			if code := p.code(t); code != exitInvalid {
				t.Errorf("exit %d, expected %d:\n%s", code, exitInvalid, &p.says)
			}
			t.Logf("the coordinator ended %v after the signal", time.Since(begin))
			for i, a := range agents {
				if code := 0; a != victim && a.code(t) != code {
					t.Errorf("agent process %d:\n%s", i, &a.says)
				}
			}
			if signal == syscall.SIGSTOP {
				time.Sleep(3*2*time.Second + time.Second - time.Since(begin)) // past its limit
				victim.Process.Signal(syscall.SIGCONT)
				// It sees that it was away for too long, or hears that the run is over.
				if code := victim.code(t); code != exitOK && !strings.Contains(victim.says.String(), "silent for") {
					t.Errorf("the agent that was held up: exit %d:\n%s", code, &victim.says)
				}
			}
			r := readable(t, dir)
			reasons := strings.Join(r.Manifest.Invalid, "; ")
			if !strings.Contains(reasons, fmt.Sprintf("pid %d", victim.Process.Pid)) {
				t.Errorf("the manifest says %q, the agent was process %d", reasons, victim.Process.Pid)
			}
			if len(r.Select(reports.StageLoad, reports.KindJoin)) == 0 || !strings.HasPrefix(reports.Text(r), "INVALID") {
				t.Errorf("what the others measured is not there, or the report does not begin with INVALID")
			}
		})
	}
}

// Without the server nobody hears of anybody: the run is INVALID, and all end by themselves.
func TestServerKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: eight processes")
	}
	t.Parallel()
	file := tokenFile(t)
	url, kill := natsServer(t, "a token for all of them")
	bus := fmt.Sprintf(" --nats %s --token-file %s", url, file)
	p, dir := lead(t, withoutEnd+" --silence 1s --agents 2"+bus)
	agents := []*taker{take(t, "agent"+bus), take(t, "agent"+bus)}
	p.says.await(t, `2 agents, \d+ join p99`)
	kill()
	if code := p.code(t); code != exitInvalid || len(readable(t, dir).Manifest.Invalid) == 0 {
		t.Errorf("exit %d, expected %d:\n%s", code, exitInvalid, &p.says)
	}
	for _, a := range agents {
		if code := a.code(t); code != exitError || !strings.Contains(a.says.String(), "silent for") {
			t.Errorf("an agent: exit %d:\n%s", code, &a.says)
		}
	}
}

// If the coordinator is killed its agents end by themselves, within three times the silence and a little.
func TestCoordinatorKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: eight processes")
	}
	t.Parallel()
	p, _ := lead(t, withoutEnd+" --silence 1s --agents 4")
	p.says.await(t, `4 agents, \d+ join p99`)
	pids := p.says.await(t, `agent \d: \S+ pid (\d+)`)
	p.Process.Kill()
	for _, pid := range pids {
		took := gone(t, pid[1])
		t.Logf("agent %s was gone after %v more", pid[1], took)
		if took > 20*time.Second { // 3 s, on a machine that may be busy
			t.Errorf("agent %s went on for %v", pid[1], took)
		}
	}
	if len(pids) != 4 {
		t.Errorf("%d agents", len(pids))
	}
}

// An interrupt reaches the coordinator, although there is a server in its process, and ends all.
func TestAgentsInterrupted(t *testing.T) {
	t.Parallel()
	p, dir := lead(t, withoutEnd+" --silence 20s --agents 2")
	p.says.await(t, `2 agents, \d+ join p99`)
	pids := p.says.await(t, `agent \d: \S+ pid (\d+)`)
	p.Process.Signal(os.Interrupt)
	if code := p.code(t); code != exitError || !strings.Contains(p.says.String(), "interrupted") {
		t.Errorf("exit %d:\n%s", code, &p.says)
	}
	for _, pid := range pids {
		gone(t, pid[1])
	}
	r := readable(t, dir)
	if r.Manifest.Status != reports.Interrupted || len(r.Select(reports.StageLoad, reports.KindJoin)) == 0 {
		t.Errorf("status %s, %d samples", r.Manifest.Status, r.Count)
	}
}

// certificates writes a certificate for 127.0.0.1 and its key.
func certificates(t *testing.T) (cert, key string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pair := s.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// With TLS and a token a coordinator listens on all addresses, and agents come by themselves.
func TestAgentsOverTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificates(t)
	file := tokenFile(t)
	p, _ := lead(t, fmt.Sprintf("%s --agents 2 --listen 0.0.0.0:0 --tls-cert %s --tls-key %s --token-file %s", soon, cert,
		key, file))
	port := p.says.await(t, `agents may come: bench agent --nats tls://\S+:(\d+) --run default`)[0][1]
	var agents []*taker
	for range 2 {
		agents = append(agents, take(t, fmt.Sprintf("agent --nats tls://127.0.0.1:%s --tls-ca %s --token-file %s", port, cert,
			file)))
	}
	for _, a := range append(agents, p) {
		if code := a.code(t); code != exitOK {
			t.Errorf("exit %d:\n%s", code, &a.says)
		}
	}
}
