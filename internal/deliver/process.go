package deliver

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A process is a sender's, seen from the one that measures it.
type process struct {
	command *exec.Cmd
	input   io.Closer // closing it tells the process that the run is over
	ready   chan string
	gone    chan struct{} // closed when the process has ended
	exit    error         // how, once gone
	said    atomic.Pointer[string]
	errors  head
}

// startProcess starts this binary again, for a role.
func startProcess(role string, procs int, j Job, board *os.File) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	reports, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.Command(self), ready: make(chan string, 1), gone: make(chan struct{})}
	p.command.Env = append(os.Environ(), variable+"="+role, "GOMAXPROCS="+strconv.Itoa(procs))
	p.command.ExtraFiles = []*os.File{board, theirs} // boardFile, reportFile
	p.command.Stderr = &p.errors
	p.command.WaitDelay = time.Second
	input, err := p.command.StdinPipe()
	if err == nil {
		err = p.command.Start()
	}
	theirs.Close() // or this process would wait for its own reports
	if err != nil {
		reports.Close()
		return nil, err
	}
	p.input = input
	go p.listen(reports)
	if err := json.NewEncoder(input).Encode(j); err != nil {
		// It ended before it read that, and has said why.
		return nil, cmp.Or(p.end(nil), fmt.Errorf("hand over the job: %w", err))
	}
	return p, nil
}

// listen takes down what the process reports until it has ended.
func (p *process) listen(reports io.ReadCloser) {
	defer close(p.gone)
	for lines := bufio.NewScanner(reports); lines.Scan(); {
		var line [2]string
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		switch line[0] {
		case wordReady:
			select {
			case p.ready <- line[1]:
			default: // said twice
			}
		case wordError:
			p.said.Store(&line[1])
		}
	}
	reports.Close()
	p.exit = p.command.Wait()
}

// failed returns why the process ended, or nil if it has not.
func (p *process) failed() error {
	select {
	case <-p.gone:
	default:
		return nil
	}
	if said := p.said.Load(); said != nil {
		return fmt.Errorf("its process: %s", *said)
	}
	return fmt.Errorf("its process ended: %v%s", p.exit, p.errors.text())
}

// time returns how long the process has had a processor. Of one that has just ended that is not known any more.
func (p *process) time() (time.Duration, error) {
	t, err := processTime(p.command.Process.Pid)
	if err == nil {
		return t, nil
	}
	select {
	case <-p.gone:
		return 0, p.failed()
	case <-time.After(grace):
		return 0, err
	}
}

// end ends the process, by force if need be, and returns err, or if that is nil what went wrong.
func (p *process) end(err error) error {
	p.input.Close()
	select {
	case <-p.gone:
	case <-time.After(2 * grace):
		_ = p.command.Process.Kill() // it is still there, or ended this moment
		<-p.gone
	}
	if err == nil && p.exit != nil {
		err = p.failed()
	}
	return err
}

// A head keeps the first of what a process writes to its standard error, in case it is the reason why it ended.
type head struct {
	mu   sync.Mutex
	kept []byte
}

// maxHead is enough for the message of a panic and where it was.
const maxHead = 1 << 10

// Write keeps what there is room for.
func (h *head) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, b[:min(len(b), maxHead-len(h.kept))]...)
	return len(b), nil
}

// text returns what was kept, with a separator before it.
func (h *head) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.kept) == 0 {
		return ""
	}
	return ": " + strings.TrimSpace(string(h.kept))
}
